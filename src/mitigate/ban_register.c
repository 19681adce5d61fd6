/*
 * An order goes into the book and the list of records at once, and to the disk with the next writing: the records, then
 * a delta, or a base where there is none of ours or much has changed. At the beginning all is restored and written
 * anew, in generations that go on.
 */
#include "mitigate/ban_register.h"

#include "base/error.h"
#include "base/file.h"
#include "limit/ban_book.h"
#include "limit/ban_files.h"
#include "mitigate/ban_records.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PUBLISH_MS = 100,
	BASE_MS = 10000,
	DELTA_MOST = 10000,                     /* entries, before a new base is worth it */
	RECORD_BYTES = 512 + 6 * BAN_WHY_BYTES, /* as text, with each byte of the reason escaped */
	RECORDS_BYTES = 512 + BAN_RECORDS_MOST * RECORD_BYTES,
	IMAGE_BYTES = 256 << 20,
};

#define GENERATIONS_MOST (UINT64_C(1) << 56)

struct ban_register {
	struct ban_book *book;
	uint64_t *word;
	int lock; /* the directory, which is ours alone */
	uint8_t boot[IMAGE_BOOT_BYTES];
	char directory[PATH_MAX];
	char base[PATH_MAX];
	char delta[PATH_MAX];
	char generation[PATH_MAX];
	char orders[PATH_MAX];
	char said[PATH_MAX + 256];
	struct ban_record records[BAN_RECORDS_MOST]; /* the latest first */
	size_t count;
	uint32_t last_id;
	struct ban_follower follower;
	uint64_t published_ms;
	uint64_t based_ms;
	int failed;           /* what came of the last writing */
	bool has_base;        /* on the disk, the one that the book counts changes from */
	bool changed;         /* images are behind */
	bool records_changed; /* the file is */
};

/* ---- what an earlier watch left ---- */

static void say(struct ban_register *reg, const char *path, const char *what)
{
	snprintf(reg->said, sizeof(reg->said), "%s: %s", path, what);
}

/* A copy that is aligned, and a check. */
static bool image_load(struct ban_register *reg, const char *path, struct buffer *bytes, struct ban_image *ret_image)
{
	int r = file_read(path, IMAGE_BYTES, bytes);
	if (r == -ENOENT)
		return false;
	enum image_fault fault = r == 0 ? ban_image_check(buffer_slice(bytes), reg->boot, ret_image) : IMAGE_GOOD;
	if (r != 0 || (fault != IMAGE_GOOD && fault != IMAGE_BOOT))
		say(reg, path, r != 0 ? strerror(-r) : image_fault_text(fault));
	return r == 0 && fault == IMAGE_GOOD;
}

/*
 * Workers take no image for newer that tells of an older generation: what is published next comes after all that was
 * left, also after what is damaged, of which the word alone tells. A word beyond what publishing comes to is damaged.
 */
static void generations_go_on(struct ban_register *reg, const struct ban_image *base, const struct ban_image *delta)
{
	uint64_t word = __atomic_load_n(reg->word, __ATOMIC_ACQUIRE);
	ban_book_go_on_from(reg->book, base->version.generation);
	ban_book_go_on_from(reg->book, delta->version.generation);
	ban_book_go_on_from(reg->book, word < GENERATIONS_MOST ? word : 0);
}

/* A delta without its base is all that is left of the bans, and better than nothing. */
static int images_restore(struct ban_register *reg, struct ban_times now)
{
	struct buffer base_bytes = buffer_make(NULL), delta_bytes = buffer_make(NULL);
	struct ban_image base = {0}, delta = {0};
	bool based = image_load(reg, reg->base, &base_bytes, &base);
	bool changed = image_load(reg, reg->delta, &delta_bytes, &delta);
	generations_go_on(reg, &base, &delta);
	if (based && changed && delta.version.base != base.version.generation)
		delta = (struct ban_image){0};
	int r = ban_book_restore(reg->book, &base, &delta, now.boot_ms);
	buffer_free(&base_bytes);
	buffer_free(&delta_bytes);
	return r == BAN_BOOK_FULL ? 0 : r;
}

