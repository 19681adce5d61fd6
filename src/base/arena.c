#include "base/arena.h"

#include <errno.h>
#include <stdlib.h>

enum {
	BLOCK_BYTES = 32 * 1024,
	LASTING_BLOCK_BYTES = 4 * 1024,
};

struct arena_block {
	struct arena_block *next;
	size_t size; /* of data */
	_Alignas(ARENA_ALIGNMENT) uint8_t data[];
};

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

void arena_reset(struct arena *arena)
{
	size_t retained = 0;
	for (struct arena_block **link = &arena->first; *link != NULL;) {
		struct arena_block *block = *link;
		if (retained + block->size > arena->retain_bytes) {
			*link = block->next;
			free(block);
			continue;
		}
		retained += block->size;
		link = &block->next;
	}
	use_block(arena, NULL, 0);
	arena->before_bytes = 0;
	arena->exhausted = false;
}

void arena_destroy(struct arena *arena)
{
	arena->retain_bytes = 0;
	arena_reset(arena);
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

static struct arena_block *block_append(struct arena *arena, size_t bytes)
{
	return block_insert(arena->current == NULL ? &arena->first : &arena->current->next,
			    bytes > arena->block_bytes ? bytes : arena->block_bytes);
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
