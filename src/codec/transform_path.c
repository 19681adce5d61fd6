/*
 * normalisePath and normalisePathWin: without empty segments, self-references and, as far as possible, back-references.
 *
 * One pass over the input with an output that back-references shorten. The rules are ModSecurity's to the letter, so
 * two things look odd: a segment is judged at its last byte only, so that "a.." counts as a back-reference; and a
 * Windows separator becomes '/' only where the pass looks at it, not where it is skipped within a run of separators.
 */
#include "codec/byte_class.h"
#include "codec/transform_rows.h"

/* Written for each kind of separator by itself, with what a walk knows in registers. */
#define INLINED static inline __attribute__((always_inline))

struct path_walk {
	struct slice in;
	uint8_t *out; /* room for as many bytes */
	size_t at;    /* in the input */
	size_t len;   /* of the output */
	size_t seen;  /* input bytes up to here, inclusive, have had their separators converted */
	bool windows;
	bool relative;
	bool hit_root; /* nothing is left that a back-reference could take away */
};

INLINED bool is_separator(const struct path_walk *walk, uint8_t byte)
{
	return byte == '/' || (walk->windows && byte == '\\');
}

INLINED uint8_t path_byte(const struct path_walk *walk, size_t at)
{
	uint8_t byte = walk->in.ptr[at];
	return walk->windows && byte == '\\' && at <= walk->seen ? '/' : byte;
}

/* Takes "name/." off the output, whose last byte is the first dot of a back-reference. */
INLINED void drop_segment(struct path_walk *walk, bool at_end)
{
	size_t len = walk->len < 3 ? 0 : walk->len - 3;
	while (len > 0 && walk->out[len] != '/')
		len--;
	if (len == 0) {
		walk->hit_root = true;
		len = !walk->relative && at_end ? 1 : 0;
	}
	walk->len = len;
}

/* Judges the segment that ends at walk->at. False if nothing is to be copied because the input ends with it. */
INLINED bool end_segment(struct path_walk *walk, bool at_end)
{
	uint8_t byte = path_byte(walk, walk->at);
	uint8_t before = walk->len > 0 ? walk->out[walk->len - 1] : 0;
	if (byte == '/' && !at_end)
		return true;
	if (byte != '.') {
		if (walk->len > 0)
			walk->hit_root = false;
		return true;
	}
	if (walk->len > 0 && before == '.') {
		if (walk->relative && (walk->hit_root || walk->len <= 2)) {
			walk->hit_root = true;
			return true;
		}
		drop_segment(walk, at_end);
	} else if (walk->len > 0 && before == '/') {
		walk->len -= !at_end;
	} else if (walk->len > 0) {
		return true;
	}
	walk->at += !at_end;
	return !at_end;
}

/* Copies one byte, a run of separators as one. */
INLINED void copy_byte(struct path_walk *walk)
{
	size_t last = walk->in.len - 1;
	if (path_byte(walk, walk->at) == '/') {
		while (walk->at < last && is_separator(walk, walk->in.ptr[walk->at + 1]))
			walk->at++;
		if (walk->relative && walk->len == 0) {
			walk->at++;
			return;
		}
	}
	walk->out[walk->len++] = path_byte(walk, walk->at++);
}

/*
 * Bytes of a segment but for its last: neither they nor those behind them are separators. Mostly 16 at a time, of which
 * those that are too many are written over.
 */
INLINED void copy_segment(struct path_walk *walk)
{
	const uint8_t *in = walk->in.ptr;
	uint8_t *out = walk->out + walk->len;
	size_t at = walk->at, last = walk->in.len - 1;
	uint8_t other = walk->windows ? '\\' : '/';
	if (in[at] == '/' || in[at] == other)
		return;
	for (; at + BYTE_VECTOR <= last; at += BYTE_VECTOR, out += BYTE_VECTOR) {
		byte_vector behind = byte_vector_load(in + at + 1);
		unsigned ends = byte_vector_mask((byte_vector)(behind == '/') | (byte_vector)(behind == other));
		byte_vector_store(out, byte_vector_load(in + at));
		if (ends != 0) {
			last = at + (size_t)__builtin_ctz(ends);
			walk->len += last - walk->at;
			walk->at = last;
			return;
		}
	}
	while (at < last && in[at + 1] != '/' && in[at + 1] != other)
		*out++ = in[at++];
	walk->len += at - walk->at;
	walk->at = at;
}

INLINED size_t path_normalise(struct path_walk *walk)
{
	size_t last = walk->in.len - 1;
	walk->relative = !is_separator(walk, walk->in.ptr[0]);
	bool trailing = is_separator(walk, walk->in.ptr[last]);
	while (walk->at <= last) {
		copy_segment(walk);
		bool at_end = walk->at == last;
		walk->seen = walk->at + 1;
		if (at_end || path_byte(walk, walk->at + 1) == '/') {
			if (!end_segment(walk, at_end))
				break;
		}
		copy_byte(walk);
		if (at_end)
			break;
	}
	if (!trailing && walk->len > 0 && walk->out[walk->len - 1] == '/')
		walk->len--;
	return walk->len;
}

/* True if normalising may change the path: "//", or a segment that ends in a reference. */
static bool path_suspicious(struct slice in)
{
	for (size_t end = byte_find('/', in, 0);; end = byte_find('/', in, end + 1)) {
		int before = end >= 1 ? in.ptr[end - 1] : -1;
		if (before == '/' && end < in.len)
			return true;
		if (before == '.' && (end == 1 || in.ptr[end - 2] == '.' || in.ptr[end - 2] == '/'))
			return true;
		if (end >= in.len)
			return false;
	}
}

INLINED bool path_apply(bool windows, struct slice in, uint8_t *out, size_t *ret_len)
{
	struct path_walk walk = {.in = in, .out = out, .windows = windows};
	size_t len = path_normalise(&walk);
	if (len == in.len && memcmp(out, in.ptr, len) == 0)
		return false;
	*ret_len = len;
	return true;
}

bool transform_normalise_path(const struct transform_context *context, struct slice in, uint8_t *out, size_t *ret_len)
{
	(void)context;
	return path_suspicious(in) && path_apply(false, in, out, ret_len);
}

bool transform_normalise_path_win(const struct transform_context *context, struct slice in, uint8_t *out,
				  size_t *ret_len)
{
	(void)context;
	return (byte_find('\\', in, 0) < in.len || path_suspicious(in)) && path_apply(true, in, out, ret_len);
}
