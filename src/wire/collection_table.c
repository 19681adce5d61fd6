/*
 * Every change is a function over a record's image: the record is found, gathered, rid of what has expired, changed and
 * written back whole, under one lock. Values lie one behind another; one that is set moves to the end.
 */
#include "wire/collection_table.h"

#include "base/error.h"
#include "wire/collection_region.h"

#include <stdio.h>

/* What precedes a value's name and bytes in a record. */
struct value_head {
	uint64_t expires_ms;
	uint16_t value_len;
	uint8_t name_len;
	uint8_t zero;
} __attribute__((packed));
_Static_assert(sizeof(struct value_head) == 12, "as the header file says");

static void lock(struct collection_table *t)
{
	t->lock.lock(t->lock.context);
	if (region_header(t)->changing == 0)
		return;
	region_repair(t);
	region_header(t)->repairs++;
}

static void unlock(struct collection_table *t)
{
	t->lock.unlock(t->lock.context);
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

int collection_table_attach(struct collection_table *table, void *region, size_t bytes,
			    const struct collection_lock *lock)
{
	if (bytes < COLLECTION_REGION_MIN_BYTES || bytes > ((size_t)64 << 30) || ((uintptr_t)region & 63) != 0)
		return -EINVAL;
	struct collection_table t = {.region = region, .lock = *lock};
	region_measure(&t, bytes - bytes % 64);
	lock->lock(lock->context);
	int r = COLLECTION_TABLE_KEPT;
	if (region_header_valid(&t)) {
		region_repair(&t); /* verifies every record */
	} else {
		r = all_zero(region, sizeof(struct region_header)) ? COLLECTION_TABLE_NEW : COLLECTION_TABLE_RESET;
		region_format(&t);
	}
	lock->unlock(lock->context);
	*table = t;
	return r;
}

/* A value's place in a record's bytes. */
struct value_place {
	size_t at;
	struct value_head head;
	struct slice name;
	struct slice value;
	size_t end;
};

/* The value at `at`; false at the end, or where bytes are no value. */
static bool value_at(const uint8_t *bytes, size_t len, size_t at, struct value_place *ret)
{
	if (at > len || len - at < sizeof(ret->head))
		return false;
	memcpy(&ret->head, bytes + at, sizeof(ret->head));
	size_t name_at = at + sizeof(ret->head), value_at = name_at + ret->head.name_len;
	ret->at = at;
	ret->end = value_at + ret->head.value_len;
	if (ret->end > len)
		return false;
	ret->name = slice_make(bytes + name_at, ret->head.name_len);
	ret->value = slice_make(bytes + value_at, ret->head.value_len);
	return true;
}

static size_t values_at(const struct record_image *image)
{
	return (size_t)image->meta.site_len + image->meta.key_len;
}

static bool find_value(const struct record_image *image, struct slice name, struct value_place *ret)
{
	for (size_t at = values_at(image); value_at(image->bytes, image->meta.length, at, ret); at = ret->end)
		if (slice_equal_nocase(ret->name, name))
			return true;
	return false;
}

static void cut_value(struct record_image *image, const struct value_place *place)
{
	memmove(image->bytes + place->at, image->bytes + place->end, image->meta.length - place->end);
	image->meta.length -= (uint32_t)(place->end - place->at);
}

static bool has_expired(uint64_t expires_ms, uint64_t now_ms)
{
	return expires_ms != 0 && expires_ms <= now_ms;
}

static void cut_expired(struct record_image *image, uint64_t now_ms)
{
	struct value_place place;
	size_t at = values_at(image);
	while (value_at(image->bytes, image->meta.length, at, &place)) {
		if (has_expired(place.head.expires_ms, now_ms))
			cut_value(image, &place);
		else
			at = place.end;
	}
}

/* Puts a value at the end; one of its name must have been cut. -E2BIG if there is no room. */
static int append_value(struct record_image *image, struct slice name, struct slice value, uint64_t expires_ms)
{
	size_t at = image->meta.length, bytes = sizeof(struct value_head) + name.len + value.len;
	if (bytes > COLLECTION_RECORD_BYTES - at)
		return -E2BIG;
	struct value_head head = {expires_ms, (uint16_t)value.len, (uint8_t)name.len, 0};
	memcpy(image->bytes + at, &head, sizeof(head));
	memcpy(image->bytes + at + sizeof(head), name.ptr, name.len);
	if (value.len > 0)
		memcpy(image->bytes + at + sizeof(head) + name.len, value.ptr, value.len);
	image->meta.length += (uint32_t)bytes;
	return 0;
}

static void new_image(const struct collection_id *id, uint64_t now_ms, struct record_image *ret)
{
	ret->meta = (struct record_meta){.created_ms = now_ms,
					 .length = (uint32_t)(id->site.len + id->key.len),
					 .site_len = (uint16_t)id->site.len,
					 .key_len = (uint16_t)id->key.len,
					 .collection = id->collection};
	if (id->site.len > 0)
		memcpy(ret->bytes, id->site.ptr, id->site.len);
	if (id->key.len > 0)
		memcpy(ret->bytes + id->site.len, id->key.ptr, id->key.len);
}

static bool id_fits(const struct collection_id *id)
{
	return id->site.len <= COLLECTION_KEY_BYTES && id->key.len <= COLLECTION_KEY_BYTES - id->site.len;
}

static bool name_fits(struct slice name)
{
	return name.len > 0 && name.len <= COLLECTION_NAME_BYTES;
}

/* The record, unless it has expired: then it is removed. */
static uint32_t find_live(struct collection_table *t, const struct collection_id *id, uint64_t now_ms,
			  struct record_image *ret_image)
{
	uint32_t head = region_find(t, id, ret_image);
	if (head == CELL_NONE || !has_expired(ret_image->meta.expires_ms, now_ms))
		return head;
	region_begin(t);
	region_remove(t, head);
	region_end(t);
	return CELL_NONE;
}

/* What a call does to a record's image: 1 to write it back, 0 to leave it, or a negative error. */
struct change {
	int (*apply)(struct record_image *image, struct change *change);
	bool makes; /* a record that is not there */
	struct slice name;
	struct slice value;
	int64_t number; /* what to add; then the sum */
	uint32_t seconds;
	uint64_t now_ms;
	bool found;
};

static bool write_once(struct collection_table *t, struct record_image *image, uint32_t old)
{
	region_begin(t);
	bool written = region_write(t, image, old);
	region_end(t);
	return written;
}

/* Once more, where bad links had to be repaired first. */
static int write_back(struct collection_table *t, const struct collection_id *id, struct record_image *image,
		      uint32_t old)
{
	struct record_image before;
	if (write_once(t, image, old) || write_once(t, image, region_find(t, id, &before)))
		return 0;
	return -EBADMSG;
}

/* Loads, applies, writes back; all under one lock. */
static int run_change(struct collection_table *t, const struct collection_id *id, struct change *change)
{
	struct record_image image;
	if (!id_fits(id))
		return change->makes ? -E2BIG : 0;
	lock(t);
	uint32_t head = find_live(t, id, change->now_ms, &image);
	int r = 0;
	if (head != CELL_NONE)
		cut_expired(&image, change->now_ms);
	else if (change->makes)
		new_image(id, change->now_ms, &image);
	if (head != CELL_NONE || change->makes)
		r = change->apply(&image, change);
	if (r == 1) {
		image.meta.updated_ms = change->now_ms;
		r = write_back(t, id, &image, head);
	}
	unlock(t);
	return r < 0 ? r : 0;
}

static int apply_set(struct record_image *image, struct change *change)
{
	struct value_place place;
	uint64_t expires_ms = 0;
	if (find_value(image, change->name, &place)) {
		expires_ms = place.head.expires_ms;
		cut_value(image, &place);
	}
	image->meta.updates++;
	int r = append_value(image, change->name, change->value, expires_ms);
	return r != 0 ? r : 1;
}

int collection_table_set(struct collection_table *table, const struct collection_id *id, struct slice name,
			 struct slice value, uint64_t now_ms)
{
	if (!name_fits(name) || value.len > COLLECTION_RECORD_BYTES)
		return -E2BIG;
	struct change change = {.apply = apply_set, .makes = true, .name = name, .value = value, .now_ms = now_ms};
	return run_change(table, id, &change);
}

/* The number a text begins with, as atoll() has it but saturating; 0 if none. */
static int64_t leading_number(struct slice text)
{
	size_t i = 0;
	while (i < text.len && byte_is_space(text.ptr[i]))
		i++;
	bool minus = i < text.len && text.ptr[i] == '-';
	if (i < text.len && (text.ptr[i] == '-' || text.ptr[i] == '+'))
		i++;
	int64_t number = 0;
	for (; i < text.len && byte_is_digit(text.ptr[i]); i++) {
		int digit = text.ptr[i] - '0';
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, minus ? -digit : digit, &number))
			return minus ? INT64_MIN : INT64_MAX;
	}
	return number;
}

