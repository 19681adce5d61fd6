/*
 * Files are tried by number until one is not another's: it is adopted if it is sound, else made beside its name and
 * renamed into place. Below: header, directory and locks, sites, one file, a worker's life.
 */
#include "wire/outbox.h"

#include "base/error.h"
#include "wire/outbox_layout.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "counters need no lock");

enum {
	BUSY = 2, /* outcomes of the functions below: another has the file */
	ABSENT,   /* there is no such file, or not any more */
	UNSOUND,
	ATTEMPTS = 8, /* at one file, where others come and go */
};

const struct outbox_sizes outbox_usual_sizes = {OUTBOX_EVENTS, OUTBOX_HEADS, OUTBOX_FINDINGS};

uint64_t outbox_file_bytes(const struct outbox_sizes *sizes)
{
	return outbox_bytes(sizes);
}

/* ---- the header ---- */

static uint64_t header_check(const struct outbox_header *header)
{
	static const struct hash_key key = {0x67756961, 0x6f757462};
	return hash_bytes(&key, slice_make(header, offsetof(struct outbox_header, check)));
}

void outbox_header_make(const struct outbox_sizes *sizes, struct outbox_header *ret_header)
{
	*ret_header = (struct outbox_header){
		.magic = OUTBOX_MAGIC,
		.version = OUTBOX_VERSION,
		.header_bytes = sizeof(*ret_header),
		.bytes = outbox_bytes(sizes),
		.event_slots = sizes->event_slots,
		.event_bytes = sizeof(struct event),
		.head_slots = sizes->head_slots,
		.head_bytes = sizeof(struct head),
		.finding_slots = sizes->finding_slots,
		.finding_bytes = PARCEL_SLOT_BYTES,
		.sites = OUTBOX_SITES,
		.verdicts = EVENT_VERDICTS,
		.reasons = EVENT_REASONS,
		.states = CONNECTION_STATES,
	};
	ret_header->check = header_check(ret_header);
}

static bool slots_sound(uint32_t slots, uint32_t least)
{
	return slots >= least && slots <= OUTBOX_SLOTS_MAX && (slots & (slots - 1)) == 0;
}

static bool sizes_sound(const struct outbox_sizes *sizes)
{
	return slots_sound(sizes->event_slots, 2) && slots_sound(sizes->head_slots, 2) &&
	       slots_sound(sizes->finding_slots, PARCEL_SLOTS_LEAST);
}

bool outbox_header_sound(const struct outbox_header *header, uint64_t file_bytes)
{
	const struct outbox_sizes sizes = outbox_header_sizes(header);
	struct outbox_header wanted;
	if (!sizes_sound(&sizes))
		return false;
	outbox_header_make(&sizes, &wanted);
	return memcmp(header, &wanted, sizeof(wanted)) == 0 && wanted.bytes == file_bytes;
}

/* ---- the directory ---- */

/* Nobody but us, root and a group that reads may have anything to say in it. */
static int directory_open(const char *path, int *ret_fd)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = fstat(fd, &st) != 0 ? -errno : 0;
	if (r == 0 && ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0))
		r = -EPERM;
	if (r != 0)
		close(fd);
	else
		*ret_fd = fd;
	return r;
}

static int lock_take(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? BUSY : -errno;
}

/* Whether the file still has the name by which it was opened. */
static bool is_named(int directory, const char *name, const struct stat *st)
{
	struct stat now;
	return fstatat(directory, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_dev == st->st_dev &&
	       now.st_ino == st->st_ino;
}

/* Who may look into the directory may read what is in it, whatever the process's umask says. */
static int mode_set(int directory, int fd)
{
	struct stat st;
	if (fstat(directory, &st) != 0 || fchmod(fd, (st.st_mode & S_IRGRP) != 0 ? 0640 : 0600) != 0)
		return -errno;
	return 0;
}

/* Opens and locks. 0, BUSY, ABSENT, or -errno. */
static int file_take(int directory, const char *name, int flags, int *ret_fd, struct stat *ret_st)
{
	int fd = openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | flags, 0600);
	if (fd < 0)
		return errno == ENOENT ? ABSENT : -errno;
	int r = fstat(fd, ret_st) != 0 ? -errno : !S_ISREG(ret_st->st_mode) ? -EPERM : lock_take(fd);
	if (r == 0 && !is_named(directory, name, ret_st))
		r = ABSENT;
	if (r != 0)
		close(fd);
	else
		*ret_fd = fd;
	return r;
}

