/* A ring of findings with anything written anywhere: what is taken has a length, and what is read of it is of it. */
#include "wire/finding.h"
#include "wire/parcel.h"

#include "target.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct finding finding;
	enum { SLOTS = 256, BYTES = 64 + SLOTS * PARCEL_SLOT_BYTES };
	int fd = memfd_create("findings", MFD_CLOEXEC);
	struct parcel_reader reader = {.ring = {.fd = fd, .slots_at = 64, .slot_count = SLOTS}};
	struct slice parcel = {NULL, 0};
	if (ftruncate(fd, BYTES) != 0 || parcel_reader_start(&reader) != 0)
		abort();
	for (; size >= 12; size -= 12, data += 12) { /* a place, and what to put there */
		if (pwrite(fd, data + 4, 8, (data[0] << 16 | data[1] << 8 | data[2]) % (BYTES - 8)) < 0)
			abort();
		if (parcel_reader_take(&reader, &parcel) <= 0)
			continue;
		for (size_t i = 0; finding_read(parcel, &finding) && i < FINDING_TEXTS; i++)
			if (finding.texts[i].ptr < parcel.ptr || finding.texts[i].len > parcel.len)
				abort();
	}
	parcel_reader_release(&reader);
	close(fd);
	return 0;
}
