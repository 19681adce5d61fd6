#include "base/arena.h"

#include <errno.h>
#include <stdlib.h>

enum {
	ALIGNMENT = 16,
	BLOCK_BYTES = 32 * 1024,
};

struct arena_block {
	struct arena_block *next;
	size_t size; /* of data */
	size_t used;
	_Alignas(ALIGNMENT) uint8_t data[];
};

void arena_init(struct arena *arena, size_t cap_bytes, size_t retain_bytes)
{
	*arena = (struct arena){.cap_bytes = cap_bytes, .retain_bytes = retain_bytes};
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
		block->used = 0;
		link = &block->next;
	}
	arena->current = arena->first;
	arena->used_bytes = 0;
	arena->exhausted = false;
}

void arena_destroy(struct arena *arena)
{
	arena->retain_bytes = 0;
	arena_reset(arena);
}

static struct arena_block *block_append(struct arena *arena, size_t bytes)
{
	size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
	struct arena_block *block = malloc(sizeof(*block) + size);
	if (block == NULL)
		return NULL;
	struct arena_block **link = arena->current == NULL ? &arena->first : &arena->current->next;
	*block = (struct arena_block){.next = *link, .size = size};
	*link = block;
	return block;
}

/* The current block, a retained one behind it, or a new one, whichever first has room. */
static struct arena_block *block_with_room(struct arena *arena, size_t bytes)
{
	struct arena_block *block = arena->current;
	if (block != NULL && block->size - block->used >= bytes)
		return block;
	struct arena_block *next = block == NULL ? arena->first : block->next;
	if (next == NULL || next->size < bytes)
		next = block_append(arena, bytes);
	if (next != NULL)
		arena->current = next;
	return next;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	size_t rounded = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (rounded < bytes || rounded > arena->cap_bytes - arena->used_bytes) {
		arena->exhausted = true;
		return NULL;
	}
	struct arena_block *block = block_with_room(arena, rounded);
	if (block == NULL) {
		arena->exhausted = true;
		return NULL;
	}
	void *ptr = block->data + block->used;
	block->used += rounded;
	arena->used_bytes += rounded;
	return ptr;
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
	size_t allocated = (allocated_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	size_t kept = (kept_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	struct arena_block *block = arena->current;
	if (block == NULL || (uint8_t *)ptr + allocated != block->data + block->used || kept >= allocated)
		return;
	block->used -= allocated - kept;
	arena->used_bytes -= allocated - kept;
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
