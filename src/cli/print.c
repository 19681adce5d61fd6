/*
 * Messages, results, and checks that end in a message. Messages and JSON are made harmless to a terminal here; any
 * other text must be so already.
 */
#include "cli/command.h"

#include "codec/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What others wrote may be in it, a daemon or a file: nothing of that steers a terminal. */
int cli_fail(int code, const char *format, ...)
{
	struct buffer out = buffer_make(NULL);
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	text_add_terminal(&out, len < 0 ? SLICE("out of memory") : slice_make(text, (size_t)len));
	fprintf(stderr, "guia: %.*s\n", SLICE_ARG(buffer_slice(&out)));
	if (len >= 0)
		free(text);
	buffer_free(&out);
	return code;
}

int cli_fail_around(const char *text, const struct prefix *around)
{
	char prefix[ADDRESS_TEXT_BYTES];
	return cli_fail(CLI_USER, "%s: has bits set behind its length; it is in %s", text,
			prefix_format(around, prefix));
}

int cli_folder_make(const char *path, unsigned mode, uid_t owner)
{
	struct stat st;
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return cli_fail(CLI_ENVIRONMENT, "%s: %s", path, strerror(errno));
	if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != owner) ||
	    (st.st_mode & 022) != 0)
		return cli_fail(CLI_USER, "%s: is not a folder of %s that nobody else may write to", path,
				owner == geteuid() ? "this user's" : "this or the named user's");
	return CLI_FINE;
}

int cli_unreadable(const char *path, int error)
{
	bool misnamed = error == -ENOENT || error == -EISDIR || error == -ENOTDIR;
	return cli_fail(misnamed ? CLI_USER : CLI_ENVIRONMENT, "%s: %s", path, strerror(-error));
}

bool cli_colour(int fd)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	return (no == NULL || no[0] == '\0') && isatty(fd) && (term == NULL || strcmp(term, "dumb") != 0);
}

int cli_print(const struct buffer *out, int code)
{
	if (out->error != 0)
		return cli_fail(CLI_ENVIRONMENT, "out of memory");
	if (fwrite(out->ptr, 1, out->len, stdout) != out->len || fflush(stdout) != 0)
		return cli_fail(CLI_ENVIRONMENT, "cannot write: %s", strerror(errno));
	return code;
}

int cli_print_json(const struct buffer *json, int code)
{
	struct buffer shown = buffer_make(NULL);
	text_add_terminal_json(&shown, buffer_slice(json));
	shown.error = shown.error != 0 ? shown.error : json->error;
	code = cli_print(&shown, code);
	buffer_free(&shown);
	return code;
}
