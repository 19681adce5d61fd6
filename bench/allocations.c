/* The process's own malloc stands before libc's for every library, so the calls of Hyperscan and PCRE2 count too. */
#include "allocations.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>

bool allocations_counting;
unsigned long allocations_counted;

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *ptr, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes)
{
	allocations_counted += allocations_counting;
	return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
	allocations_counted += allocations_counting;
	return __libc_calloc(count, bytes);
}

void *realloc(void *ptr, size_t bytes)
{
	allocations_counted += allocations_counting;
	return __libc_realloc(ptr, bytes);
}

void *memalign(size_t alignment, size_t bytes)
{
	allocations_counted += allocations_counting;
	return __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	return memalign(alignment, bytes);
}

int posix_memalign(void **ret_ptr, size_t alignment, size_t bytes)
{
	void *ptr = memalign(alignment, bytes);
	if (ptr == NULL)
		return ENOMEM;
	*ret_ptr = ptr;
	return 0;
}
