/* A thread seals and writes parcels, one at a time, while the next is filled. */
#include "evidence/body_store.h"

#include "base/condition.h"
#include "base/error.h"
#include "codec/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { RETRIES_AT_END = 3 };

/* What is filled, or on its way to the disk. */
struct parcel {
	struct buffer bytes;
	uint64_t first_ms;
	uint64_t last_ms;
	uint64_t count;
};

struct body_store {
	const struct disk_calls *disk;
	struct export_certificate *certificate;
	int folder;
	pthread_t thread;
	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t wake;
	struct parcel filling;
	bool ending;
	struct body_store_state state;
};

const char *body_what_name(enum body_what what)
{
	static const char *const names[BODY_WHATS] = {
		[BODY_REQUEST] = "request", [BODY_RESPONSE] = "response", [BODY_PACKETS] = "packets"};
	return names[what];
}

struct merkle_hash body_commitment(const uint8_t salt[BODY_SALT_BYTES], struct slice message)
{
	return merkle_sha256(slice_make(salt, BODY_SALT_BYTES), message);
}

/* ---- filling ---- */

static void add(struct parcel *parcel, enum body_what what, struct slice message, uint64_t cut, uint64_t at_ms,
		const uint8_t salt[BODY_SALT_BYTES])
{
	uint8_t hex[2 * BODY_SALT_BYTES];
	struct slice text = slice_make(hex, hex_encode(slice_make(salt, BODY_SALT_BYTES), hex));
	size_t before = parcel->bytes.len;
	buffer_printf(&parcel->bytes,
		      "{\"at\":%" PRIu64 ",\"what\":\"%s\",\"salt\":\"%.*s\",\"bytes\":%zu,\"cut\":%" PRIu64 "}\n",
		      at_ms, body_what_name(what), SLICE_ARG(text), message.len, cut);
	buffer_add(&parcel->bytes, message);
	buffer_byte(&parcel->bytes, '\n');
	if (parcel->bytes.error != 0) {
		parcel->bytes.len = before;
		return;
	}
	parcel->first_ms = parcel->count == 0 || at_ms < parcel->first_ms ? at_ms : parcel->first_ms;
	parcel->last_ms = parcel->count == 0 || at_ms > parcel->last_ms ? at_ms : parcel->last_ms;
	parcel->count++;
}

bool body_store_put(struct body_store *store, enum body_what what, struct slice message, uint64_t cut, uint64_t at_ms,
		    struct merkle_hash *ret_commitment)
{
	uint8_t salt[BODY_SALT_BYTES];
	struct slice kept = slice_sub(message, 0, BODY_BYTES_MOST);
	bool random = RAND_bytes(salt, sizeof(salt)) == 1;
	pthread_mutex_lock(&store->lock);
	struct parcel *parcel = &store->filling;
	uint64_t before = parcel->count;
	if (random && parcel->bytes.len + kept.len < BODY_PARCEL_BYTES_MOST)
		add(parcel, what, kept, cut + (message.len - kept.len), at_ms, salt);
	bool put = parcel->count > before;
	parcel->bytes.error = 0;
	store->state.lost += put ? 0 : 1;
	if (before == 0 || parcel->bytes.len >= BODY_PARCEL_BYTES)
		pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->lock);
	if (put)
		*ret_commitment = body_commitment(salt, kept);
	OPENSSL_cleanse(salt, sizeof(salt));
	return put;
}

/* ---- writing ---- */

static void parcel_path(const struct parcel *parcel, unsigned turn, char out[PATH_MAX])
{
	time_t day = (time_t)(parcel->first_ms / 1000);
	char name[16], more[16] = "";
	struct tm utc;
	gmtime_r(&day, &utc);
	strftime(name, sizeof(name), "%Y-%m-%d", &utc);
	if (turn > 0)
		snprintf(more, sizeof(more), ".%u", turn);
	snprintf(out, PATH_MAX, "%s/%" PRIu64 "-%" PRIu64 "%s.cms", name, parcel->first_ms, parcel->last_ms, more);
}

