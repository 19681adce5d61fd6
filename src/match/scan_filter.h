/*
 * Whether a value can hold any of many literals, and where, told for sixteen places at a time: of each literal the five
 * bytes in a row that are rarest in plain text are kept as two times four in a Bloom filter (Bloom 1970; its bits in
 * one word, after Putze et al. 2007). Wherever the literal stands, one of the two begins at an even place of the value:
 * a value that has none there has none of the literals. Those of three and four bytes are few and have a filter of
 * three bytes for themselves, asked at each place, which is small enough to stand in registers.
 */
#ifndef GUIA_MATCH_SCAN_FILTER_H
#define GUIA_MATCH_SCAN_FILTER_H

#include "base/slice.h"

enum {
	SCAN_FILTER_BYTES = 3, /* shorter literals cannot be added */
	SCAN_FILTER_SAMPLE_BYTES = 256,
	SCAN_FILTER_VALUE_BYTES = 256, /* for longer values it is not worth asking whether there is any */
};

struct scan_filter;

/* With room for so many literals. 0 or -ENOMEM. */
int scan_filter_create(size_t literals, struct scan_filter **ret_filter);
void scan_filter_free(struct scan_filter *filter);

/* ASCII case is ignored. Returned is how far from its beginning the bytes that are kept of it begin, at most. */
size_t scan_filter_add(struct scan_filter *filter, struct slice literal);

/*
 * The first place from `at` on where what is kept of a literal may stand; it may lie behind the value's end. SIZE_MAX:
 * none that begins at `at` or later is in the value, of whatever length.
 */
size_t scan_filter_next(const struct scan_filter *filter, struct slice value, size_t at);

/* By what instructions: those that every machine has, AVX2, or AVX-512 with VBMI. All tell the same, but behind the
 * end. */
enum scan_filter_form { SCAN_FILTER_PLAINLY, SCAN_FILTER_BY_8, SCAN_FILTER_BY_16 };

bool scan_filter_form_is_possible(enum scan_filter_form form);
size_t scan_filter_next_by(enum scan_filter_form form, const struct scan_filter *filter, struct slice value, size_t at);

/*
 * Whether what is kept of a literal may stand at more than so many of SCAN_FILTER_SAMPLE_BYTES places all over a value,
 * which has as many bytes at least.
 */
bool scan_filter_is_dense(const struct scan_filter *filter, struct slice value, size_t most);

/* False: none is in it. */
bool scan_filter_may_hold(const struct scan_filter *filter, struct slice value);

#endif
