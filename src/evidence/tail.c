/*
 * Each half is replayed batch by batch, and cut back to the last whose root holds. The newer half begins with the
 * bundle in which the older ends, and must have come past the older's last root: then the two are joined.
 */
#include "evidence/tail.h"

#include "base/error.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct bundle *bundle_create(uint64_t number)
{
	struct bundle *bundle = malloc(sizeof(*bundle));
	if (bundle == NULL)
		return NULL;
	bundle->next = NULL;
	bundle->number = number;
	bundle->bytes = buffer_make(NULL);
	bundle->count = 0;
	return bundle;
}

void bundle_free(struct bundle *bundle)
{
	if (bundle == NULL)
		return;
	buffer_free(&bundle->bytes);
	free(bundle);
}

void tail_free(struct tail *tail)
{
	while (tail->first != NULL) {
		struct bundle *next = tail->first->next;
		bundle_free(tail->first);
		tail->first = next;
	}
	tail->last = NULL;
}

static int begin(struct tail *tail, const struct merkle_frontier *before)
{
	*tail = (struct tail){.before = *before, .frontier = *before};
	tail->first = tail->last = bundle_create(before->size / TILE_WIDTH);
	return tail->last == NULL ? -ENOMEM : 0;
}

int tail_push(struct tail *tail, struct slice record)
{
	struct bundle *bundle = tail->last, *next = NULL;
	if (buffer_reserve(&bundle->bytes, 2 + record.len) != 0) {
		bundle->bytes.error = 0;
		return -ENOMEM;
	}
	if (bundle->count + 1 == TILE_WIDTH) {
		next = bundle_create(bundle->number + 1);
		if (next == NULL)
			return -ENOMEM;
	}
	bundle_add(&bundle->bytes, record);
	bundle->hashes[bundle->count] = merkle_leaf(record);
	merkle_push(&tail->frontier, &bundle->hashes[bundle->count++]);
	if (next != NULL)
		tail->last = bundle->next = next;
	return 0;
}

/* ---- loading ---- */

void tail_cut_back(struct tail *tail, const struct merkle_frontier *to)
{
	struct bundle *keep = tail->first;
	while (keep->number < to->size / TILE_WIDTH)
		keep = keep->next;
	while (keep->next != NULL) {
		struct bundle *next = keep->next->next;
		bundle_free(keep->next);
		keep->next = next;
	}
	unsigned count = (unsigned)(to->size % TILE_WIDTH);
	struct reader records = reader_make(buffer_slice(&keep->bytes));
	struct slice record;
	for (unsigned i = 0; i < count; i++)
		(void)bundle_next(&records, &record);
	keep->bytes.len = records.at;
	keep->count = count;
	tail->last = keep;
	tail->frontier = *to;
}

static int push_all(struct tail *tail, struct slice records)
{
	struct slice record;
	struct reader reader = reader_make(records);
	int r = 0;
	while (r == 0 && bundle_next(&reader, &record))
		r = tail_push(tail, record);
	return r;
}

/* `meeting`, if not NULL, is a tree that this one must have been when it was as large. Sets *ret_met. */
static int replay(struct journal_reader *reader, const struct merkle_frontier *meeting, struct tail *tail,
		  bool *ret_met)
{
	struct merkle_hash root, expected;
	struct slice records;
	uint32_t count;
	struct merkle_hash meets = merkle_root(meeting != NULL ? meeting : &tail->frontier);
	root = merkle_root(&tail->frontier);
	*ret_met = meeting == NULL || (meeting->size == tail->frontier.size && merkle_hash_equal(&root, &meets));
	for (;;) {
		struct merkle_frontier whole = tail->frontier;
		tail->at = reader->at;
		if (!journal_next(reader, &records, &count, &expected))
			break;
		int r = push_all(tail, records);
		root = merkle_root(&tail->frontier);
		if (r != 0 || !merkle_hash_equal(&root, &expected)) {
			tail_cut_back(tail, &whole);
			tail->cut_bytes = reader->at - tail->at;
			return r;
		}
		*ret_met |= meeting != NULL && meeting->size == tail->frontier.size && merkle_hash_equal(&root, &meets);
	}
	tail->cut_bytes = journal_torn(reader) ? JOURNAL_BATCH_BYTES : 0;
	return 0;
}

