/* Each file is kept whole; passages are slices of it, in one array, language after language. */
#include "passage.h"

#include "random.h"

#include "base/file.h"
#include "base/vector.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_BYTES_MAX = 1 << 20 };

static int split(struct passages *p, struct slice rest)
{
	while (rest.len > 0) {
		size_t end = slice_find(rest, SLICE("\n%\n"), 0);
		if (vector_grow((void **)&p->items, &p->capacity, p->count, sizeof(*p->items)) != 0)
			return -ENOMEM;
		p->items[p->count++] = slice_trim(slice_sub(rest, 0, end));
		rest = slice_after(rest, end + 3);
	}
	return 0;
}

int passages_load(struct passages *p, const char *folder)
{
	static const char *const files[PASSAGE_LANGUAGES] = {"english.txt", "portuguese.txt", "chinese.txt"};
	char path[PATH_MAX];
	int r = 0;
	*p = (struct passages){0};
	for (size_t i = 0; r == 0 && i < PASSAGE_LANGUAGES; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		r = file_read(path, FILE_BYTES_MAX, &p->texts[i]);
		if (r == 0)
			r = split(p, buffer_slice(&p->texts[i]));
		p->ends[i] = p->count;
	}
	return r;
}

struct slice passages_draw(const struct passages *p, size_t language, uint64_t *seed)
{
	size_t from = language > 0 && language < PASSAGE_LANGUAGES ? p->ends[language - 1] : 0;
	size_t to = language < PASSAGE_LANGUAGES ? p->ends[language] : p->count;
	return p->items[from + random_below(seed, to - from)];
}

void passages_free(struct passages *p)
{
	free(p->items);
	for (size_t i = 0; i < PASSAGE_LANGUAGES; i++)
		buffer_free(&p->texts[i]);
}