static int apply_add(struct record_image *image, struct change *change)
{
	struct value_place place;
	uint64_t expires_ms = 0;
	int64_t sum, before = 0;
	if (find_value(image, change->name, &place)) {
		before = leading_number(place.value);
		expires_ms = place.head.expires_ms;
		cut_value(image, &place);
	}
	if (__builtin_add_overflow(before, change->number, &sum))
		sum = change->number < 0 ? INT64_MIN : INT64_MAX;
	char text[24];
	int len = snprintf(text, sizeof(text), "%lld", (long long)sum);
	change->number = sum;
	image->meta.updates++;
	int r = append_value(image, change->name, slice_make(text, (size_t)len), expires_ms);
	return r != 0 ? r : 1;
}

int collection_table_add(struct collection_table *table, const struct collection_id *id, struct slice name,
			 int64_t delta, uint64_t now_ms, int64_t *ret_sum)
{
	if (!name_fits(name))
		return -E2BIG;
	struct change change = {.apply = apply_add, .makes = true, .name = name, .number = delta, .now_ms = now_ms};
	int r = run_change(table, id, &change);
	if (r == 0 && ret_sum != NULL)
		*ret_sum = change.number;
	return r;
}

/* Expiries count milliseconds and 0 stands for none, so a time that has come at once is told as 1. */
static uint64_t expiry_after(uint64_t now_ms, uint32_t seconds)
{
	uint64_t at = now_ms + (uint64_t)seconds * 1000;
	return at == 0 ? 1 : at;
}

