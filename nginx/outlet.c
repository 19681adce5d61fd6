/*
 * Two buffers of one allocation change roles. To a regular file all of a buffer goes in one write, to anything else
 * record by record. After a record that was cut the next write begins with a newline.
 */
#include "outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	TAKES_NOTHING_MS = 2000,
	LOOK_MS = 1000,
};

struct outlet *outlet_new(ngx_open_file_t *file)
{
	struct outlet *outlet = ngx_alloc(sizeof(*outlet), ngx_cycle->log);
	u_char *buffers = outlet == NULL ? NULL : ngx_alloc(2 * OUTLET_BYTES, ngx_cycle->log);

	if (buffers == NULL) {
		ngx_free(outlet);
		return NULL;
	}
	*outlet = (struct outlet){.file = file, .fd = -1, .filling = buffers, .writing = buffers + OUTLET_BYTES};
	return outlet;
}

void outlet_free(struct outlet *outlet)
{
	ngx_free(ngx_min(outlet->filling, outlet->writing));
	ngx_free(outlet);
}

bool outlet_open(struct outlet *outlet)
{
	struct stat facts;

	if (outlet->fd >= 0)
		return true;
	outlet->fd = fcntl(outlet->file->fd, F_DUPFD_CLOEXEC, 0);
	if (outlet->fd < 0)
		return false;
	outlet->in_lines = fstat(outlet->fd, &facts) != 0 || !S_ISREG(facts.st_mode);
	outlet->torn = false;
	outlet->scarce = false;
	outlet->looked_ms = 0;
	return true;
}

bool outlet_add(struct outlet *outlet, const u_char *text, size_t len)
{
	size_t before = outlet->filled;

	if (len + 1 > OUTLET_BYTES - before)
		return false;
	ngx_memcpy(outlet->filling + before, text, len);
	outlet->filling[before + len] = '\n';
	outlet->filled = before + len + 1;
	return true;
}

void outlet_swap(struct outlet *outlet)
{
	u_char *text = outlet->filling;

	outlet->filling = outlet->writing;
	outlet->writing = text;
	outlet->to_write = outlet->filled;
	outlet->filled = 0;
}

static size_t records_in(const u_char *text, size_t len)
{
	size_t count = 0;

	for (const u_char *end = text + len; text < end; text++)
		count += *text == '\n';
	return count;
}

size_t outlet_records(const struct outlet *outlet)
{
	return records_in(outlet->filling, outlet->filled) + records_in(outlet->writing, outlet->to_write);
}

/* Writes all of it. 0 or an error of errno's; `ret_done` tells how much was written. */
static int write_all(int fd, const u_char *text, size_t len, size_t *ret_done)
{
	size_t done = 0;
	int error = 0;

	while (done < len && error == 0) {
		ssize_t n = write(fd, text + done, len - done);
		struct pollfd ready = {.fd = fd, .events = POLLOUT};
		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN && poll(&ready, 1, TAKES_NOTHING_MS) > 0)
			continue;
		else if (errno != EINTR)
			error = errno;
	}
	*ret_done = done;
	return error;
}

static size_t piece_of(const struct outlet *outlet, const u_char *text, size_t len)
{
	const u_char *end = outlet->in_lines ? memchr(text, '\n', len) : NULL;

	return end == NULL ? len : (size_t)(end + 1 - text);
}

/* What comes after a record that was cut begins a line of its own. */
int outlet_write(struct outlet *outlet, size_t *ret_lost)
{
	const u_char *text = outlet->writing;
	size_t len = outlet->to_write, done = 0;
	int error = 0;

	if (outlet->torn)
		error = write_all(outlet->fd, (const u_char *)"\n", 1, &done);
	outlet->torn = outlet->torn && error != 0;
	while (len > 0 && error == 0) {
		size_t piece = piece_of(outlet, text, len);
		error = write_all(outlet->fd, text, piece, &done);
		outlet->torn = done > 0 && text[done - 1] != '\n';
		text += done;
		len -= done;
	}
	*ret_lost = records_in(text, len);
	return error;
}

void outlet_look(struct outlet *outlet, int64_t now_ms)
{
	struct statvfs disk;

	if (outlet->in_lines || outlet->fd < 0 || now_ms - outlet->looked_ms < LOOK_MS)
		return;
	outlet->looked_ms = now_ms;
	outlet->scarce =
		fstatvfs(outlet->fd, &disk) == 0 && disk.f_bavail < disk.f_blocks / 100 * OUTLET_SPARED_PERCENT;
}