static int load_half(struct journal_reader *reader, unsigned half, const struct merkle_frontier *meeting,
		     struct tail *ret_tail, bool *ret_met)
{
	int r = begin(ret_tail, &reader->before);
	if (r != 0)
		return r;
	ret_tail->half = half;
	r = replay(reader, meeting, ret_tail, ret_met);
	if (r != 0)
		tail_free(ret_tail);
	return r;
}

/* The newer half begins with what the older one's last bundle held; the older's others come before it. */
static void join(struct tail *older, struct tail *newer)
{
	struct bundle *last = older->first;
	newer->before = older->before;
	if (last->number == newer->first->number) {
		bundle_free(last);
	} else {
		while (last->next->number < newer->first->number)
			last = last->next;
		bundle_free(last->next);
		last->next = newer->first;
		newer->first = older->first;
	}
	older->first = older->last = NULL;
}

static int load_both(struct journal_reader *readers, unsigned newer, struct tail *ret_tail)
{
	struct tail old, new;
	bool met;
	int r = load_half(&readers[1 - newer], 1 - newer, NULL, &old, &met);
	if (r != 0)
		return r;
	r = load_half(&readers[newer], newer, &old.frontier, &new, &met);
	if (r != 0) {
		tail_free(&old);
		return r;
	}
	uint64_t end = old.frontier.size;
	bool follows = new.before.size == end - end % TILE_WIDTH;
	if (follows && new.frontier.size < end) {
		/* The journal was about to go over to it. */
		tail_free(&new);
		*ret_tail = old;
		return 0;
	}
	if (met && follows)
		join(&old, &new);
	else
		r = TAIL_TORN;
	tail_free(&old);
	*ret_tail = new;
	return r;
}

/* What is no file of a journal's size at most is none of its halves; of a longer one the rest is nobody's. */
static int read_half(int folder, unsigned half, struct slice *ret_bytes)
{
	struct stat stat;
	int fd = openat(folder, journal_name(half), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	*ret_bytes = slice_make(NULL, 0);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENXIO ? 0 : -errno;
	int r = fstat(fd, &stat) == 0 ? 0 : -errno;
	if (r == 0 && S_ISREG(stat.st_mode) && stat.st_size > 0) {
		size_t len = stat.st_size < (off_t)JOURNAL_HALF_BYTES ? (size_t)stat.st_size : JOURNAL_HALF_BYTES;
		uint8_t *bytes = malloc(len);
		ssize_t got = bytes == NULL ? 0 : pread(fd, bytes, len, 0);
		r = bytes == NULL ? -ENOMEM : got < 0 ? -errno : 0;
		*ret_bytes = slice_make(bytes, got < 0 ? 0 : (size_t)got);
	}
	close(fd);
	return r;
}

int tail_load(int folder, struct tail *ret_tail)
{
	struct slice halves[JOURNAL_HALVES] = {{NULL, 0}};
	struct journal_reader readers[JOURNAL_HALVES];
	bool good[JOURNAL_HALVES] = {false}, met;
	int r = 0;
	for (unsigned half = 0; half < JOURNAL_HALVES && r == 0; half++) {
		r = read_half(folder, half, &halves[half]);
		good[half] = r == 0 && journal_read(halves[half], &readers[half]);
	}
	if (r == 0 && good[0] && good[1])
		r = load_both(readers, readers[1].next >= readers[0].next, ret_tail);
	else if (r == 0)
		r = good[0] || good[1] ? load_half(&readers[good[1]], good[1], NULL, ret_tail, &met) : TAIL_NONE;
	for (unsigned half = 0; half < JOURNAL_HALVES; half++)
		free((void *)(uintptr_t)halves[half].ptr);
	return r;
}
