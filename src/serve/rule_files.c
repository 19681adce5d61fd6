/*
 * A list that grows while it is gone through: each file adds what it names at the end. Names are globbed, and relative
 * to the folder of the file that has them.
 */
#include "serve/rule_files.h"

#include "base/error.h"
#include "base/file.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>

enum { FILE_BYTES_MOST = 16 << 20 };

static int add(struct text_list *files, const char *path)
{
	struct slice text = slice_from_string(path);
	if (files->count == RULE_FILES_MOST || text_list_has(files, text))
		return 0;
	int r = arena_copy(files->arena, text, &text);
	return r != 0 ? r : text_list_add(files, text);
}

static int add_matching(struct text_list *files, struct slice folder, struct slice name)
{
	char pattern[PATH_MAX];
	glob_t found = {0};
	int len = name.len > 0 && name.ptr[0] == '/'
			  ? snprintf(pattern, sizeof(pattern), "%.*s", SLICE_ARG(name))
			  : snprintf(pattern, sizeof(pattern), "%.*s%.*s", SLICE_ARG(folder), SLICE_ARG(name));
	int r = 0;
	if (name.len == 0 || len >= (int)sizeof(pattern))
		return 0;
	(void)glob(pattern, 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc && r == 0; i++)
		r = add(files, found.gl_pathv[i]);
	globfree(&found);
	return r;
}

static struct slice trimmed(struct slice text, const char *bytes)
{
	while (text.len > 0 && strchr(bytes, text.ptr[0]) != NULL)
		text = slice_after(text, 1);
	while (text.len > 0 && strchr(bytes, text.ptr[text.len - 1]) != NULL)
		text = slice_sub(text, 0, text.len - 1);
	return text;
}

/* Behind an operator, up to the quote that ends it: one name or several. */
static int add_lists(struct text_list *files, struct slice folder, struct slice line)
{
	static const struct slice operators[] = {SLICE_INIT("@pmfromfile "), SLICE_INIT("@pmf "),
						 SLICE_INIT("@ipmatchfromfile "), SLICE_INIT("@ipmatchf ")};
	int r = 0;
	for (size_t at = slice_find_byte(line, '@', 0); at < line.len && r == 0;
	     at = slice_find_byte(line, '@', at + 1))
		for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]) && r == 0; i++) {
			struct slice rest = slice_after(line, at), name;
			if (!slice_equal_nocase(slice_sub(rest, 0, operators[i].len), operators[i]))
				continue;
			(void)slice_cut(slice_after(rest, operators[i].len), '"', &rest);
			while (rest.len > 0 && r == 0) {
				rest = slice_cut(rest, ' ', &name);
				r = add_matching(files, folder, name);
			}
		}
	return r;
}

static int follow_line(struct text_list *files, struct slice folder, struct slice line)
{
	static const struct slice words[] = {SLICE_INIT("include"), SLICE_INIT("includeoptional")};
	struct slice word, rest;
	line = trimmed(line, " \t\r");
	if (line.len == 0 || line.ptr[0] == '#')
		return 0;
	rest = slice_cut(line, slice_find_byte(line, '\t', 0) < slice_find_byte(line, ' ', 0) ? '\t' : ' ', &word);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_equal_nocase(word, words[i]))
			return add_matching(files, folder, trimmed(rest, " \t\"'"));
	return add_lists(files, folder, line);
}

static int follow(struct text_list *files, struct slice path)
{
	char name[PATH_MAX];
	struct buffer text = buffer_make(NULL);
	size_t slash = path.len;
	struct slice rest, line;
	int r = 0;
	while (slash > 0 && path.ptr[slash - 1] != '/')
		slash--;
	snprintf(name, sizeof(name), "%.*s", SLICE_ARG(path));
	if (file_read(name, FILE_BYTES_MOST, &text) == 0)
		for (rest = buffer_slice(&text); rest.len > 0 && r == 0;) {
			rest = slice_cut(rest, '\n', &line);
			r = follow_line(files, slice_sub(path, 0, slash), line);
		}
	buffer_free(&text);
	return r;
}

int rule_files_follow(struct text_list *files)
{
	int r = 0;
	for (size_t i = 0; i < files->count && r == 0; i++)
		r = follow(files, files->items[i]);
	return r;
}