/* The key, made by whoever comes first. */
static int key_read(int directory, struct hash_key *ret_key)
{
	struct hash_key key = hash_key_random();
	char name[64];
	snprintf(name, sizeof(name), OUTBOX_KEY_FILE OUTBOX_NEW_SUFFIX "%ld", (long)getpid());
	for (int i = 0; i < ATTEMPTS; i++) {
		int fd = openat(directory, OUTBOX_KEY_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0) {
			ssize_t n = read(fd, ret_key, sizeof(*ret_key));
			close(fd);
			return n == (ssize_t)sizeof(*ret_key) ? 0 : -EIO;
		}
		if (errno != ENOENT)
			return -errno;
		(void)unlinkat(directory, name, 0);
		fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		int r = mode_set(directory, fd);
		if (r == 0 && write(fd, &key, sizeof(key)) != (ssize_t)sizeof(key))
			r = -ENOSPC;
		close(fd);
		if (r == 0 && renameat2(directory, name, directory, OUTBOX_KEY_FILE, RENAME_NOREPLACE) != 0)
			r = errno == EEXIST ? 0 : -errno;
		(void)unlinkat(directory, name, 0);
		if (r != 0)
			return r;
	}
	return -EIO;
}

/* ---- sites ---- */

static uint32_t site_count(const struct outbox_control *control)
{
	uint32_t count = atomic_load(&control->site_count);
	return count < OUTBOX_SITES ? count : OUTBOX_SITES;
}

/* Its place in the table; site_count() if it has none. */
static uint32_t site_find(const struct outbox_control *control, struct slice name)
{
	uint32_t count = site_count(control), i = 0;
	for (; i < count; i++) {
		const struct outbox_site *site = &control->sites[i];
		uint32_t length = atomic_load(&site->length);
		if (length == name.len && memcmp(site->name, name.ptr, length) == 0)
			break;
	}
	return i;
}

uint16_t outbox_site(struct outbox *outbox, struct slice name)
{
	struct outbox_control *control = outbox->control;
	uint32_t count = site_count(control);
	name = slice_sub(name, 0, OUTBOX_NAME_BYTES);
	uint32_t found = site_find(control, name);
	if (found < count)
		return (uint16_t)found;
	if (count == OUTBOX_SITES)
		return 0;
	struct outbox_site *site = &control->sites[count];
	memcpy(site->name, name.ptr, name.len);
	atomic_store(&site->length, (uint32_t)name.len);
	atomic_store(&control->site_count, count + 1);
	return (uint16_t)count;
}

/* Whether as many of the names have a place in the table, or would find one, as in a new one. */
static bool has_room(const struct outbox_control *control, struct outbox_names names)
{
	size_t count = site_count(control), known = 0;
	for (size_t i = 0; i < names.count; i++)
		known += site_find(control, slice_sub(names.names[i], 0, OUTBOX_NAME_BYTES)) < count;
	size_t most = names.count < OUTBOX_SITES - 1 ? names.count : OUTBOX_SITES - 1;
	return known + OUTBOX_SITES - count >= most;
}

static void site_carry(const struct outbox_control *from, struct slice name, struct outbox *to)
{
	uint32_t old = site_find(from, slice_sub(name, 0, OUTBOX_NAME_BYTES));
	uint16_t site = outbox_site(to, name);
	if (old < site_count(from) && (site > 0 || name.len == 0))
		memcpy(&to->control->sites[site].counters, &from->sites[old].counters, sizeof(struct site_counters));
}

/* Into one that nobody reads yet, and whole: a reader would take sums that grow at once for an attack. */
static void control_carry(const struct outbox_control *from, struct outbox_names names, struct outbox *to)
{
	counter_set(&to->control->lives, counter_get(&from->lives));
	memcpy(&to->control->connections, &from->connections, sizeof(from->connections));
	memcpy(&to->control->hits, &from->hits, sizeof(from->hits));
	site_carry(from, SLICE(""), to);
	for (size_t i = 0; i < names.count; i++)
		site_carry(from, names.names[i], to);
}

