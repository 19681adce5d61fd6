/* ListenOverflows of the TcpExt lines of /proc/net/netstat. */
#include "watch/listeners.h"

#include "base/buffer.h"
#include "base/file.h"

enum { NETSTAT_BYTES = 64 << 10 };

static struct slice line_after(struct slice *rest)
{
	size_t end = slice_find(*rest, SLICE("\n"), 0);
	struct slice line = slice_sub(*rest, 0, end);
	*rest = slice_sub(*rest, end + 1, rest->len);
	return line;
}

static struct slice word_after(struct slice *rest)
{
	size_t end = slice_find(*rest, SLICE(" "), 0);
	struct slice word = slice_sub(*rest, 0, end);
	*rest = slice_sub(*rest, end + 1, rest->len);
	return word;
}

static uint64_t value_of(struct slice names, struct slice values, struct slice name)
{
	while (names.len > 0 && values.len > 0) {
		struct slice value = word_after(&values);
		uint64_t number = 0;
		if (!slice_equal(word_after(&names), name))
			continue;
		for (size_t i = 0; i < value.len && byte_is_digit(value.ptr[i]); i++)
			number = number * 10 + (uint64_t)(value.ptr[i] - '0');
		return number;
	}
	return 0;
}

uint64_t listeners_overflowed_in(struct slice netstat)
{
	while (netstat.len > 0) {
		struct slice names = line_after(&netstat), values = line_after(&netstat);
		if (slice_starts_with(names, SLICE("TcpExt: ")))
			return value_of(names, values, SLICE("ListenOverflows"));
	}
	return 0;
}

/* By the process itself: where a service sees no more of /proc than processes, that is there. */
uint64_t listeners_overflowed(void)
{
	struct buffer text = buffer_make(NULL);
	bool read = file_read("/proc/self/net/netstat", NETSTAT_BYTES, &text) == 0;
	uint64_t count = read ? listeners_overflowed_in(buffer_slice(&text)) : 0;
	buffer_free(&text);
	return count;
}
