/*
 * What every x_test.c starts from: cmocka, its skips as TAP has them, slices in assertions, and input that ends at an
 * unreadable page.
 */
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

/* What cmocka says is skipped it calls "not ok", of which TAP's readers make a failure. A line at a time. */
static inline ssize_t test_say(void *cookie, const char *text, size_t len)
{
	char line[512];
	unsigned number = 0;
	int name = 0;
	(void)cookie;
	snprintf(line, sizeof(line), "%.*s", (int)len, text);
	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "not ok %u # SKIP %n", &number, &name) == 1 && name > 0) {
		dprintf(STDOUT_FILENO, "ok %u - %s # SKIP\n", number, line + name);
		return (ssize_t)len;
	}
	return write(STDOUT_FILENO, text, len);
}

/* In place of stdout; it lasts as long as the process. */
static inline FILE *test_output(void)
{
	const cookie_io_functions_t functions = {.write = test_say};
	FILE *output = fopencookie(NULL, "w", functions);
	if (output == NULL || setvbuf(output, NULL, _IOLBF, BUFSIZ) != 0)
		abort();
	return output;
}

#define TEST_MAIN(...)                                                                                                 \
	int main(void)                                                                                                 \
	{                                                                                                              \
		const struct CMUnitTest unit_tests[] = {__VA_ARGS__};                                                  \
		stdout = test_output();                                                                                \
		return cmocka_run_group_tests(unit_tests, NULL, NULL);                                                 \
	}

#endif
