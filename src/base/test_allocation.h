/*
 * The n-th allocation fails: a test that includes this has malloc, calloc and realloc of its own. Where they cannot be
 * had (a sanitizer) TEST_ALLOCATIONS is 0 and such tests are left out. What is tested may have threads of its own.
 */
#ifndef GUIA_BASE_TEST_ALLOCATION_H
#define GUIA_BASE_TEST_ALLOCATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define TEST_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_ALLOCATIONS 0
#endif
#endif
#ifndef TEST_ALLOCATIONS
#define TEST_ALLOCATIONS 1
#endif

static atomic_long test_allocations_left = -1; /* until one fails; negative: none does */

#if TEST_ALLOCATIONS
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *ptr, size_t bytes);
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *ptr, size_t bytes);

static bool test_allocation_fails(void)
{
	return atomic_load(&test_allocations_left) >= 0 && atomic_fetch_sub(&test_allocations_left, 1) == 0;
}

__attribute__((visibility("default"))) void *malloc(size_t bytes)
{
	return test_allocation_fails() ? NULL : __libc_malloc(bytes);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t bytes)
{
	return test_allocation_fails() ? NULL : __libc_calloc(count, bytes);
}

__attribute__((visibility("default"))) void *realloc(void *ptr, size_t bytes)
{
	return test_allocation_fails() ? NULL : __libc_realloc(ptr, bytes);
}
#endif

/* From here on `left` allocations succeed, then one fails. */
static inline void test_allocations_begin(long left)
{
	atomic_store(&test_allocations_left, left);
}

/* All succeed again. Whether none had failed. */
static inline bool test_allocations_end(void)
{
	return atomic_exchange(&test_allocations_left, -1) >= 0;
}

static inline bool test_allocations_fail(void)
{
	void *(*volatile allocate)(size_t) = malloc;
	test_allocations_begin(0);
	void *probe = allocate(1);
	(void)test_allocations_end();
	free(probe);
	return probe == NULL;
}

#endif
