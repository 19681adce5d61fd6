/*
 * What the parts share has no state but the compiler's. Regexes are the pool's, by flags and text; a file that is read
 * becomes a dependency of the unit.
 */
#include "seclang/compiler.h"

#include "base/file.h"
#include "base/nearest.h"
#include "match/regex.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_BYTES = 1024 /* of a diagnostic; what is longer is cut off */ };

static void tell(struct compiler *c, enum diagnostic_severity severity, size_t offset, const char *hint,
		 const char *format, va_list args)
{
	char message[MESSAGE_BYTES];
	vsnprintf(message, sizeof(message), format, args);
	diagnostics_add(c->diagnostics, severity, source_place_at(c->source, c->word, offset), hint, "%s", message);
}

int compiler_error(struct compiler *compiler, size_t offset, const char *hint, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	tell(compiler, DIAGNOSTIC_ERROR, offset, hint, format, args);
	va_end(args);
	return -EINVAL;
}

void compiler_warning(struct compiler *compiler, size_t offset, const char *hint, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	tell(compiler, DIAGNOSTIC_WARNING, offset, hint, format, args);
	va_end(args);
}

int compiler_copy(struct compiler *compiler, struct slice s, struct slice *ret_copy)
{
	return arena_copy(compiler->arena, s, ret_copy);
}

int compiler_grow(struct compiler *compiler, void **items, size_t *capacity, size_t count, size_t item_bytes)
{
	return arena_grow(compiler->arena, items, capacity, count, item_bytes, 4);
}

static void release_regex(void *regex)
{
	regex_free(regex);
}

int compiler_regex(struct compiler *compiler, struct slice pattern, unsigned flags, size_t offset,
		   const struct regex **ret_regex)
{
	struct buffer key = buffer_make(NULL);
	buffer_byte(&key, (uint8_t)flags);
	buffer_add(&key, pattern);
	struct regex *regex = key.error != 0 ? NULL : pool_find(compiler->pool, POOL_REGEX, buffer_slice(&key));
	int r = key.error;
	if (r == 0 && regex == NULL) {
		struct regex_error error;
		r = regex_compile(pattern, flags, &regex, &error);
		if (r == REGEX_BAD_PATTERN)
			r = compiler_error(compiler, offset + error.offset, NULL, "the pattern does not compile: %s",
					   error.message);
		else if (r == 0)
			r = pool_add(compiler->pool, POOL_REGEX, buffer_slice(&key), regex, release_regex);
	}
	buffer_free(&key);
	if (r == 0)
		*ret_regex = regex;
	return r;
}

char *compiler_path(struct compiler *compiler, struct slice name)
{
	struct slice file = slice_from_string(compiler->source->file);
	struct buffer path = buffer_make(compiler->arena);
	size_t folder = file.len;
	while (folder > 0 && file.ptr[folder - 1] != '/')
		folder--;
	if (name.len == 0 || name.ptr[0] != '/')
		buffer_add(&path, slice_sub(file, 0, folder));
	buffer_add(&path, name);
	buffer_byte(&path, '\0');
	return path.error != 0 ? NULL : (char *)path.ptr;
}

int compiler_read_file(struct compiler *compiler, struct slice name, size_t offset, struct buffer *out)
{
	char *path = compiler_path(compiler, name);
	int r = path == NULL ? -ENOMEM : file_read(path, DEPENDENCY_FILE_BYTES, out);
	if (r == -ENOMEM)
		return r;
	if (r != 0)
		return compiler_error(compiler, offset, "a relative name is looked for beside the file that names it",
				      "cannot read %s: %s", path, strerror(-r));
	compiler->files++;
	return dependencies_add_file(&compiler->dependencies, compiler->arena, path, buffer_slice(out));
}

bool parse_number(struct slice text, uint64_t *ret_number)
{
	return slice_number(text, INT64_MAX, ret_number);
}

bool parse_id_range(struct slice text, struct id_range *ret_range)
{
	struct slice first;
	struct slice last = slice_cut(text, '-', &first);
	uint64_t from, to;
	if (!parse_number(slice_trim(first), &from))
		return false;
	to = from;
	if (first.len < text.len && !parse_number(slice_trim(last), &to))
		return false;
	*ret_range = (struct id_range){(int64_t)from, (int64_t)to};
	return from <= to;
}

const char *compiler_suggest(struct compiler *compiler, struct slice word, const char *(*name_at)(size_t index),
			     const char *before)
{
	struct nearest nearest = nearest_to(word);
	struct buffer hint = buffer_make(compiler->arena);
	for (size_t i = 0; name_at(i) != NULL; i++)
		nearest_offer(&nearest, name_at(i));
	if (nearest.name == NULL)
		return NULL;
	buffer_printf(&hint, "did you mean %s%s?", before, nearest.name);
	buffer_byte(&hint, '\0');
	return hint.error != 0 ? NULL : (const char *)hint.ptr;
}
