/* Dynamic programming over the beginnings of both words. A word of more than 64 bytes is near to nothing. */
#include "base/nearest.h"

enum {
	LONGEST_BYTES = 64, /* of what is compared: names are short */
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool same(struct slice a, size_t i, struct slice b, size_t j)
{
	return byte_lower(a.ptr[i]) == byte_lower(b.ptr[j]);
}

/* Three rows of the table of prefixes: a transposition looks two back. */
static size_t distance(struct slice a, struct slice b)
{
	size_t rows[3][LONGEST_BYTES + 1];
	if (a.len > LONGEST_BYTES || b.len > LONGEST_BYTES)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			row[j] = least(least(above[j], row[j - 1]) + 1,
				       above[j - 1] + (same(a, i - 1, b, j - 1) ? 0 : 1));
			if (i > 1 && j > 1 && same(a, i - 1, b, j - 2) && same(a, i - 2, b, j - 1))
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[a.len % 3][b.len];
}

void nearest_offer(struct nearest *nearest, const char *name)
{
	size_t far = distance(nearest->word, slice_from_string(name));
	if (far < nearest->distance) {
		nearest->name = name;
		nearest->distance = far;
	}
}
