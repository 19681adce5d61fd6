/*
 * Each part is read by itself, where outbox_layout.h says that it lies. Whether a worker is at work is told by the lock
 * on its file, and only then by which process number it wrote there.
 */
#include "wire/inbox.h"

#include "base/error.h"
#include "wire/outbox_layout.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void name_make(unsigned number, char name[static 64])
{
	snprintf(name, 64, OUTBOX_PREFIX "%u", number);
}

static int read_at(int fd, void *bytes, size_t len, off_t at)
{
	ssize_t n;
	do
		n = pread(fd, bytes, len, at);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (size_t)n < len ? -EIO : 0;
}

static struct ring_reader reader_make_for(int fd, size_t control_at, uint64_t slots_at, size_t slot_bytes,
					  uint32_t slot_count)
{
	return (struct ring_reader){
		.fd = fd,
		.control_at = OUTBOX_HEADER_BYTES + (off_t)control_at,
		.slots_at = (off_t)slots_at,
		.slot_bytes = (uint32_t)slot_bytes,
		.slot_count = slot_count,
	};
}

int inbox_from(int fd, struct inbox *ret_inbox)
{
	struct outbox_header header = {0};
	struct stat st;
	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(header))
		return INBOX_FOREIGN;
	int r = read_at(fd, &header, sizeof(header), 0);
	if (r != 0)
		return r;
	if (!outbox_header_sound(&header, (uint64_t)st.st_size))
		return INBOX_FOREIGN;
	const struct outbox_sizes sizes = outbox_header_sizes(&header);
	struct inbox inbox = {
		.fd = fd,
		.device = st.st_dev,
		.inode = st.st_ino,
		.bytes = header.bytes,
		.events = reader_make_for(fd, offsetof(struct outbox_control, events), outbox_events_at(),
					  sizeof(struct event), sizes.event_slots),
		.heads = reader_make_for(fd, offsetof(struct outbox_control, heads), outbox_heads_at(&sizes),
					 sizeof(struct head), sizes.head_slots),
		.findings.ring = reader_make_for(fd, offsetof(struct outbox_control, findings),
						 outbox_findings_at(&sizes), PARCEL_SLOT_BYTES, sizes.finding_slots),
	};
	r = ring_reader_start(&inbox.events);
	r = r != 0 ? r : ring_reader_start(&inbox.heads);
	r = r != 0 ? r : parcel_reader_start(&inbox.findings);
	if (r == 0)
		*ret_inbox = inbox;
	return r;
}

int inbox_open(int directory, unsigned number, struct inbox *ret_inbox)
{
	char name[64];
	name_make(number, name);
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	int r = inbox_from(fd, ret_inbox);
	if (r != 0)
		close(fd);
	return r;
}

void inbox_close(struct inbox *inbox)
{
	if (inbox->fd >= 0)
		close(inbox->fd);
	inbox->fd = -1;
	parcel_reader_release(&inbox->findings);
}

int inbox_check(const struct inbox *inbox, int directory, unsigned number)
{
	char name[64];
	struct stat st;
	name_make(number, name);
	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	bool same = st.st_dev == inbox->device && st.st_ino == inbox->inode && (uint64_t)st.st_size == inbox->bytes;
	return same ? 0 : INBOX_CHANGED;
}

pid_t inbox_writer(const struct inbox *inbox)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	uint64_t pid = 0;
	if (fcntl(inbox->fd, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
		return 0;
	if (read_at(inbox->fd, &pid, sizeof(pid), OUTBOX_HEADER_BYTES + offsetof(struct outbox_control, pid)) != 0)
		return 0;
	return pid <= INT32_MAX ? (pid_t)pid : 0;
}

int inbox_read_control(const struct inbox *inbox, struct outbox_control *ret_control)
{
	int r = read_at(inbox->fd, ret_control, offsetof(struct outbox_control, sites), OUTBOX_HEADER_BYTES);
	if (r != 0)
		return r;
	uint32_t count = atomic_load(&ret_control->site_count);
	if (count > OUTBOX_SITES)
		count = OUTBOX_SITES;
	atomic_store(&ret_control->site_count, count);
	r = count == 0 ? 0
		       : read_at(inbox->fd, ret_control->sites, count * sizeof(ret_control->sites[0]),
				 OUTBOX_HEADER_BYTES + offsetof(struct outbox_control, sites));
	for (uint32_t i = 0; r == 0 && i < count; i++) {
		if (atomic_load(&ret_control->sites[i].length) > OUTBOX_NAME_BYTES)
			atomic_store(&ret_control->sites[i].length, OUTBOX_NAME_BYTES);
	}
	return r;
}

int inbox_read_connections(const struct inbox *inbox, struct connection_counters *ret_connections)
{
	return read_at(inbox->fd, ret_connections, sizeof(*ret_connections),
		       OUTBOX_HEADER_BYTES + offsetof(struct outbox_control, connections));
}

int inbox_read_load(const struct inbox *inbox, struct load_gauges *ret_load)
{
	return read_at(inbox->fd, ret_load, sizeof(*ret_load),
		       OUTBOX_HEADER_BYTES + offsetof(struct outbox_control, load));
}

int inbox_read_key(int directory, struct hash_key *ret_key)
{
	int fd = openat(directory, OUTBOX_KEY_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	int r = read_at(fd, ret_key, sizeof(*ret_key), 0);
	close(fd);
	return r;
}

struct slice inbox_site_name(struct outbox_control *control, uint16_t site)
{
	if (site >= atomic_load(&control->site_count))
		return SLICE("");
	struct outbox_site *named = &control->sites[site];
	uint32_t length = atomic_load(&named->length);
	for (uint32_t i = 0; i < length; i++)
		if (named->name[i] <= ' ' || named->name[i] > '~')
			named->name[i] = '?';
	return slice_make(named->name, length);
}

int inbox_read_hits(const struct inbox *inbox, struct hit *ret_hits)
{
	const off_t table = OUTBOX_HEADER_BYTES + (off_t)offsetof(struct outbox_control, hits.slots);
	const size_t bytes = HIT_SLOTS * sizeof(*ret_hits);
	ssize_t got = pread(inbox->fd, ret_hits, bytes, table);
	return got == (ssize_t)bytes ? 0 : got < 0 ? -errno : -EIO;
}

/* Each neighbour by itself: they may go round the end of the table. */
uint64_t inbox_hits(const struct inbox *inbox, uint32_t mitigation)
{
	const off_t table = OUTBOX_HEADER_BYTES + (off_t)offsetof(struct outbox_control, hits.slots);
	struct hit hit;
	for (uint32_t i = 0; i < HIT_NEIGHBOURS && mitigation != 0; i++) {
		off_t at = table + (off_t)((mitigation + i) % HIT_SLOTS * sizeof(hit));
		if (pread(inbox->fd, &hit, sizeof(hit), at) != (ssize_t)sizeof(hit))
			return 0;
		if (hit.id == mitigation)
			return hit.count;
	}
	return 0;
}
