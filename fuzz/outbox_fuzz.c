/* An outbox with anything written anywhere: what is handed out is within its bounds, and its numbers ascend. */
#include "wire/inbox.h"

#include "target.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct outbox_control control;
	struct outbox_header header;
	struct event events[8];
	struct inbox inbox = {.fd = -1};
	int fd = memfd_create("outbox", MFD_CLOEXEC), r = 1;
	outbox_header_make(&(struct outbox_sizes){16, 2, 512}, &header);
	if (ftruncate(fd, (off_t)header.bytes) != 0 || pwrite(fd, &header, sizeof(header), 0) < 0)
		abort();
	for (; size >= 12; size -= 12, data += 12) { /* a place, and what to put there */
		off_t at = (data[0] << 16 | data[1] << 8 | data[2]) % ((off_t)header.bytes - 8);
		r = r != 0 ? inbox_from(fd, &inbox) : 0;
		pwrite(fd, data + 4, 8, at) < 0 ? abort() : (void)0;
		ssize_t n = r == 0 ? ring_reader_take(&inbox.events, events, 8) : 0;
		for (ssize_t i = 1; i < n; i++)
			n > 8 || events[i].number <= events[i - 1].number ? abort() : (void)0;
		if (r == 0 && inbox_read_control(&inbox, &control) == 0 && inbox_site_name(&control, data[3]).len > 254)
			abort();
	}
	r == 0 ? inbox_close(&inbox) : (void)close(fd);
	return 0;
}
