/*
 * Of the thread its schedstat, in the machine's own /proc; of the link /proc/PID/net/dev of a process that is in its
 * network.
 */
#include "drill/toll.h"

#include "base/error.h"
#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { TEXT_BYTES = 1 << 20, NUMBERS = 16 };

/* The numbers of the line that begins with the word; how many. */
static size_t numbers_of(struct slice text, const char *word, uint64_t numbers[NUMBERS])
{
	struct slice line;
	while (text.len > 0) {
		text = slice_cut(text, '\n', &line);
		line = slice_trim(line);
		if (!slice_starts_with(line, slice_from_string(word)))
			continue;
		line = slice_after(line, strlen(word));
		size_t count = 0;
		for (size_t i = 0; i < line.len && count < NUMBERS;) {
			if (!byte_is_digit(line.ptr[i])) {
				i++;
				continue;
			}
			for (numbers[count] = 0; i < line.len && byte_is_digit(line.ptr[i]); i++)
				numbers[count] = numbers[count] * 10 + (uint64_t)(line.ptr[i] - '0');
			count++;
		}
		return count;
	}
	return 0;
}

bool toll_thread_read(struct slice schedstat, uint64_t *ret_ns)
{
	uint64_t numbers[NUMBERS];
	if (numbers_of(schedstat, "", numbers) < 3)
		return false;
	*ret_ns = numbers[0];
	return true;
}

bool toll_link_read(struct slice devices, const char *link, uint64_t *ret_received, uint64_t *ret_lost)
{
	enum { PACKETS = 1, DROPPED = 3 }; /* after bytes; after errors */
	char word[24];
	uint64_t numbers[NUMBERS];
	snprintf(word, sizeof(word), "%.16s:", link);
	if (numbers_of(devices, word, numbers) <= DROPPED)
		return false;
	*ret_received = numbers[PACKETS];
	*ret_lost = numbers[DROPPED];
	return true;
}

static int read_thread(int processes, int receiver, uint64_t *ret_ns)
{
	char path[64];
	uint8_t text[128];
	snprintf(path, sizeof(path), "%d/schedstat", receiver);
	int fd = openat(processes, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, text, sizeof(text));
	close(fd);
	return n > 0 && toll_thread_read(slice_make(text, (size_t)n), ret_ns) ? 0 : -EPROTO;
}

int toll_take(int processes, int receiver, pid_t process, const char *link, struct toll *ret_toll)
{
	char path[64];
	struct toll toll;
	struct buffer devices = buffer_make(NULL);
	snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)process);
	int r = read_thread(processes, receiver, &toll.spent_ns);
	r = r != 0 ? r : file_read(path, TEXT_BYTES, &devices);
	if (r == 0 && !toll_link_read(buffer_slice(&devices), link, &toll.received, &toll.lost))
		r = -EPROTO;
	toll.at_ns = clock_now_ns();
	buffer_free(&devices);
	if (r == 0)
		*ret_toll = toll;
	return r;
}
