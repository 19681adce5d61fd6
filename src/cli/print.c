#include "cli/command.h"

#include "codec/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int cli_fail(int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("guia: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return code;
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