static int sync_file(const struct body_store *store, const char *path)
{
	int fd = store->disk->open(store->folder, path, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	int r = store->disk->syncfs(fd);
	close(fd);
	return r;
}

static int write_parcel(struct body_store *store, const struct parcel *parcel)
{
	struct buffer sealed = buffer_make(NULL);
	char path[PATH_MAX];
	unsigned turn = 0;
	do {
		parcel_path(parcel, turn++, path);
	} while (faccessat(store->folder, path, F_OK, 0) == 0);
	int r = envelope_seal(store->certificate, buffer_slice(&parcel->bytes), &sealed);
	r = r != 0 ? r : disk_place(store->disk, store->folder, path, buffer_slice(&sealed));
	r = r != 0 ? r : sync_file(store, path);
	buffer_free(&sealed);
	return r;
}

static uint64_t parcel_due_ns(void)
{
	return clock_monotonic_ns() + (uint64_t)BODY_PARCEL_MS * CLOCK_NS_PER_MS;
}

/* Waits for a parcel that is full, or has waited long enough. The lock is held. */
static void wait_for_parcel(struct body_store *store)
{
	while (store->filling.count == 0 && !store->ending)
		pthread_cond_wait(&store->wake, &store->lock);
	uint64_t until_ns = parcel_due_ns();
	while (store->filling.bytes.len < BODY_PARCEL_BYTES && !store->ending &&
	       condition_wait(&store->wake, &store->lock, until_ns))
		;
}

static struct parcel take_parcel(struct body_store *store)
{
	struct parcel parcel = store->filling;
	store->filling = (struct parcel){.bytes = buffer_make(NULL)};
	return parcel;
}

static void tell(struct body_store *store, const struct parcel *parcel, int error)
{
	store->state.error = error;
	store->state.kept += error == 0 ? parcel->count : 0;
}

/* Tries until it is written, or there is no use in it any more. The lock is not held. */
static void deliver(struct body_store *store, const struct parcel *parcel)
{
	int r = -EAGAIN;
	for (unsigned left = RETRIES_AT_END; r != 0 && left > 0;) {
		r = write_parcel(store, parcel);
		pthread_mutex_lock(&store->lock);
		tell(store, parcel, r);
		left -= store->ending ? 1 : 0;
		if (r != 0 && !store->ending)
			(void)condition_wait(&store->wake, &store->lock, parcel_due_ns());
		store->state.lost += r != 0 && left == 0 ? parcel->count : 0;
		pthread_mutex_unlock(&store->lock);
	}
}

static void *run(void *context)
{
	struct body_store *store = context;
	bool ending = false;
	while (!ending) {
		pthread_mutex_lock(&store->lock);
		wait_for_parcel(store);
		struct parcel parcel = take_parcel(store);
		ending = store->ending;
		pthread_mutex_unlock(&store->lock);
		if (parcel.count > 0)
			deliver(store, &parcel);
		buffer_free(&parcel.bytes);
	}
	return NULL;
}

/* ---- beginning and end ---- */

static int open_folder(const struct disk_calls *disk, const char *folder)
{
	int r = disk->mkdir(AT_FDCWD, folder, 0700);
	return r != 0 && r != -EEXIST ? r : disk->open(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
}

static void release(struct body_store *store)
{
	export_certificate_free(store->certificate);
	if (store->folder >= 0)
		close(store->folder);
	buffer_free(&store->filling.bytes);
	free(store);
}

int body_store_create(const struct disk_calls *disk, const char *folder, const char *certificate,
		      struct body_store **ret_store)
{
	struct body_store *store = calloc(1, sizeof(*store));
	if (store == NULL)
		return -ENOMEM;
	store->disk = disk;
	int r = export_certificate_load(certificate, &store->certificate);
	store->folder = r != 0 ? -1 : open_folder(disk, folder);
	r = r != 0 ? r : store->folder < 0 ? store->folder : 0;
	pthread_mutex_init(&store->lock, NULL);
	condition_init(&store->wake);
	r = r != 0 ? r : -pthread_create(&store->thread, NULL, run, store);
	if (r != 0) {
		release(store);
		return r;
	}
	*ret_store = store;
	return 0;
}

void body_store_end(struct body_store *store)
{
	if (store == NULL)
		return;
	pthread_mutex_lock(&store->lock);
	store->ending = true;
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->thread, NULL);
	pthread_mutex_destroy(&store->lock);
	pthread_cond_destroy(&store->wake);
	release(store);
}

struct body_store_state body_store_state(struct body_store *store)
{
	pthread_mutex_lock(&store->lock);
	struct body_store_state state = store->state;
	pthread_mutex_unlock(&store->lock);
	return state;
}