static int apply_expire(struct record_image *image, struct change *change)
{
	struct value_place place;
	if (!find_value(image, change->name, &place))
		return 0;
	place.head.expires_ms = expiry_after(change->now_ms, change->seconds);
	memcpy(image->bytes + place.at, &place.head, sizeof(place.head));
	return 1;
}

int collection_table_expire(struct collection_table *table, const struct collection_id *id, struct slice name,
			    uint32_t seconds, uint64_t now_ms)
{
	struct change change = {.apply = apply_expire, .name = name, .seconds = seconds, .now_ms = now_ms};
	return run_change(table, id, &change);
}

static int apply_remove(struct record_image *image, struct change *change)
{
	struct value_place place;
	change->found = find_value(image, change->name, &place);
	if (!change->found)
		return 0;
	cut_value(image, &place);
	return 1;
}

int collection_table_remove(struct collection_table *table, const struct collection_id *id, struct slice name,
			    uint64_t now_ms)
{
	struct change change = {.apply = apply_remove, .name = name, .now_ms = now_ms};
	int r = run_change(table, id, &change);
	return r != 0 ? r : change.found;
}

static int apply_timeout(struct record_image *image, struct change *change)
{
	image->meta.expires_ms = change->seconds == 0 ? 0 : expiry_after(change->now_ms, change->seconds);
	return 1;
}

int collection_table_timeout(struct collection_table *table, const struct collection_id *id, uint32_t seconds,
			     uint64_t now_ms)
{
	struct change change = {.apply = apply_timeout, .makes = true, .seconds = seconds, .now_ms = now_ms};
	return run_change(table, id, &change);
}

static void copy_out(const struct record_image *image, struct collection_snapshot *ret)
{
	size_t from = values_at(image);
	ret->len = image->meta.length - from;
	ret->created_ms = image->meta.created_ms;
	ret->updated_ms = image->meta.updated_ms;
	ret->expires_ms = image->meta.expires_ms;
	ret->updates = image->meta.updates;
	memcpy(ret->bytes, image->bytes + from, ret->len);
}

int collection_table_read(struct collection_table *table, const struct collection_id *id, uint64_t now_ms,
			  struct collection_snapshot *ret_snapshot)
{
	struct record_image image;
	if (!id_fits(id))
		return 0;
	lock(table);
	uint32_t head = find_live(table, id, now_ms, &image);
	if (head != CELL_NONE && region_header(table)->newest != head) {
		region_begin(table);
		region_touch(table, head);
		region_end(table);
	}
	unlock(table);
	if (head == CELL_NONE)
		return 0;
	cut_expired(&image, now_ms);
	copy_out(&image, ret_snapshot);
	return 1;
}

bool collection_snapshot_next(const struct collection_snapshot *snapshot, size_t *cursor, struct slice *ret_name,
			      struct slice *ret_value)
{
	struct value_place place;
	if (snapshot->len > sizeof(snapshot->bytes) || !value_at(snapshot->bytes, snapshot->len, *cursor, &place))
		return false;
	*cursor = place.end;
	*ret_name = place.name;
	*ret_value = place.value;
	return true;
}

struct collection_table_facts collection_table_facts(struct collection_table *table)
{
	lock(table);
	const struct region_header *h = region_header(table);
	struct collection_table_facts facts = {.records = h->records,
					       .cells = table->cells,
					       .cells_free = h->free_count,
					       .evicted = h->evicted,
					       .repairs = h->repairs};
	unlock(table);
	return facts;
}

int collection_table_verify(struct collection_table *table)
{
	lock(table);
	int r = region_verify(table);
	unlock(table);
	return r;
}
