/*
 * Reads what body_store.c writes. An index is a sorted list of commitments with where their messages are: each parcel
 * is opened once to make it, and again when a message of it is asked for; the last one stays open.
 */
#include "evidence/body_read.h"

#include "base/error.h"
#include "base/file.h"
#include "base/reader.h"
#include "codec/text.h"
#include "evidence/checkpoint.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_BYTES_MOST = 2 * BODY_PARCEL_BYTES_MOST, NO_PARCEL = -1 };

/* ---- a parcel's text ---- */

static bool accept_number(struct reader *line, struct slice before, uint64_t *ret_number)
{
	if (!reader_accept(line, before))
		return false;
	size_t from = line->at;
	while (reader_peek(line, 0) >= '0' && reader_peek(line, 0) <= '9')
		reader_skip(line, 1);
	return decimal_read(slice_sub(line->bytes, from, line->at), ret_number);
}

static bool accept_what(struct reader *line, enum body_what *ret_what)
{
	if (!reader_accept(line, SLICE(",\"what\":\"")))
		return false;
	struct slice name = reader_until(line, '"');
	enum body_what what = 0;
	while (what < BODY_WHATS && !slice_equal(name, slice_from_string(body_what_name(what))))
		what++;
	*ret_what = what;
	return what < BODY_WHATS;
}

static bool accept_salt(struct reader *line, uint8_t out[BODY_SALT_BYTES])
{
	if (!reader_accept(line, SLICE(",\"salt\":\"")))
		return false;
	struct slice hex = reader_until(line, '"');
	return hex_exact(hex, out, BODY_SALT_BYTES);
}

bool body_next(struct reader *parcel, struct body *ret_body)
{
	struct body body = {.at_ms = 0};
	struct reader at = *parcel;
	struct reader line = reader_make(reader_until(&at, '\n'));
	uint64_t bytes;
	if (!accept_number(&line, SLICE("{\"at\":"), &body.at_ms) || !accept_what(&line, &body.what) ||
	    !accept_salt(&line, body.salt) || !accept_number(&line, SLICE(",\"bytes\":"), &bytes) ||
	    !accept_number(&line, SLICE(",\"cut\":"), &body.cut) || !reader_accept(&line, SLICE("}")) ||
	    !reader_at_end(&line) || bytes > BODY_BYTES_MOST)
		return false;
	body.message = reader_take(&at, (size_t)bytes);
	if (reader_byte(&at) != '\n' || at.overrun)
		return false;
	*parcel = at;
	*ret_body = body;
	return true;
}

/* ---- the folder ---- */

bool body_parcel_times(struct slice path, uint64_t *ret_first_ms, uint64_t *ret_last_ms)
{
	struct slice name = slice_after(path, path.len), first, last;
	while (name.len < path.len && path.ptr[path.len - name.len - 1] != '/')
		name = slice_after(path, path.len - name.len - 1);
	if (!slice_ends_with(name, SLICE(".cms")))
		return false;
	name = slice_cut(slice_sub(name, 0, name.len - 4), '-', &first);
	(void)slice_cut(name, '.', &last);
	return decimal_read(first, ret_first_ms) && decimal_read(last, ret_last_ms);
}

static int push(struct body_parcels *parcels, const char *day, const char *name)
{
	char path[2 * NAME_MAX + 4];
	snprintf(path, sizeof(path), "%s/%s", day, name);
	char *copy = strdup(path);
	char **wider = copy == NULL || (parcels->count & (parcels->count + 1)) != 0
			       ? parcels->paths
			       : realloc(parcels->paths, (2 * parcels->count + 1) * sizeof(*wider));
	if (copy == NULL || wider == NULL) {
		free(copy);
		return -ENOMEM;
	}
	parcels->paths = wider;
	parcels->paths[parcels->count++] = copy;
	return 0;
}

/* The next name; NULL at the end, and where the folder cannot be read further. */
static const char *next_name(DIR *list, int *ret_error)
{
	errno = 0;
	const struct dirent *entry = readdir(list);
	if (entry == NULL && errno != 0)
		*ret_error = -errno;
	return entry == NULL ? NULL : entry->d_name;
}

