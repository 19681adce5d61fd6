/* What every x_test.c starts from: cmocka, slices in assertions, and input that ends at an unreadable page. */
#ifndef GUIA_BASE_TEST_H
#define GUIA_BASE_TEST_H

#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* cmocka's own header needs those above. */
#include <cmocka.h>

#define assert_slice(actual, literal)                                                                                  \
	do {                                                                                                           \
		struct slice actual_ = (actual);                                                                       \
		struct slice expected_ = SLICE(literal);                                                               \
		if (!slice_equal(actual_, expected_))                                                                  \
			fail_msg("got [%.*s] (%zu), expected [%.*s] (%zu)", SLICE_ARG(actual_), actual_.len,           \
				 SLICE_ARG(expected_), expected_.len);                                                 \
	} while (0)

/* A copy of `s` whose last byte is the last of a readable page: an over-read crashes. Up to 1 MiB; never freed. */
static inline struct slice test_fenced(struct slice s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t readable = (s.len + page) / page * page;
	uint8_t *map = mmap(NULL, readable + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(map != MAP_FAILED);
	assert_int_equal(mprotect(map + readable, page, PROT_NONE), 0);
	uint8_t *copy = map + readable - s.len;
	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	return slice_make(copy, s.len);
}

#define TEST_MAIN(...)                                                                                                 \
	int main(void)                                                                                                 \
	{                                                                                                              \
		const struct CMUnitTest unit_tests[] = {__VA_ARGS__};                                                  \
		return cmocka_run_group_tests(unit_tests, NULL, NULL);                                                 \
	}

#endif
