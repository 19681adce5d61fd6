/* Rules are not parsed: each @rx and @pm behind a quote or a '!', outside of comments, is cut out of the text. */
#include "patterns.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/vector.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_BYTES_MAX = 16 << 20 };

static int add(struct patterns *p, struct slice text, long rule_id, bool phrase)
{
	struct pattern pattern = {.rule_id = rule_id, .phrase = phrase};
	if (text.len == 0)
		return 0;
	if (vector_grow((void **)&p->items, &p->capacity, p->count, sizeof(*p->items)) != 0 ||
	    arena_copy(&p->arena, text, &pattern.text) != 0)
		return -ENOMEM;
	p->items[p->count++] = pattern;
	return 0;
}

static int add_phrases(struct patterns *p, struct slice phrases, long rule_id)
{
	int r = 0;
	while (phrases.len > 0 && r == 0) {
		struct slice phrase;
		phrases = slice_cut(phrases, ' ', &phrase);
		r = add(p, phrase, rule_id, true);
	}
	return r;
}

/* Without the backslash before a quote and without the one that continues a line. */
static void unquote(struct slice s, struct buffer *out)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\' && i + 1 < s.len && (s.ptr[i + 1] == '"' || s.ptr[i + 1] == '\n')) {
			if (s.ptr[++i] == '"')
				buffer_byte(out, '"');
			continue;
		}
		buffer_byte(out, s.ptr[i]);
	}
}

static long id_after(struct slice text, size_t from)
{
	size_t at = slice_find(text, SLICE("id:"), from);
	return at < text.len ? strtol((const char *)text.ptr + at + 3, NULL, 10) : 0;
}

static size_t quote_end(struct slice text, size_t from)
{
	while (from < text.len && text.ptr[from] != '"')
		from += text.ptr[from] == '\\' ? 2 : 1;
	return from < text.len ? from : text.len;
}

static bool is_comment(struct slice text, size_t at)
{
	while (at > 0 && text.ptr[at - 1] != '\n')
		at--;
	return text.ptr[at] == '#';
}

/* `text` is NUL-terminated. */
static int add_rules(struct patterns *p, struct slice text)
{
	int r = 0;
	for (size_t at = 0; r == 0 && (at = slice_find(text, SLICE("@"), at)) < text.len; at++) {
		struct slice rest = slice_after(text, at);
		bool rx = slice_starts_with(rest, SLICE("@rx "));
		bool begins = at > 0 && (text.ptr[at - 1] == '"' || text.ptr[at - 1] == '!');
		if (!begins || is_comment(text, at) || (!rx && !slice_starts_with(rest, SLICE("@pm "))))
			continue;
		size_t end = quote_end(text, at);
		struct buffer argument = buffer_make(&p->arena);
		unquote(slice_sub(text, at + 4, end), &argument);
		r = rx ? add(p, buffer_slice(&argument), id_after(text, end), false)
		       : add_phrases(p, buffer_slice(&argument), id_after(text, end));
		at = end;
	}
	return r;
}

static int add_data(struct patterns *p, struct slice text)
{
	int r = 0;
	while (text.len > 0 && r == 0) {
		struct slice line;
		text = slice_cut(text, '\n', &line);
		if (line.len > 0 && line.ptr[0] != '#')
			r = add(p, slice_trim(line), 0, true);
	}
	return r;
}

static int load_file(struct patterns *p, const char *folder, const char *name)
{
	char path[PATH_MAX];
	struct buffer text = buffer_make(&p->arena);
	struct slice file_name = slice_from_string(name);
	bool rules = slice_ends_with(file_name, SLICE(".conf"));
	if (!rules && !slice_ends_with(file_name, SLICE(".data")))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int r = file_read(path, FILE_BYTES_MAX, &text);
	struct slice content = buffer_slice(&text);
	buffer_byte(&text, '\0');
	if (r != 0)
		return r;
	content.ptr = text.ptr;
	return rules ? add_rules(p, content) : add_data(p, content);
}

int patterns_load(struct patterns *p, const char *folder)
{
	struct dirent **names;
	int r = 0;
	*p = (struct patterns){0};
	arena_init(&p->arena, SIZE_MAX, 0);
	int count = scandir(folder, &names, NULL, alphasort);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		r = r == 0 ? load_file(p, folder, names[i]->d_name) : r;
		free(names[i]);
	}
	free(names);
	return r;
}

void patterns_free(struct patterns *p)
{
	free(p->items);
	arena_destroy(&p->arena);
}