/* A day's folder; what is none, or none any more, has no parcels. */
static int open_day(int folder, const char *day, DIR **ret_list)
{
	int fd = openat(folder, day, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	*ret_list = fd < 0 ? NULL : fdopendir(fd);
	if (*ret_list != NULL)
		return 0;
	int r = -errno;
	if (fd >= 0)
		close(fd);
	return fd < 0 && (r == -ENOTDIR || r == -ELOOP || r == -ENOENT) ? 0 : r;
}

static int list_day(int folder, const char *day, uint64_t from_ms, uint64_t to_ms, struct body_parcels *parcels)
{
	uint64_t first, last;
	DIR *list;
	int r = open_day(folder, day, &list);
	for (const char *name; r == 0 && list != NULL && (name = next_name(list, &r)) != NULL;)
		if (body_parcel_times(slice_from_string(name), &first, &last) && first <= to_ms && last >= from_ms)
			r = push(parcels, day, name);
	if (list != NULL)
		closedir(list);
	return r;
}

static int by_first(const void *a, const void *b)
{
	uint64_t left = 0, right = 0, last;
	(void)body_parcel_times(slice_from_string(*(char *const *)a), &left, &last);
	(void)body_parcel_times(slice_from_string(*(char *const *)b), &right, &last);
	return left != right ? (left > right) - (left < right) : strcmp(*(char *const *)a, *(char *const *)b);
}

int body_parcels_list(const char *folder, uint64_t from_ms, uint64_t to_ms, struct body_parcels *ret_parcels)
{
	struct body_parcels parcels = {.count = 0};
	DIR *list = opendir(folder);
	int r = list != NULL || errno == ENOENT ? 0 : -errno;
	for (const char *name; r == 0 && list != NULL && (name = next_name(list, &r)) != NULL;)
		if (name[0] != '.')
			r = list_day(dirfd(list), name, from_ms, to_ms, &parcels);
	if (list != NULL)
		closedir(list);
	if (r != 0) {
		body_parcels_free(&parcels);
		return r;
	}
	if (parcels.count > 1)
		qsort(parcels.paths, parcels.count, sizeof(*parcels.paths), by_first);
	*ret_parcels = parcels;
	return 0;
}

void body_parcels_free(struct body_parcels *parcels)
{
	for (size_t i = 0; i < parcels->count; i++)
		free(parcels->paths[i]);
	free(parcels->paths);
	*parcels = (struct body_parcels){.count = 0};
}

/* ---- by commitment ---- */

struct place {
	struct merkle_hash commitment;
	uint32_t parcel;
	uint32_t at;
};

struct body_index {
	const char *folder;
	const struct body_parcels *parcels;
	const struct export_key *key;
	struct place *places;
	size_t count, capacity;
	struct body_index_sums sums;
	bool *unopened;     /* of each parcel */
	struct buffer open; /* the parcel that was opened last */
	ssize_t open_is;
};

static int open_parcel(struct body_index *index, size_t parcel)
{
	char path[PATH_MAX];
	struct buffer sealed = buffer_make(NULL);
	if (index->open_is == (ssize_t)parcel)
		return 0;
	index->open_is = NO_PARCEL;
	buffer_clear(&index->open);
	snprintf(path, sizeof(path), "%s/%s", index->folder, index->parcels->paths[parcel]);
	int r = file_read(path, FILE_BYTES_MOST, &sealed);
	r = r != 0 ? r : envelope_open(index->key, buffer_slice(&sealed), &index->open);
	index->open_is = r == 0 ? (ssize_t)parcel : NO_PARCEL;
	buffer_free(&sealed);
	return r;
}

static int add_place(struct body_index *index, const struct body *body, size_t parcel, size_t at)
{
	if (index->count == index->capacity) {
		size_t wider = index->capacity == 0 ? 1024 : 2 * index->capacity;
		struct place *places = realloc(index->places, wider * sizeof(*places));
		if (places == NULL)
			return -ENOMEM;
		index->places = places;
		index->capacity = wider;
	}
	index->places[index->count++] =
		(struct place){body_commitment(body->salt, body->message), (uint32_t)parcel, (uint32_t)at};
	return 0;
}

static int add_parcel(struct body_index *index, size_t parcel)
{
	struct body body;
	int r = open_parcel(index, parcel);
	index->sums.parcels++;
	if (r == ENVELOPE_OTHER_KEY || r == -ENOENT) {
		index->sums.unopened++;
		index->unopened[parcel] = true;
		return 0;
	}
	struct reader reader = reader_make(buffer_slice(&index->open));
	for (size_t at = 0; r == 0 && body_next(&reader, &body); at = reader.at)
		r = add_place(index, &body, parcel, at);
	return r;
}

static int by_commitment(const void *a, const void *b)
{
	return memcmp(((const struct place *)a)->commitment.bytes, ((const struct place *)b)->commitment.bytes,
		      MERKLE_HASH_BYTES);
}

int body_index_create(const char *folder, const struct body_parcels *parcels, const struct export_key *key,
		      struct body_index **ret_index)
{
	struct body_index *index = calloc(1, sizeof(*index));
	if (index == NULL)
		return -ENOMEM;
	*index = (struct body_index){.folder = folder, .parcels = parcels, .key = key, .open_is = NO_PARCEL};
	index->unopened = calloc(parcels->count + 1, sizeof(*index->unopened));
	int r = index->unopened == NULL ? -ENOMEM : 0;
	for (size_t i = 0; r == 0 && i < parcels->count; i++)
		r = add_parcel(index, i);
	if (r != 0) {
		body_index_free(index);
		return r;
	}
	if (index->count > 1)
		qsort(index->places, index->count, sizeof(*index->places), by_commitment);
	index->sums.messages = index->count;
	*ret_index = index;
	return 0;
}

void body_index_free(struct body_index *index)
{
	if (index == NULL)
		return;
	free(index->places);
	free(index->unopened);
	buffer_free(&index->open);
	free(index);
}

struct body_index_sums body_index_sums(const struct body_index *index)
{
	return index->sums;
}

bool body_index_is_unopened(const struct body_index *index, size_t parcel)
{
	return index->unopened[parcel];
}

int body_index_find(struct body_index *index, const struct merkle_hash *commitment, struct body *ret_body)
{
	const struct place wanted = {.commitment = *commitment};
	const struct place *place =
		index->count == 0 ? NULL : bsearch(&wanted, index->places, index->count, sizeof(wanted), by_commitment);
	if (place == NULL)
		return -ENOENT;
	int r = open_parcel(index, place->parcel);
	struct reader reader = reader_make(slice_after(buffer_slice(&index->open), place->at));
	if (r != 0 || !body_next(&reader, ret_body))
		return r < 0 ? r : -ENOENT;
	return 0;
}