static void record_apply(struct ban_register *reg, const struct ban_record *record)
{
	const struct ban_entry entry = {.address = record->prefix.address,
					.bits = record->prefix.bits,
					.expires_ms = record->expires_ms,
					.id = record->id,
					.kind = (uint8_t)record->kind,
					.rank = (uint8_t)record->rank};
	(void)ban_book_set(reg->book, &entry, true);
}

/* It is not lost when ours is written: somebody may still read it. */
static void records_put_aside(struct ban_register *reg)
{
	say(reg, reg->orders,
	    "is not a file of orders, and put aside as .damaged: bans hold at the gate, but nobody knows why");
	(void)file_put_aside(reg->orders, ".damaged");
}

/* Likewise, and apart from the other: it may be as good as ever. */
static void unread_put_aside(struct ban_register *reg, int fault)
{
	char what[128];
	snprintf(what, sizeof(what), "%s; put aside as .unread: bans hold at the gate, but nobody knows why",
		 strerror(-fault));
	say(reg, reg->orders, what);
	(void)file_put_aside(reg->orders, ".unread");
}

/* Orders outlive a boot, and images do not. */
static void records_restore(struct ban_register *reg, struct ban_times now)
{
	struct buffer text = buffer_make(NULL);
	int r = file_read(reg->orders, RECORDS_BYTES, &text);
	if (r == 0 &&
	    ban_records_read(buffer_slice(&text), reg->boot, now, reg->records, &reg->count, &reg->last_id) != 0)
		records_put_aside(reg);
	else if (r != 0 && r != -ENOENT)
		unread_put_aside(reg, r);
	buffer_free(&text);
	for (size_t i = reg->count; i-- > 0;)
		record_apply(reg, &reg->records[i]);
}

/* ---- opening ---- */

static int paths_make(struct ban_register *reg, const char *directory)
{
	const struct {
		char *path;
		const char *name;
	} files[] = {{reg->base, BAN_BASE_FILE},
		     {reg->delta, BAN_DELTA_FILE},
		     {reg->generation, BAN_WORD_FILE},
		     {reg->orders, "orders.json"}};
	if (snprintf(reg->directory, PATH_MAX, "%s", directory) >= PATH_MAX)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (snprintf(files[i].path, PATH_MAX, "%s/%s", directory, files[i].name) >= PATH_MAX)
			return -ENAMETOOLONG;
	return mkdir(directory, 0755) == 0 || errno == EEXIST ? 0 : -errno;
}

