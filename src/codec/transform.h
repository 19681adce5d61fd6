/*
 * SecLang's transformations: pure functions from bytes to bytes, linear in time, without allocation or recursion.
 * Names and semantics are ModSecurity v3's; the rows are in transform_table.h.
 */
#ifndef GUIA_CODEC_TRANSFORM_H
#define GUIA_CODEC_TRANSFORM_H

#include "base/slice.h"

struct unicode_map;

enum transform {
#define TRANSFORM(identifier, name, function, growth, triggers) TRANSFORM_##identifier,
#include "codec/transform_table.h"
	TRANSFORM_COUNT
};

/* What a transformation may consult besides its input. */
struct transform_context {
	const struct unicode_map *unicode_map; /* SecUnicodeMapFile's, for urlDecodeUni; may be NULL */
};

/* By SecLang name (without "t:"), ASCII case ignored. 0, or -ENOENT with *ret_transform untouched. */
int transform_find(struct slice name, enum transform *ret_transform);

/* The name as documented, e.g. "urlDecodeUni". */
const char *transform_name(enum transform transform);

/* How many bytes `input_len` bytes can have after the transformation at most, whether it changes them or not. */
size_t transform_bound(enum transform transform, size_t input_len);

/* The kinds of bytes (codec/byte_kind.h) without which a value that is not empty surely stays as it is. */
uint32_t transform_triggers(enum transform transform);

/* Whether a transformation makes of bytes of these kinds (codec/byte_kind.h) what lowercase makes of them. */
bool transform_lowers(enum transform transform, uint32_t kinds);

/* Whether what is made of a value of these kinds, and not empty, surely is of these kinds, too. */
bool transform_keeps(enum transform transform, uint32_t kinds);

/*
 * True: the value changed, and *ret_len bytes of `out` are the new value. False: the value is as before; go on with
 * `in`; *ret_len is untouched and what `out` holds is unspecified (mostly untouched: a scan for the first byte that
 * would change comes before any copy). True is returned only if the bytes really differ.
 *
 * `out` has room for transform_bound() bytes and never overlaps `in`; it may be NULL if that bound is 0. `context` may
 * be NULL. Any number of threads.
 */
bool transform_apply(enum transform transform, const struct transform_context *context, struct slice in, uint8_t *out,
		     size_t *ret_len);

/* Whether lowercase would change the value. */
bool transform_lowercase_changes(struct slice in);

#endif
