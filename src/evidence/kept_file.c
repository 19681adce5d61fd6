/* What stands there, links followed, is asked before it is opened: only a regular file is. */
#include "evidence/kept_file.h"

#include "base/error.h"
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>

int kept_file_read(int folder, const char *path, size_t limit_bytes, struct buffer *out)
{
	struct stat about;
	if (fstatat(folder, path, &about, 0) != 0)
		return errno == ENOTDIR || errno == ELOOP ? -ENOENT : -errno;
	return S_ISREG(about.st_mode) ? file_read_at(folder, path, limit_bytes, out) : -ENOENT;
}
