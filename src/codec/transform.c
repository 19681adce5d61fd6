/* The table of transformations: finding a row, bounding its output, calling it. */
#include "codec/transform.h"

#include "base/error.h"
#include "codec/byte_kind.h"
#include "codec/digest.h"
#include "codec/transform_rows.h"

enum growth {
	GROWTH_NONE,
	GROWTH_HALF,
	GROWTH_THREE_QUARTERS,
	GROWTH_DOUBLE,
	GROWTH_TRIPLE,
	GROWTH_FOURFOLD,
	GROWTH_BASE64,
	GROWTH_NUMBER, /* a decimal number, whatever the input */
	GROWTH_MD5,    /* a digest, whatever the input */
	GROWTH_SHA1,   /* likewise */
};

struct transform_row {
	struct slice name;
	transform_function *apply;
	enum growth growth;
	uint32_t triggers;
};

static const struct transform_row ROWS[TRANSFORM_COUNT] = {
#define TRANSFORM(identifier, name, function, growth, triggers)                                                        \
	[TRANSFORM_##identifier] = {SLICE_INIT(name), function, growth, triggers},
#include "codec/transform_table.h"
};

static const struct {
	struct slice name;
	enum transform transform;
} NAMES[] = {
#define TRANSFORM(identifier, name, function, growth, triggers) {SLICE_INIT(name), TRANSFORM_##identifier},
#define TRANSFORM_ALIAS(identifier, name)                       {SLICE_INIT(name), TRANSFORM_##identifier},
#include "codec/transform_table.h"
};

int transform_find(struct slice name, enum transform *ret_transform)
{
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		if (slice_equal_nocase(NAMES[i].name, name)) {
			*ret_transform = NAMES[i].transform;
			return 0;
		}
	}
	return -ENOENT;
}

const char *transform_name(enum transform transform)
{
	return (const char *)ROWS[transform].name.ptr;
}

size_t transform_bound(enum transform transform, size_t input_len)
{
	switch (ROWS[transform].growth) {
	case GROWTH_NONE:
		return input_len;
	case GROWTH_HALF:
		return input_len / 2;
	case GROWTH_THREE_QUARTERS:
		return input_len - (input_len + 3) / 4;
	case GROWTH_DOUBLE:
		return input_len * 2;
	case GROWTH_TRIPLE:
		return input_len * 3;
	case GROWTH_FOURFOLD:
		return input_len * 4;
	case GROWTH_BASE64:
		return (input_len + 2) / 3 * 4;
	case GROWTH_NUMBER:
		return sizeof("18446744073709551615") - 1;
	case GROWTH_MD5:
		return DIGEST_MD5_BYTES;
	case GROWTH_SHA1:
		return DIGEST_SHA1_BYTES;
	}
	return 0;
}

uint32_t transform_triggers(enum transform transform)
{
	return ROWS[transform].triggers;
}

bool transform_lowers(enum transform transform, uint32_t kinds)
{
	return transform == TRANSFORM_LOWERCASE ||
	       (transform == TRANSFORM_CMD_LINE && (kinds & ROWS[transform].triggers & ~BYTES_UPPER) == 0);
}

/* What else may stand in what is made of plain bytes; BYTES_ANY: any. */
static uint32_t made_of_plain(enum transform transform)
{
	switch ((int)transform) {
	case TRANSFORM_NONE:
	case TRANSFORM_NORMALISE_PATH:
	case TRANSFORM_REMOVE_COMMENTS:
	case TRANSFORM_REMOVE_COMMENTS_CHAR:
	case TRANSFORM_REMOVE_NULLS:
	case TRANSFORM_REMOVE_WHITESPACE:
	case TRANSFORM_TRIM:
	case TRANSFORM_TRIM_LEFT:
	case TRANSFORM_TRIM_RIGHT:
		return 0;
	case TRANSFORM_CMD_LINE:
		return BYTES_LOWER | BYTES_BLANK;
	case TRANSFORM_LOWERCASE:
		return BYTES_LOWER;
	case TRANSFORM_UPPERCASE:
		return BYTES_UPPER;
	case TRANSFORM_NORMALISE_PATH_WIN:
		return BYTES_SLASH;
	case TRANSFORM_COMPRESS_WHITESPACE:
	case TRANSFORM_REPLACE_COMMENTS:
	case TRANSFORM_REPLACE_NULLS:
	case TRANSFORM_URL_DECODE:
	case TRANSFORM_URL_DECODE_UNI:
		return BYTES_BLANK;
	default:
		return BYTES_ANY;
	}
}

bool transform_keeps(enum transform transform, uint32_t kinds)
{
	bool decodes = transform == TRANSFORM_URL_DECODE || transform == TRANSFORM_URL_DECODE_UNI;
	if (decodes && (kinds & BYTES_PERCENT) != 0)
		return false;
	return (kinds & ROWS[transform].triggers) == 0 || (made_of_plain(transform) & ~kinds) == 0;
}

/* What these three make of nothing is something; the others leave an empty value empty. */
static bool changes_empty(enum growth growth)
{
	return growth == GROWTH_NUMBER || growth == GROWTH_MD5 || growth == GROWTH_SHA1;
}

bool transform_apply(enum transform transform, const struct transform_context *context, struct slice in, uint8_t *out,
		     size_t *ret_len)
{
	const struct transform_row *row = &ROWS[transform];
	if (in.len == 0 && !changes_empty(row->growth))
		return false;
	return row->apply(context, in, out, ret_len);
}
