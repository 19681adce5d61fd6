/*
 * Preloaded into nginx: while the file named by GUIA_BROKEN_READ exists, temporary files of request bodies and of pages
 * cannot be read (it holds "error") or end where they have hardly begun (it holds "short"), or signatures cannot be
 * opened for want of descriptors (it holds "files").
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHORT_BYTES = 100000 };

static const char *order_path;
static ssize_t (*system_pread)(int, void *, size_t, off_t);
static int (*system_openat)(int, const char *, int, ...);

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("GUIA_BROKEN_READ");
	order_path = path == NULL ? NULL : strdup(path); /* nginx writes its title over the environment */
	*(void **)&system_pread = dlsym(RTLD_NEXT, "pread64");
	*(void **)&system_openat = dlsym(RTLD_NEXT, "openat64");
}

static int is_temporary(const char *path, size_t len)
{
	return memmem(path, len, "temp-client_body", 16) != NULL || memmem(path, len, "temp-proxy", 10) != NULL;
}

static int is_ordered(const char *what)
{
	char order[8] = "";
	int fd = order_path == NULL ? -1 : system_openat(AT_FDCWD, order_path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t len = read(fd, order, sizeof(order) - 1);
	close(fd);
	return len > 0 && strcmp(order, what) == 0;
}

static int is_of_temporary(int fd)
{
	char link[64], target[4096];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, target, sizeof(target) - 1);
	return len > 0 && is_temporary(target, (size_t)len);
}

__attribute__((visibility("default"))) ssize_t pread64(int fd, void *to, size_t len, off_t at)
{
	int temporary = is_of_temporary(fd);
	if (temporary && is_ordered("error")) {
		errno = EIO;
		return -1;
	}
	return temporary && at >= SHORT_BYTES && is_ordered("short") ? 0 : system_pread(fd, to, len, at);
}

__attribute__((visibility("default"))) int openat64(int folder, const char *path, int flags, ...)
{
	const char *name = strrchr(path, '/');
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	if (name != NULL && strcmp(name, "/signatures") == 0 && is_ordered("files")) {
		errno = EMFILE;
		return -1;
	}
	return system_openat(folder, path, flags, mode);
}
