/*
 * A list of blocks, and a pointer that moves through the current one; arena_alloc_more() finds or makes the next. A
 * reserve keeps blocks on shelves, each twice as large as those of the shelf before; what lay unused for a whole window
 * of resets goes by halves. The larger ones that it begins with are mappings: they stay, and give back their pages.
 */
#include "base/arena.h"

#include "base/region.h"

#include <errno.h>
#include <stdlib.h>

enum {
	BLOCK_BYTES = 32 * 1024,
	LASTING_BLOCK_BYTES = 4 * 1024,
	SHELVES = 9,
	MAPPED_SHELF = 3, /* from here on a reserve's first blocks are mappings, which can give back their pages */
	RESERVE_MOST_BYTES = 96 * 1024 * 1024,
	RESERVE_WINDOW_RESETS = 1024,
};

struct arena_block {
	struct arena_block *next;
	size_t size;  /* of data */
	bool mapped;  /* of the first of a reserve: it stays as long as that */
	bool touched; /* it has pages */
	_Alignas(ARENA_ALIGNMENT) uint8_t data[];
};

/* Blocks of one size. */
struct shelf {
	struct arena_block *first;
	size_t count;
	size_t least; /* that lay here at any time in this window */
};

/* Shelf k is for blocks of BLOCK_BYTES << k. */
struct arena_reserve {
	struct shelf shelves[SHELVES];
	size_t bytes;
	size_t resets; /* in this window */
};

/*
 * Of each size at the beginning: pages that nobody touches cost nothing. The largest are for long values, of which a
 * request that is looked at closely holds some ten forms.
 */
static const uint8_t reserve_counts[SHELVES] = {48, 8, 4, 8, 8, 8, 12, 2, 2};

static void use_block(struct arena *arena, struct arena_block *block, size_t bytes)
{
	arena->current = block;
	arena->at = arena->from = block == NULL ? NULL : block->data;
	arena->end = block == NULL ? NULL : block->data + bytes;
}

void arena_init(struct arena *arena, size_t cap_bytes, size_t retain_bytes)
{
	*arena = (struct arena){.cap_bytes = cap_bytes, .retain_bytes = retain_bytes, .block_bytes = BLOCK_BYTES};
}

void arena_init_lasting(struct arena *arena)
{
	*arena = (struct arena){.cap_bytes = SIZE_MAX / 2, .block_bytes = LASTING_BLOCK_BYTES};
}

static struct arena_block *block_insert(struct arena_block **link, size_t size)
{
	struct arena_block *block = malloc(sizeof(*block) + size);
	if (block == NULL)
		return NULL;
	*block = (struct arena_block){.next = *link, .size = size};
	*link = block;
	return block;
}

static size_t shelf_for(size_t bytes)
{
	size_t shelf = 0;
	while (shelf < SHELVES && (size_t)BLOCK_BYTES << shelf < bytes)
		shelf++;
	return shelf;
}

static void block_free(struct arena_block *block)
{
	struct region region = {(uint8_t *)block, sizeof(*block) + block->size};
	if (block->mapped)
		region_unmap(&region);
	else
		free(block);
}

/* Its pages go; the head, on the first, stays. */
static void block_cool(struct arena_block *block)
{
	struct region region = {(uint8_t *)block, sizeof(*block) + block->size};
	if (block->touched)
		region_give_back(&region, slice_make(block->data, block->size));
	block->touched = false;
}

static struct arena_block *reserve_take(struct arena_reserve *reserve, struct shelf *shelf)
{
	struct arena_block *block = shelf->first;
	if (block == NULL)
		return NULL;
	shelf->first = block->next;
	shelf->count--;
	block->touched = true;
	if (shelf->count < shelf->least)
		shelf->least = shelf->count;
	reserve->bytes -= block->size;
	return block;
}

static void reserve_put(struct arena_reserve *reserve, struct arena_block *block)
{
	size_t shelf = shelf_for(block->size);
	if (shelf == SHELVES || (!block->mapped && reserve->bytes + block->size > RESERVE_MOST_BYTES)) {
		free(block);
		return;
	}
	block->next = reserve->shelves[shelf].first;
	reserve->shelves[shelf].first = block;
	reserve->shelves[shelf].count++;
	reserve->bytes += block->size;
}

