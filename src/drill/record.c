/* Anonymous shared memory, which children have by fork. It begins as zeros, and they mean that nothing has been yet. */
#include "drill/record.h"

#include "base/error.h"

#include <sys/mman.h>
#include <time.h>

static size_t size_of(size_t asked_count)
{
	return sizeof(struct record) + asked_count * sizeof(struct asked);
}

int record_map(size_t asked_count, struct record **ret_record)
{
	void *map = mmap(NULL, size_of(asked_count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return -ENOMEM;
	*ret_record = map;
	(*ret_record)->asked_count = asked_count;
	return 0;
}

void record_unmap(struct record *record)
{
	if (record != NULL)
		munmap(record, size_of(record->asked_count));
}

int64_t clock_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
