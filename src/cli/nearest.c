/* Did you mean: the edit distance of Levenshtein with transpositions (optimal string alignment). */
#include "cli/command.h"

enum {
	NAME_MAX_BYTES = 32,
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t distance(const char *a, const char *b)
{
	size_t rows[3][NAME_MAX_BYTES + 1];
	size_t la = strlen(a), lb = strlen(b);
	if (la > NAME_MAX_BYTES || lb > NAME_MAX_BYTES)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[la % 3][lb];
}

const char *cli_nearest(const char *word, const char *const *names, size_t count)
{
	const char *found = NULL;
	size_t best = least(strlen(word) / 2, 2) + 1;
	for (size_t i = 0; i < count; i++) {
		size_t far = distance(word, names[i]);
		if (far < best) {
			best = far;
			found = names[i];
		}
	}
	return found;
}