/* Of blocks that lay idle for a window: half of those beyond the first, rounded up, and the pages of the first. */
static void shelf_shrink(struct arena_reserve *reserve, struct shelf *shelf, size_t first_count)
{
	struct arena_block **link = &shelf->first;
	for (size_t busy = shelf->count - shelf->least; busy > 0; busy--)
		link = &(*link)->next;
	size_t extra = shelf->count > first_count ? shelf->count - first_count : 0;
	size_t goes = (shelf->least + 1) / 2 < extra ? (shelf->least + 1) / 2 : extra;
	while (*link != NULL) {
		struct arena_block *block = *link;
		if (block->mapped) {
			block_cool(block);
		} else if (goes > 0) {
			*link = block->next;
			goes--;
			shelf->count--;
			reserve->bytes -= block->size;
			free(block);
			continue;
		}
		link = &block->next;
	}
	shelf->least = shelf->count;
}

static void reserve_shrink(struct arena_reserve *reserve)
{
	reserve->resets = 0;
	for (size_t i = 0; i < SHELVES; i++)
		shelf_shrink(reserve, &reserve->shelves[i], reserve_counts[i]);
}

static struct arena_block *first_block(size_t shelf)
{
	size_t size = (size_t)BLOCK_BYTES << shelf;
	struct arena_block *block = NULL;
	struct region region;
	if (shelf < MAPPED_SHELF)
		block = malloc(sizeof(*block) + size);
	else if (region_map(sizeof(*block) + size, &region) == 0)
		block = (struct arena_block *)(void *)region.ptr;
	if (block != NULL)
		*block = (struct arena_block){.size = size, .mapped = shelf >= MAPPED_SHELF};
	return block;
}

int arena_reserve_create(struct arena_reserve **ret_reserve)
{
	struct arena_reserve *reserve = calloc(1, sizeof(*reserve));
	if (reserve == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < SHELVES; i++) {
		for (size_t j = 0; j < reserve_counts[i]; j++) {
			struct arena_block *block = first_block(i);
			if (block == NULL) {
				arena_reserve_free(reserve);
				return -ENOMEM;
			}
			reserve_put(reserve, block);
		}
	}
	*ret_reserve = reserve;
	return 0;
}

void arena_reserve_free(struct arena_reserve *reserve)
{
	if (reserve == NULL)
		return;
	for (size_t i = 0; i < SHELVES; i++)
		while (reserve->shelves[i].first != NULL)
			block_free(reserve_take(reserve, &reserve->shelves[i]));
	free(reserve);
}

size_t arena_reserve_bytes(const struct arena_reserve *reserve)
{
	return reserve->bytes;
}

void *arena_reserve_borrow(struct arena_reserve *reserve, size_t bytes, size_t *ret_bytes)
{
	size_t shelf = shelf_for(bytes);
	size_t size = shelf == SHELVES ? bytes : (size_t)BLOCK_BYTES << shelf;
	struct arena_block *block = shelf == SHELVES ? NULL : reserve_take(reserve, &reserve->shelves[shelf]);
	if (block == NULL) {
		struct arena_block *list = NULL;
		block = block_insert(&list, size);
	}
	if (block == NULL)
		return NULL;
	*ret_bytes = size;
	return block->data;
}

void arena_reserve_return(struct arena_reserve *reserve, void *ptr)
{
	reserve_put(reserve, (struct arena_block *)(void *)((uint8_t *)ptr - offsetof(struct arena_block, data)));
}

static bool is_retained(const struct arena *arena, const struct arena_block *block, size_t retained)
{
	return retained + block->size <= arena->retain_bytes && (arena->reserve == NULL || block->size <= BLOCK_BYTES);
}

static void release(struct arena *arena, struct arena_block *block)
{
	if (arena->reserve != NULL)
		reserve_put(arena->reserve, block);
	else
		block_free(block);
}

void arena_reset(struct arena *arena)
{
	size_t retained = 0;
	for (struct arena_block **link = &arena->first; *link != NULL;) {
		struct arena_block *block = *link;
		if (!is_retained(arena, block, retained)) {
			*link = block->next;
			release(arena, block);
			continue;
		}
		retained += block->size;
		link = &block->next;
	}
	if (arena->reserve != NULL && ++arena->reserve->resets == RESERVE_WINDOW_RESETS)
		reserve_shrink(arena->reserve);
	use_block(arena, NULL, 0);
	arena->before_bytes = 0;
	arena->exhausted = false;
}