/* ---- one file ---- */

/* What a new file begins with; `from` NULL: nothing. */
struct heritage {
	const struct outbox_control *from;
	struct outbox_names names;
};

static int map_file(int fd, uint64_t bytes, struct outbox *outbox)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	outbox->map = map;
	outbox->bytes = bytes;
	outbox->fd = fd;
	outbox->control = (struct outbox_control *)(outbox->map + OUTBOX_HEADER_BYTES);
	return 0;
}

/* The file of a worker that has ended. 0, BUSY, ABSENT, UNSOUND (locked, *ret_fd is set), or -errno. */
static int file_adopt(int directory, const char *name, struct outbox *outbox, int *ret_fd)
{
	struct outbox_header header;
	struct stat st;
	int fd;
	int r = file_take(directory, name, 0, &fd, &st);
	if (r != 0)
		return r;
	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    !outbox_header_sound(&header, (uint64_t)st.st_size)) {
		*ret_fd = fd;
		return UNSOUND;
	}
	/* Somebody may have punched a hole. */
	r = -posix_fallocate(fd, 0, (off_t)header.bytes);
	r = r != 0 ? r : map_file(fd, header.bytes, outbox);
	if (r != 0)
		close(fd);
	return r;
}

static int file_fill(int fd, const struct outbox_sizes *sizes, struct outbox *outbox)
{
	struct outbox_header header;
	outbox_header_make(sizes, &header);
	int r = ftruncate(fd, 0) != 0 ? -errno : -posix_fallocate(fd, 0, (off_t)header.bytes);
	if (r == 0 && pwrite(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		r = -EIO;
	return r != 0 ? r : map_file(fd, header.bytes, outbox);
}

/* A new file under the name, in place of another or not. 0, BUSY, ABSENT, or -errno. */
static int file_make(int directory, const char *name, const struct outbox_sizes *sizes, bool replace,
		     const struct heritage *heritage, struct outbox *outbox)
{
	char fresh[NAME_MAX];
	struct stat st;
	int fd;
	snprintf(fresh, sizeof(fresh), "%s" OUTBOX_NEW_SUFFIX, name);
	int r = file_take(directory, fresh, O_CREAT, &fd, &st);
	if (r != 0)
		return r;
	r = mode_set(directory, fd);
	r = r != 0 ? r : file_fill(fd, sizes, outbox);
	if (r == 0 && heritage->from != NULL)
		control_carry(heritage->from, heritage->names, outbox);
	if (r == 0 && renameat2(directory, fresh, directory, name, replace ? 0 : RENAME_NOREPLACE) != 0)
		r = errno == EEXIST ? ABSENT : -errno;
	if (r == 0)
		return 0;
	if (outbox->map != NULL)
		munmap(outbox->map, outbox->bytes);
	outbox->map = NULL;
	(void)unlinkat(directory, fresh, 0);
	close(fd);
	return r;
}

/* In place of one that we have, with what holds of it still. Where that cannot be made, the old one will do. */
static void file_renew(int directory, const char *name, const struct outbox_sizes *sizes, struct outbox_names names,
		       struct outbox *outbox)
{
	const struct heritage heritage = {outbox->control, names};
	struct outbox fresh = {.fd = -1, .file = outbox->file, .key = outbox->key};
	if (file_make(directory, name, sizes, true, &heritage, &fresh) != 0)
		return;
	munmap(outbox->map, outbox->bytes);
	close(outbox->fd);
	*outbox = fresh;
}

/* 0, OUTBOX_REPLACED, BUSY, ABSENT, or -errno. */
static int file_claim(int directory, unsigned number, const struct outbox_sizes *sizes, struct outbox_names names,
		      struct outbox *outbox)
{
	static const struct heritage none = {0};
	char name[64];
	int old = -1;
	snprintf(name, sizeof(name), OUTBOX_PREFIX "%u", number);
	outbox->file = number;
	int r = file_adopt(directory, name, outbox, &old);
	if (r == ABSENT)
		return file_make(directory, name, sizes, false, &none, outbox);
	if (r == 0 && !has_room(outbox->control, names))
		file_renew(directory, name, sizes, names, outbox);
	if (r != UNSOUND)
		return r;
	r = file_make(directory, name, sizes, true, &none, outbox);
	close(old);
	return r == 0 ? OUTBOX_REPLACED : r;
}

/* ---- a life ---- */

static uint64_t ended_sum(const struct site_counters *c)
{
	uint64_t sum = 0;
	for (size_t v = 0; v < EVENT_VERDICTS; v++)
		for (size_t r = 0; r < EVENT_REASONS; r++)
			sum += counter_get(&c->ended[v][r]);
	return sum;
}

/* What the worker before had open went with it. */
static void life_begin(struct outbox *outbox, uint64_t now_ns)
{
	struct outbox_control *control = outbox->control;
	struct connection_counters *connections = &control->connections;

	counter_set(&connections->abandoned, counter_get(&connections->accepted) - counter_get(&connections->closed));
	for (size_t i = 0; i < CONNECTION_STATES; i++)
		counter_set(&connections->now[i], 0);
	counter_set(&connections->at_most, 0);
	for (size_t i = 0; i < OUTBOX_SITES; i++)
		counter_set(&control->load.origins_of[i], 0);
	for (size_t i = 0; i < OUTBOX_SITES; i++) {
		struct site_counters *c = &control->sites[i].counters;
		counter_set(&c->abandoned, counter_get(&c->arrived) - ended_sum(c));
	}
	counter_add(&control->lives, 1);
	counter_set(&control->began_ns, now_ns);
	atomic_store(&control->pid, (uint64_t)getpid());
	outbox->connections = connections;
	outbox->load = &control->load;
	outbox->hits = &control->hits;
	const struct outbox_sizes sizes = outbox_header_sizes((struct outbox_header *)outbox->map);
	ring_attach(&outbox->events, &control->events, outbox->map + outbox_events_at(), sizeof(struct event),
		    sizes.event_slots);
	ring_attach(&outbox->heads, &control->heads, outbox->map + outbox_heads_at(&sizes), sizeof(struct head),
		    sizes.head_slots);
	parcel_attach(&outbox->findings, &control->findings, outbox->map + outbox_findings_at(&sizes),
		      sizes.finding_slots);
	(void)outbox_site(outbox, SLICE(""));
}

int outbox_open(const char *directory, const struct outbox_sizes *sizes, struct outbox_names names, uint64_t now_ns,
		struct outbox *ret_outbox)
{
	struct outbox outbox = {.fd = -1};
	int folder = -1;
	if (!sizes_sound(sizes))
		return -EINVAL;
	int r = directory_open(directory, &folder);
	if (r != 0)
		return r;
	int claimed = BUSY;
	r = key_read(folder, &outbox.key);
	for (unsigned number = 0; r == 0 && claimed == BUSY && number < OUTBOX_FILES; number++) {
		claimed = ABSENT;
		for (int i = 0; claimed == ABSENT && i < ATTEMPTS; i++)
			claimed = file_claim(folder, number, sizes, names, &outbox);
	}
	close(folder);
	r = r != 0 ? r : claimed == BUSY || claimed == ABSENT ? -EMFILE : claimed;
	if (r < 0)
		return r;
	life_begin(&outbox, now_ns);
	*ret_outbox = outbox;
	return r;
}

void outbox_close(struct outbox *outbox)
{
	if (outbox->map == NULL)
		return;
	for (size_t i = 0; i < CONNECTION_STATES; i++)
		counter_set(&outbox->connections->now[i], 0);
	counter_set(&outbox->connections->at_most, 0);
	atomic_store(&outbox->control->pid, 0);
	munmap(outbox->map, outbox->bytes);
	close(outbox->fd);
	*outbox = (struct outbox){.fd = -1};
}

struct site_counters *outbox_counters(struct outbox *outbox, uint16_t site)
{
	return &outbox->control->sites[site < OUTBOX_SITES ? site : 0].counters;
}