/* Ends with whoever has it, however he ends. */
static int lock_take(struct ban_register *reg)
{
	reg->lock = open(reg->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (reg->lock < 0)
		return -errno;
	if (flock(reg->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

int ban_register_open(const char *directory, struct ban_times now, struct ban_register **ret_register,
		      const char **ret_what, const char **ret_said)
{
	struct hash_key key = hash_key_random();
	struct ban_register *reg = calloc(1, sizeof(*reg));
	if (reg == NULL)
		return -ENOMEM;
	reg->lock = -1;
	*ret_what = directory;
	int r = ban_book_create(BAN_REGISTER_MOST, &key, &reg->book);
	r = r != 0 ? r : image_boot_read(reg->boot);
	r = r != 0 ? r : paths_make(reg, directory);
	r = r != 0 ? r : lock_take(reg);
	r = r != 0 ? r : image_word_open(reg->generation, &reg->word);
	r = r != 0 ? r : images_restore(reg, now);
	if (r != 0) {
		ban_register_close(reg);
		return r;
	}
	records_restore(reg, now);
	reg->changed = reg->records_changed = true;
	*ret_register = reg;
	*ret_said = reg->said;
	return 0;
}

void ban_register_close(struct ban_register *reg)
{
	if (reg == NULL)
		return;
	image_word_close(reg->word);
	ban_book_free(reg->book);
	if (reg->lock >= 0)
		close(reg->lock);
	free(reg);
}

/* ---- orders ---- */

static void tell(const struct ban_register *reg, const struct prefix *prefix, struct ban_times now)
{
	if (reg->follower.changed != NULL)
		reg->follower.changed(reg->follower.context, prefix, now);
}

static size_t record_find(const struct ban_register *reg, const struct prefix *prefix)
{
	size_t i = 0;
	while (i < reg->count && !(reg->records[i].prefix.bits == prefix->bits &&
				   address_equal(&reg->records[i].prefix.address, &prefix->address)))
		i++;
	return i;
}

static void record_remove(struct ban_register *reg, size_t at)
{
	if (at < reg->count)
		memmove(&reg->records[at], &reg->records[at + 1], (--reg->count - at) * sizeof(reg->records[0]));
}

/* Whoever follows hears of it, for something else may stand of the prefix, or of one around it. */
static void records_expire(struct ban_register *reg, struct ban_times now)
{
	for (size_t i = reg->count; i-- > 0;)
		if (reg->records[i].expires_ms <= now.boot_ms) {
			const struct prefix prefix = reg->records[i].prefix;
			record_remove(reg, i);
			reg->records_changed = true;
			tell(reg, &prefix, now);
		}
}

/* What the watch had banned by itself is lifted too; of that, which nobody ordered, it is told who lifts it. */
static int order_lift(struct ban_register *reg, const struct ban_order *order, struct ban_times now,
		      struct ban_record *ret_record)
{
	size_t at = record_find(reg, &order->prefix);
	struct ban_record record = {.prefix = order->prefix,
				    .kind = BAN_LIFTED,
				    .since_wall_ms = now.wall_ms,
				    .expires_ms = BAN_FOR_EVER,
				    .by = order->by};
	bool person = ban_book_lift(reg->book, &order->prefix, BAN_BY_PERSON) == 0;
	bool automatic = ban_book_lift(reg->book, &order->prefix, BAN_AUTOMATIC) == 0;
	if (!person && !automatic)
		return BAN_ORDER_ABSENT;
	if (at < reg->count)
		record = reg->records[at];
	record.kind = BAN_LIFTED;
	record_remove(reg, at);
	*ret_record = record;
	return 0;
}

static int order_set(struct ban_register *reg, const struct ban_order *order, struct ban_times now,
		     struct ban_record *ret_record)
{
	size_t at = record_find(reg, &order->prefix);
	if (at == reg->count && reg->count == BAN_RECORDS_MOST)
		return BAN_ORDER_FULL;
	struct ban_record record = {
		.prefix = order->prefix,
		.kind = order->kind,
		.rank = BAN_BY_PERSON,
		.id = reg->last_id + 1,
		.since_wall_ms = now.wall_ms,
		.expires_ms = order->for_ms == 0 ? BAN_FOR_EVER : now.boot_ms + order->for_ms,
		.by = order->by,
		.why_len = order->why.len < BAN_WHY_BYTES ? order->why.len : BAN_WHY_BYTES,
	};
	if (record.why_len > 0)
		memcpy(record.why, order->why.ptr, record.why_len);
	const struct ban_entry entry = {.address = record.prefix.address,
					.bits = record.prefix.bits,
					.expires_ms = record.expires_ms,
					.id = record.id,
					.kind = (uint8_t)record.kind,
					.rank = BAN_BY_PERSON};
	int r = ban_book_set(reg->book, &entry, order->force);
	if (r != 0)
		return r == BAN_BOOK_FULL ? BAN_ORDER_FULL : r == BAN_BOOK_TOO_WIDE ? BAN_ORDER_TOO_WIDE : r;
	reg->last_id = record.id;
	record_remove(reg, at);
	memmove(&reg->records[1], &reg->records[0], reg->count * sizeof(reg->records[0]));
	reg->records[0] = record;
	reg->count++;
	*ret_record = record;
	return 0;
}

int ban_register_order(struct ban_register *reg, const struct ban_order *order, struct ban_times now,
		       struct ban_record *ret_record)
{
	records_expire(reg, now);
	int r = order->kind == BAN_LIFTED ? order_lift(reg, order, now, ret_record)
					  : order_set(reg, order, now, ret_record);
	if (r == 0) {
		reg->changed = reg->records_changed = true;
		tell(reg, &order->prefix, now);
	}
	return r;
}

int ban_register_punish(struct ban_register *reg, const struct prefix *prefix, uint32_t id, struct ban_times now)
{
	uint64_t expires_ms;
	int r = ban_book_punish(reg->book, prefix, id, now.boot_ms, &expires_ms);
	reg->changed = reg->changed || r == 0;
	if (r == 0)
		tell(reg, prefix, now);
	return r == BAN_BOOK_FULL       ? BAN_ORDER_FULL
	       : r == BAN_BOOK_TOO_WIDE ? BAN_ORDER_TOO_WIDE
	       : r == BAN_BOOK_ALLOWED  ? BAN_ORDER_ALLOWED
					: r;
}

size_t ban_register_records(const struct ban_register *reg, const struct ban_record **ret_records)
{
	*ret_records = reg->records;
	return reg->count;
}

size_t ban_register_count(const struct ban_register *reg, struct ban_times now)
{
	return ban_book_count(reg->book, now.boot_ms);
}

/* ---- who follows ---- */

void ban_register_follow(struct ban_register *reg, const struct ban_follower *follower)
{
	reg->follower = follower != NULL ? *follower : (struct ban_follower){0};
}

bool ban_register_said(const struct ban_register *reg, const struct prefix *prefix, enum ban_rank rank,
		       struct ban_times now, struct ban_entry *ret_entry)
{
	return ban_book_entry(reg->book, prefix, rank, now.boot_ms, ret_entry);
}

int ban_register_image(const struct ban_register *reg, struct ban_times now, struct buffer *bytes,
		       struct ban_image *ret_image)
{
	int r = ban_book_image(reg->book, reg->boot, now.boot_ms, bytes);
	if (r == 0 && ban_image_check(buffer_slice(bytes), reg->boot, ret_image) != IMAGE_GOOD)
		r = -EINVAL;
	return r;
}

/* ---- publishing ---- */

static int publish_image(struct ban_register *reg, bool base, struct ban_times now)
{
	struct buffer out = buffer_make(NULL);
	uint64_t generation;
	int r = base ? ban_book_base(reg->book, reg->boot, now.boot_ms, &out, &generation)
		     : ban_book_delta(reg->book, reg->boot, &out, &generation);
	r = r != 0 ? r : image_publish(base ? reg->base : reg->delta, buffer_slice(&out), generation, reg->word);
	buffer_free(&out);
	return r;
}

static int images_publish(struct ban_register *reg, struct ban_times now)
{
	bool base =
		!reg->has_base || (ban_book_changed(reg->book) > DELTA_MOST && now.boot_ms - reg->based_ms >= BASE_MS);
	int r = publish_image(reg, base, now);
	if (r != 0) {
		/* The book counts from a base that nobody has: no delta would fit what the gate has. */
		reg->has_base = reg->has_base && !base;
		return r;
	}
	reg->changed = false;
	if (base) {
		(void)unlink(reg->delta); /* of another base, or damaged: workers would be told of it each time */
		reg->has_base = true;
		reg->based_ms = now.boot_ms;
	}
	return 0;
}

static int records_publish(struct ban_register *reg, struct ban_times now)
{
	struct buffer out = buffer_make(NULL);
	ban_records_write(reg->records, reg->count, reg->last_id, reg->boot, now, &out);
	int r = out.error != 0 ? out.error : file_replace(reg->orders, buffer_slice(&out), 0640);
	buffer_free(&out);
	reg->records_changed = r != 0;
	return r;
}

int ban_register_write(struct ban_register *reg, struct ban_times now)
{
	if (!reg->changed && !reg->records_changed)
		return 0;
	reg->published_ms = now.boot_ms;
	int of_records = reg->records_changed ? records_publish(reg, now) : 0;
	int r = reg->changed ? images_publish(reg, now) : 0;
	reg->failed = r != 0 ? r : of_records;
	return reg->failed;
}

int ban_register_failed(const struct ban_register *reg)
{
	return reg->failed;
}

int ban_register_tick(struct ban_register *reg, struct ban_times now)
{
	if (now.boot_ms - reg->published_ms < PUBLISH_MS)
		return reg->failed;
	records_expire(reg, now);
	return ban_register_write(reg, now);
}
