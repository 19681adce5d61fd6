/* Runs every file of a folder through a fuzz target, as libFuzzer would. Usage: NAME-replay FOLDER; prints TAP. */
#include "base/error.h"
#include "base/file.h"

#include <dirent.h>
#include <stdio.h>
#include "target.h"

/* The input is a block of its own from malloc, so that sanitizers and valgrind see a read past its end. */
static int replay_file(const char *folder, const char *name)
{
	char path[4096];
	struct buffer file = buffer_make(NULL);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int r = file_read(path, 1 << 20, &file);
	if (r == 0) {
		uint8_t *exact = malloc(file.len > 0 ? file.len : 1);
		r = exact == NULL ? -ENOMEM : 0;
		if (r == 0) {
			if (file.len > 0)
				memcpy(exact, file.ptr, file.len);
			LLVMFuzzerTestOneInput(exact, file.len);
		}
		free(exact);
	}
	buffer_free(&file);
	return r;
}

int main(int argc, char **argv)
{
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
	if (folder == NULL) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	unsigned count = 0, failed = 0;
	for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
		if (entry->d_name[0] == '.')
			continue;
		int r = replay_file(argv[1], entry->d_name);
		failed += r != 0;
		printf("%s %u - %s\n", r == 0 ? "ok" : "not ok", ++count, entry->d_name);
		fflush(stdout);
	}
	closedir(folder);
	printf("1..%u\n", count);
	return failed > 0 || count == 0;
}
