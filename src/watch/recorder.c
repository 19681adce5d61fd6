/* The file is always a new one, and never one that a link leads to. The first failure ends the recording. */
#include "watch/recorder.h"

#include "base/error.h"

#include <fcntl.h>
#include <unistd.h>

int recorder_open(struct recorder *recorder, const char *path)
{
	*recorder = (struct recorder){.path = path, .pending = buffer_make(NULL)};
	if (path == NULL)
		return 0;
	(void)unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	recorder->file = fdopen(fd, "w");
	if (recorder->file == NULL) {
		int r = -errno;
		close(fd);
		return r;
	}
	return 0;
}

void recorder_close(struct recorder *recorder)
{
	if (recorder->file != NULL && fclose(recorder->file) != 0)
		fprintf(stderr, "guia: watch: %s: the end of the recording is lost\n", recorder->path);
	buffer_free(&recorder->pending);
	*recorder = (struct recorder){0};
}

void recorder_flush(struct recorder *recorder)
{
	if (recorder->file == NULL || recorder->pending.len == 0)
		return;
	bool written = recorder->pending.error == 0 &&
		       fwrite(recorder->pending.ptr, 1, recorder->pending.len, recorder->file) == recorder->pending.len;
	recorder->bytes += recorder->pending.len;
	buffer_clear(&recorder->pending);
	if (written && recorder->bytes < RECORDER_MOST_BYTES)
		return;
	fprintf(stderr, "guia: watch: %s: %s; the recording ends here\n", recorder->path,
		written ? "as large as it may be" : "cannot be written");
	recorder_close(recorder);
}