void arena_destroy(struct arena *arena)
{
	arena->retain_bytes = 0;
	arena->reserve = NULL;
	arena_reset(arena);
}

static struct arena_block *block_append(struct arena *arena, size_t bytes)
{
	struct arena_block **link = arena->current == NULL ? &arena->first : &arena->current->next;
	size_t shelf = arena->reserve == NULL ? SHELVES : shelf_for(bytes);
	if (shelf == SHELVES)
		return block_insert(link, bytes > arena->block_bytes ? bytes : arena->block_bytes);
	struct arena_block *block = reserve_take(arena->reserve, &arena->reserve->shelves[shelf]);
	if (block == NULL)
		return block_insert(link, (size_t)BLOCK_BYTES << shelf);
	block->next = *link;
	*link = block;
	return block;
}

/* A large thing in a lasting arena has a block to itself, and what is left of the current one serves small things. */
static bool is_apart(const struct arena *arena, size_t bytes)
{
	return arena->block_bytes == LASTING_BLOCK_BYTES && bytes > LASTING_BLOCK_BYTES / 8 && arena->current != NULL;
}

static void *alloc_apart(struct arena *arena, size_t bytes)
{
	struct arena_block *block = block_insert(&arena->first, bytes);
	arena->exhausted |= block == NULL;
	if (block == NULL)
		return NULL;
	arena->before_bytes += bytes;
	return block->data;
}

void *arena_alloc_more(struct arena *arena, size_t bytes)
{
	size_t rounded = (bytes + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
	size_t used = arena_used_bytes(arena);
	size_t left = (arena->cap_bytes - used) & ~(size_t)(ARENA_ALIGNMENT - 1);
	if (rounded < bytes || rounded > left) {
		arena->exhausted = true;
		return NULL;
	}
	if (rounded == 0 && arena->at != NULL)
		return arena->at;
	if (is_apart(arena, rounded))
		return alloc_apart(arena, rounded);
	struct arena_block *block = arena->current == NULL ? arena->first : arena->current->next;
	if (block == NULL || block->size < rounded)
		block = block_append(arena, rounded);
	if (block == NULL) {
		arena->exhausted = true;
		return NULL;
	}
	use_block(arena, block, block->size < left ? block->size : left);
	arena->before_bytes = used;
	arena->at += rounded;
	return block->data;
}

void *arena_zalloc(struct arena *arena, size_t count, size_t item_bytes)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, item_bytes, &bytes)) {
		arena->exhausted = true;
		return NULL;
	}
	void *ptr = arena_alloc(arena, bytes);
	if (ptr != NULL)
		memset(ptr, 0, bytes);
	return ptr;
}

int arena_grow(struct arena *arena, void **items, size_t *capacity, size_t count, size_t item_bytes, size_t first)
{
	size_t wanted = *capacity == 0 ? first : *capacity * 2, bytes;
	if (count < *capacity)
		return 0;
	void *grown = __builtin_mul_overflow(wanted, item_bytes, &bytes) ? NULL : arena_alloc(arena, bytes);
	if (grown == NULL)
		return -ENOMEM;
	if (count > 0)
		memcpy(grown, *items, count * item_bytes);
	*items = grown;
	*capacity = wanted;
	return 0;
}

void arena_shrink(struct arena *arena, void *ptr, size_t allocated_bytes, size_t kept_bytes)
{
	size_t allocated = (allocated_bytes + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
	size_t kept = (kept_bytes + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
	if (kept < allocated && (uint8_t *)ptr + allocated == arena->at)
		arena->at -= allocated - kept;
}

int arena_copy(struct arena *arena, struct slice s, struct slice *ret_copy)
{
	char *copy = arena_string(arena, s);
	if (copy == NULL)
		return -ENOMEM;
	*ret_copy = slice_make(copy, s.len);
	return 0;
}

char *arena_string(struct arena *arena, struct slice s)
{
	char *copy = s.len + 1 == 0 ? NULL : arena_alloc(arena, s.len + 1);
	if (copy == NULL)
		return NULL;
	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	return copy;
}
