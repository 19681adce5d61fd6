/*
 * Look-ups, then changes, then repair, in two passes: heads that hold, the newest form of each record, go back into
 * their buckets; then the free list is made anew, and the order of use by a merge sort in the links themselves.
 */
#include "wire/collection_region.h"

#include "base/error.h"

#include <stddef.h>
#include <string.h>

static const uint8_t magic[8] = {'G', 'U', 'I', 'A', 'C', 'O', 'L', 'L'};

/* Stores before it are in memory before those after it, whatever instruction the process dies at. */
static inline void order_stores(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void region_begin(struct collection_table *t)
{
	__atomic_store_n(&region_header(t)->changing, 1, __ATOMIC_SEQ_CST);
	order_stores();
}

void region_end(struct collection_table *t)
{
	order_stores();
	__atomic_store_n(&region_header(t)->changing, 0, __ATOMIC_SEQ_CST);
}

void region_measure(struct collection_table *t, size_t bytes)
{
	size_t room = bytes - CELL_BYTES;
	t->bytes = bytes;
	t->cells = (uint32_t)(room / (CELL_BYTES + sizeof(uint32_t)));
	t->buckets = t->cells;
}

static uint64_t header_check(const struct region_header *h)
{
	static const struct hash_key fixed = {0x67756961, 0x636f6c6c};
	return hash_bytes(&fixed, slice_make(h, offsetof(struct region_header, check)));
}

bool region_header_valid(const struct collection_table *t)
{
	const struct region_header *h = region_header(t);
	return memcmp(h->magic, magic, sizeof(magic)) == 0 && h->version == REGION_VERSION &&
	       h->cell_bytes == CELL_BYTES && h->buckets == t->buckets && h->cells == t->cells &&
	       h->bytes == t->bytes && h->check == header_check(h);
}

void region_format(struct collection_table *t)
{
	struct region_header *h = region_header(t);
	memset(h, 0, sizeof(*h)); /* without magic it is no table, should we die on the way */
	order_stores();
	for (uint32_t i = 1; i <= t->cells; i++)
		region_cell(t, i)->state = CELL_FREE;
	h->version = REGION_VERSION;
	h->cell_bytes = CELL_BYTES;
	h->buckets = t->buckets;
	h->cells = t->cells;
	h->bytes = t->bytes;
	h->seed = hash_key_random();
	h->changing = 1;
	order_stores();
	memcpy(h->magic, magic, sizeof(magic));
	h->check = header_check(h);
	region_repair(t);
}

/* The seed is secret: clients choose keys, and must not be able to make them meet in one bucket. */
static uint32_t hash_of(const struct collection_table *t, uint32_t collection, struct slice site, struct slice key)
{
	const struct hash_key *seed = &region_header(t)->seed;
	uint64_t h = 961 * (uint64_t)collection;
	h += key.len > 0 ? hash_bytes(seed, key) : 0;
	h += site.len > 0 ? 31 * hash_bytes(seed, site) : 0;
	return (uint32_t)(h ^ h >> 32);
}

static uint64_t checksum(const struct collection_table *t, const struct record_image *image)
{
	return hash_bytes(&region_header(t)->seed, slice_make(image, sizeof(image->meta) + image->meta.length));
}

static uint32_t cells_needed(uint32_t length)
{
	return length <= HEAD_DATA_BYTES ? 1 : 1 + (length - HEAD_DATA_BYTES + MORE_DATA_BYTES - 1) / MORE_DATA_BYTES;
}

static struct slice image_site(const struct record_image *image)
{
	return slice_make(image->bytes, image->meta.site_len);
}

static struct slice image_key(const struct record_image *image)
{
	return slice_make(image->bytes + image->meta.site_len, image->meta.key_len);
}

/* Gathers a record. False if a link or length cannot be. */
static bool gather(const struct collection_table *t, uint32_t head, struct record_image *ret_image)
{
	const struct cell *c = region_cell(t, head);
	ret_image->meta = c->meta;
	uint32_t length = c->meta.length;
	if (length > COLLECTION_RECORD_BYTES || (uint32_t)c->meta.site_len + c->meta.key_len > length)
		return false;
	uint32_t at = length < HEAD_DATA_BYTES ? length : HEAD_DATA_BYTES;
	memcpy(ret_image->bytes, c->data, at);
	for (uint32_t next = c->next; at < length; next = c->next) {
		c = region_cell(t, next);
		if (c == NULL || c->state != CELL_MORE || c->owner != head ||
		    c->generation != (uint32_t)ret_image->meta.generation)
			return false;
		uint32_t part = length - at < MORE_DATA_BYTES ? length - at : MORE_DATA_BYTES;
		memcpy(ret_image->bytes + at, c->more, part);
		at += part;
	}
	return true;
}

static bool same_record(const struct record_image *image, uint32_t collection, struct slice site, struct slice key)
{
	return image->meta.collection == collection && slice_equal(image_site(image), site) &&
	       slice_equal(image_key(image), key);
}

/* As region_find(), but tells of a bad link by *ret_sound. */
static uint32_t look_up(struct collection_table *t, const struct collection_id *id, struct record_image *ret_image,
			bool *ret_sound)
{
	uint32_t hash = hash_of(t, id->collection, id->site, id->key);
	uint32_t at = region_buckets(t)[hash % t->buckets];
	for (uint32_t steps = 0; at != CELL_NONE; steps++) {
		const struct cell *c = region_cell(t, at);
		*ret_sound = c != NULL && c->state == CELL_HEAD && steps < t->cells;
		if (*ret_sound && c->hash == hash) {
			*ret_sound = gather(t, at, ret_image);
			if (*ret_sound && same_record(ret_image, id->collection, id->site, id->key))
				return at;
		}
		if (!*ret_sound)
			return CELL_NONE;
		at = c->chain;
	}
	return CELL_NONE;
}

uint32_t region_find(struct collection_table *t, const struct collection_id *id, struct record_image *ret_image)
{
	bool sound = true;
	uint32_t head = look_up(t, id, ret_image, &sound);
	if (sound)
		return head;
	region_repair(t);
	region_header(t)->repairs++;
	return look_up(t, id, ret_image, &sound);
}

static void used_unlink(struct collection_table *t, struct cell *c)
{
	struct region_header *h = region_header(t);
	struct cell *newer = region_cell(t, c->newer), *older = region_cell(t, c->older);
	*(newer != NULL ? &newer->older : &h->newest) = c->older;
	*(older != NULL ? &older->newer : &h->oldest) = c->newer;
}

static void used_link(struct collection_table *t, uint32_t head)
{
	struct region_header *h = region_header(t);
	struct cell *c = region_cell(t, head), *second = region_cell(t, h->newest);
	c->newer = CELL_NONE;
	c->older = h->newest;
	c->used = ++h->tick;
	*(second != NULL ? &second->newer : &h->oldest) = head;
	h->newest = head;
}

void region_touch(struct collection_table *t, uint32_t head)
{
	used_unlink(t, region_cell(t, head));
	used_link(t, head);
}

static void chain_unlink(struct collection_table *t, uint32_t head)
{
	struct cell *c = region_cell(t, head);
	uint32_t *link = &region_buckets(t)[c->hash % t->buckets];
	for (uint32_t steps = 0; steps <= t->cells; steps++) {
		struct cell *at = region_cell(t, *link);
		if (*link == head)
			*link = c->chain;
		if (at == NULL || at == c)
			return;
		link = &at->chain;
	}
}

static void chain_link(struct collection_table *t, uint32_t head)
{
	struct cell *c = region_cell(t, head);
	uint32_t *first = &region_buckets(t)[c->hash % t->buckets];
	c->chain = *first;
	*first = head;
}

static void cell_release(struct collection_table *t, uint32_t number)
{
	struct region_header *h = region_header(t);
	struct cell *c = region_cell(t, number);
	c->state = CELL_FREE;
	c->next = h->free_first;
	h->free_first = number;
	h->free_count++;
}

static uint32_t cell_take(struct collection_table *t)
{
	struct region_header *h = region_header(t);
	uint32_t number = h->free_first;
	struct cell *c = region_cell(t, number);
	if (c == NULL)
		return CELL_NONE;
	h->free_first = c->next;
	h->free_count--;
	return number;
}

void region_remove(struct collection_table *t, uint32_t head)
{
	struct cell *c = region_cell(t, head);
	uint32_t more = cells_needed(c->meta.length) > 1 ? c->next : CELL_NONE;
	uint32_t left = cells_needed(c->meta.length) - 1;
	c->state = CELL_FREE; /* from here on it is gone, whatever happens to us */
	order_stores();
	chain_unlink(t, head);
	used_unlink(t, c);
	region_header(t)->records--;
	cell_release(t, head);
	for (; left > 0; left--) {
		struct cell *m = region_cell(t, more);
		if (m == NULL)
			return;
		uint32_t next = m->next;
		cell_release(t, more);
		more = next;
	}
}

/* Frees `needed` cells, the least recently used records going first. False if links are bad. */
static bool make_room(struct collection_table *t, uint32_t needed)
{
	struct region_header *h = region_header(t);
	while (h->free_count < needed) {
		if (region_cell(t, h->oldest) == NULL)
			return false;
		region_remove(t, h->oldest);
		h->evicted++;
	}
	return true;
}

/* Fills free cells behind the head with what does not fit into it. */
static bool spread(struct collection_table *t, const struct record_image *image, uint32_t head)
{
	struct cell *c = region_cell(t, head);
	uint32_t length = image->meta.length, at = length < HEAD_DATA_BYTES ? length : HEAD_DATA_BYTES;
	memcpy(c->data, image->bytes, at);
	c->next = CELL_NONE;
	while (at < length) {
		uint32_t number = cell_take(t);
		struct cell *m = region_cell(t, number);
		if (m == NULL)
			return false;
		uint32_t part = length - at < MORE_DATA_BYTES ? length - at : MORE_DATA_BYTES;
		m->owner = head;
		m->generation = (uint32_t)image->meta.generation;
		m->next = CELL_NONE;
		m->state = CELL_MORE;
		memcpy(m->more, image->bytes + at, part);
		c->next = number;
		c = m;
		at += part;
	}
	return true;
}

bool region_write(struct collection_table *t, struct record_image *image, uint32_t old)
{
	struct region_header *h = region_header(t);
	image->meta.generation = ++h->tick;
	if (old != CELL_NONE)
		region_touch(t, old); /* lest it be what goes to make room */
	uint32_t head = make_room(t, cells_needed(image->meta.length)) ? cell_take(t) : CELL_NONE;
	struct cell *c = region_cell(t, head);
	if (c == NULL || !spread(t, image, head)) {
		region_repair(t);
		h->repairs++;
		region_begin(t);
		return false;
	}
	c->meta = image->meta;
	c->hash = hash_of(t, image->meta.collection, image_site(image), image_key(image));
	c->checksum = checksum(t, image);
	order_stores();
	c->state = CELL_HEAD; /* from here on it is valid */
	order_stores();
	chain_link(t, head);
	used_link(t, head);
	h->records++;
	if (old != CELL_NONE)
		region_remove(t, old);
	return true;
}

/* Whether a head cell's record holds; its content goes to *ret_image. */
static bool record_holds(const struct collection_table *t, uint32_t head, struct record_image *ret_image)
{
	const struct cell *c = region_cell(t, head);
	return gather(t, head, ret_image) && c->checksum == checksum(t, ret_image) &&
	       c->hash == hash_of(t, ret_image->meta.collection, image_site(ret_image), image_key(ret_image));
}

/* Another valid form of the record in its bucket, or CELL_NONE. */
static uint32_t find_twin(const struct collection_table *t, uint32_t head, const struct record_image *image)
{
	struct record_image other;
	const struct cell *c = region_cell(t, head);
	uint32_t at = region_buckets(t)[c->hash % t->buckets];
	for (; at != CELL_NONE; at = region_cell(t, at)->chain)
		if (region_cell(t, at)->hash == c->hash && gather(t, at, &other) &&
		    same_record(&other, image->meta.collection, image_site(image), image_key(image)))
			return at;
	return CELL_NONE;
}

/* First pass: head cells that hold, the newest form of each, into buckets. All others become free. */
static void repair_heads(struct collection_table *t)
{
	struct region_header *h = region_header(t);
	struct record_image image;
	memset(region_buckets(t), 0, (size_t)t->buckets * sizeof(uint32_t));
	for (uint32_t i = 1; i <= t->cells; i++) {
		struct cell *c = region_cell(t, i);
		if (c->state != CELL_HEAD)
			continue;
		if (!record_holds(t, i, &image)) {
			c->state = CELL_FREE;
			continue;
		}
		uint32_t twin = find_twin(t, i, &image);
		struct cell *other = region_cell(t, twin);
		if (other != NULL && other->meta.generation > c->meta.generation) {
			c->state = CELL_FREE;
			continue;
		}
		if (other != NULL) {
			other->state = CELL_FREE;
			chain_unlink(t, twin);
		}
		chain_link(t, i);
		h->tick = c->meta.generation > h->tick ? c->meta.generation : h->tick;
		h->tick = c->used > h->tick ? c->used : h->tick;
	}
}

static bool more_is_owned(const struct collection_table *t, const struct cell *c)
{
	const struct cell *owner = region_cell(t, c->owner);
	return c->state == CELL_MORE && owner != NULL && owner->state == CELL_HEAD &&
	       (uint32_t)owner->meta.generation == c->generation;
}

/* Merges two lists, linked by `older`, the most recently used first. */
static uint32_t merge_used(struct collection_table *t, uint32_t a, uint32_t b)
{
	uint32_t first = CELL_NONE, *link = &first;
	while (a != CELL_NONE && b != CELL_NONE) {
		uint32_t *take = region_cell(t, a)->used >= region_cell(t, b)->used ? &a : &b;
		*link = *take;
		link = &region_cell(t, *take)->older;
		*take = *link;
	}
	*link = a != CELL_NONE ? a : b;
	return first;
}

/*
 * Walks the sorted list: links back, and ticks that bytes gone bad have made equal are set apart, as no two uses have
 * the same.
 */
static void order_ticks(struct collection_table *t)
{
	struct region_header *h = region_header(t);
	uint64_t below = 0;
	uint32_t newer = CELL_NONE;
	for (uint32_t i = h->newest; i != CELL_NONE; newer = i, i = region_cell(t, i)->older) {
		region_cell(t, i)->newer = newer;
		h->oldest = i;
	}
	for (uint32_t i = h->oldest; i != CELL_NONE; i = region_cell(t, i)->newer) {
		struct cell *c = region_cell(t, i);
		c->used = c->used > below ? c->used : below + 1;
		below = c->used;
	}
	h->tick = below > h->tick ? below : h->tick;
}

/* Second pass: the free list and the order of use; a merge sort that needs no memory but 32 lists' beginnings. */
static void repair_lists(struct collection_table *t)
{
	struct region_header *h = region_header(t);
	uint32_t sorted[33] = {CELL_NONE};
	h->free_first = h->newest = h->oldest = CELL_NONE;
	h->free_count = h->records = 0;
	for (uint32_t i = t->cells; i >= 1; i--) {
		struct cell *c = region_cell(t, i);
		if (c->state != CELL_HEAD) {
			if (!more_is_owned(t, c))
				cell_release(t, i);
			continue;
		}
		h->records++;
		c->older = CELL_NONE;
		uint32_t list = i, size = 0;
		for (; sorted[size] != CELL_NONE; size++) {
			list = merge_used(t, sorted[size], list);
			sorted[size] = CELL_NONE;
		}
		sorted[size] = list;
	}
	for (uint32_t size = 0; size < 33; size++)
		h->newest = merge_used(t, sorted[size], h->newest);
	order_ticks(t);
}

void region_repair(struct collection_table *t)
{
	region_begin(t); /* dying in here leaves it to the next */
	repair_heads(t);
	repair_lists(t);
	region_end(t);
}

/* The cells of the free list, or SIZE_MAX if it is bad. */
static size_t count_free(const struct collection_table *t)
{
	size_t count = 0;
	for (uint32_t at = region_header(t)->free_first; at != CELL_NONE; at = region_cell(t, at)->next)
		if (region_cell(t, at) == NULL || region_cell(t, at)->state != CELL_FREE || ++count > t->cells)
			return SIZE_MAX;
	return count;
}

static size_t count_used(const struct collection_table *t)
{
	size_t count = 0;
	uint32_t newer = CELL_NONE;
	uint64_t used = UINT64_MAX;
	for (uint32_t at = region_header(t)->newest; at != CELL_NONE; at = region_cell(t, at)->older) {
		const struct cell *c = region_cell(t, at);
		if (c == NULL || c->state != CELL_HEAD || c->newer != newer || c->used >= used || ++count > t->cells)
			return SIZE_MAX;
		newer = at;
		used = c->used;
	}
	return newer == region_header(t)->oldest ? count : SIZE_MAX;
}

/* The records of the buckets, each checked, and their cells added to *cells. */
static size_t count_chained(const struct collection_table *t, size_t *cells)
{
	size_t count = 0;
	struct record_image image;
	for (uint32_t b = 0; b < t->buckets; b++) {
		for (uint32_t at = region_buckets(t)[b]; at != CELL_NONE; at = region_cell(t, at)->chain) {
			const struct cell *c = region_cell(t, at);
			if (c == NULL || c->state != CELL_HEAD || c->hash % t->buckets != b || ++count > t->cells ||
			    !record_holds(t, at, &image))
				return SIZE_MAX;
			*cells += cells_needed(c->meta.length);
		}
	}
	return count;
}

int region_verify(const struct collection_table *t)
{
	const struct region_header *h = region_header(t);
	size_t cells = 0, records = count_chained(t, &cells);
	bool sound = region_header_valid(t) && records == h->records && count_used(t) == records &&
		     count_free(t) == h->free_count && cells + h->free_count == t->cells && h->changing == 0;
	return sound ? 0 : -EBADMSG;
}
