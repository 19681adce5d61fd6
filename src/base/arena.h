/*
 * Memory with one lifetime: many allocations, one release. A hard cap makes "too much" an outcome that the caller sees
 * as NULL, never as the kernel's OOM killer. Reset keeps blocks up to `retain_bytes`, so that a warm arena never calls
 * malloc. Not thread-safe: one thread at a time.
 */
#ifndef GUIA_BASE_ARENA_H
#define GUIA_BASE_ARENA_H

#include "base/slice.h"

struct arena_block;
struct arena_reserve;

enum { ARENA_ALIGNMENT = 16 };

struct arena {
	struct arena_block *first; /* owned; in use up to `current`, retained behind it */
	struct arena_block *current;
	uint8_t *at;         /* what is free of the current block, ... */
	uint8_t *end;        /* ... as far as the cap allows */
	uint8_t *from;       /* where it was when the block became the current one, ... */
	size_t before_bytes; /* ... and what had been handed out until then */
	size_t cap_bytes;    /* to be changed only of an arena that was reset */
	size_t retain_bytes;
	size_t block_bytes;
	struct arena_reserve *reserve; /* where blocks come from and go to, before malloc and free; may be NULL */
	bool exhausted;                /* an allocation was refused since the last reset */
};

/* No memory is taken yet. SIZE_MAX / 2 for no cap. */
void arena_init(struct arena *arena, size_t cap_bytes, size_t retain_bytes);

/* For what is made once and kept long, many of them side by side: no cap, and little room is lost in blocks. */
void arena_init_lasting(struct arena *arena);

/* All that was handed out is gone; reset keeps blocks for the next time. */
void arena_reset(struct arena *arena);
void arena_destroy(struct arena *arena);

/*
 * Blocks that the arenas of one thread share: what one needed beyond what it retains serves the next. A reserve begins
 * with some, up to 8 MB each, and goes back to these, half at a time, when the others were of no use for a thousand
 * resets; large ones that were of no use give back their pages. So what one huge request needed does not stay. An arena
 * gives large blocks to it with each reset. 0 or -ENOMEM.
 */
int arena_reserve_create(struct arena_reserve **ret_reserve);
/* The arenas must have been destroyed. NULL is allowed. */
void arena_reserve_free(struct arena_reserve *reserve);
size_t arena_reserve_bytes(const struct arena_reserve *reserve);

/* A block by itself, of so many bytes at least; NULL if there is no memory. What is borrowed is to be returned. */
void *arena_reserve_borrow(struct arena_reserve *reserve, size_t bytes, size_t *ret_bytes)
	__attribute__((warn_unused_result));
void arena_reserve_return(struct arena_reserve *reserve, void *ptr);

/* Handed out since the last reset, in whole multiples of the alignment. */
static inline size_t arena_used_bytes(const struct arena *arena)
{
	return arena->before_bytes + (size_t)(arena->at - arena->from);
}

/* Where the current block does not do. */
void *arena_alloc_more(struct arena *arena, size_t bytes) __attribute__((warn_unused_result));

/* Uninitialised memory aligned to 16 bytes, or NULL when the cap or the machine's memory is reached (`exhausted`). */
static inline __attribute__((warn_unused_result)) void *arena_alloc(struct arena *arena, size_t bytes)
{
	size_t rounded = (bytes + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
	if (rounded == 0 || rounded > (size_t)(arena->end - arena->at))
		return arena_alloc_more(arena, bytes);
	void *ptr = arena->at;
	arena->at += rounded;
	return ptr;
}

/* The same, zeroed; NULL also when count * item_bytes overflows. */
void *arena_zalloc(struct arena *arena, size_t count, size_t item_bytes) __attribute__((warn_unused_result));

/* Gives back the tail of the newest allocation, from `ptr + kept_bytes` on. */
void arena_shrink(struct arena *arena, void *ptr, size_t allocated_bytes, size_t kept_bytes);

/* Makes the newest allocation longer where it stands. False if it is not the newest, or there is no room behind it. */
static inline bool arena_extend(struct arena *arena, const void *ptr, size_t allocated_bytes, size_t wanted_bytes)
{
	size_t allocated = (allocated_bytes + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
	size_t room = (size_t)(arena->end - arena->at);
	if (arena->at == NULL || (const uint8_t *)ptr + allocated != arena->at || wanted_bytes < allocated ||
	    wanted_bytes - allocated > room)
		return false;
	size_t more = (wanted_bytes - allocated + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
	if (more > room)
		return false;
	arena->at += more;
	return true;
}

/*
 * A growing array of any item type: room for one more than `count`, twice as much each time, `first` at first; the old
 * array is left behind. 0, or -ENOMEM with everything untouched.
 */
int arena_grow(struct arena *arena, void **items, size_t *capacity, size_t count, size_t item_bytes, size_t first)
	__attribute__((warn_unused_result));

/* A copy, with a NUL behind it for libc's sake. 0, or -ENOMEM with *ret_copy untouched. */
int arena_copy(struct arena *arena, struct slice s, struct slice *ret_copy);

/* A NUL-terminated copy, or NULL. */
char *arena_string(struct arena *arena, struct slice s);

#endif
