/*
 * Straight by write(2): "guia: ..." on stderr, and with the time in the log. What is longer than a line's room is cut.
 */
#include "serve/notice.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static void put(int fd, const char *text, size_t len)
{
	for (ssize_t n; len > 0 && (n = write(fd, text, len)) > 0; len -= (size_t)n)
		text += n;
}

void notice_say(const struct notice *notice, const char *format, ...)
{
	char line[2048], stamped[2200], stamp[40];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	int len = snprintf(stamped, sizeof(stamped), "guia: %s\n", line);
	put(STDERR_FILENO, stamped, (size_t)len);
	if (notice->log < 0)
		return;
	time_t now = time(NULL);
	struct tm local;
	localtime_r(&now, &local);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S%z", &local);
	len = snprintf(stamped, sizeof(stamped), "%s %s\n", stamp, line);
	put(notice->log, stamped, (size_t)len);
}

void notice_quote(const struct notice *notice, struct slice lines)
{
	put(STDERR_FILENO, (const char *)lines.ptr, lines.len);
	if (notice->log >= 0)
		put(notice->log, (const char *)lines.ptr, lines.len);
}

void notice_diagnostics(const struct notice *notice, const struct diagnostics *list)
{
	for (const struct diagnostic *d = list->first; d != NULL; d = d->next) {
		struct buffer text = buffer_make(NULL);
		diagnostic_format(d, &text);
		notice_quote(notice, buffer_slice(&text));
		buffer_free(&text);
	}
}
