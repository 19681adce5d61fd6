/*
 * A round over all boxes: heads, findings, events of each, in this order, on which watch/pairing.h counts. Of a ring no
 * more is read than it can hold. What boxes counted that are closed now stays in the sums.
 */
#include "watch/intake.h"

#include "base/error.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	HEAD_BATCH = 64,
	FINDINGS_AT_ONCE = OUTBOX_FINDINGS, /* as many as a ring can hold, and more */
};

int intake_init(struct intake *intake, const char *path)
{
	*intake = (struct intake){.path = strdup(path), .directory = -1};
	for (unsigned i = 0; i < OUTBOX_FILES; i++)
		intake->boxes[i].fd = -1;
	intake->events = malloc(INTAKE_BATCH * sizeof(struct event));
	intake->heads = malloc(HEAD_BATCH * sizeof(struct head));
	intake->finding = malloc(sizeof(struct finding));
	if (intake->path != NULL && intake->events != NULL && intake->heads != NULL && intake->finding != NULL)
		return 0;
	intake_release(intake);
	return -ENOMEM;
}

static void lost_add(const struct inbox *inbox, struct intake_sums *sums)
{
	sums->events_lost += inbox->events.lost;
	sums->heads_lost += inbox->heads.lost;
	sums->findings_lost += inbox->findings.lost;
	sums->broken += inbox->events.broken + inbox->heads.broken + inbox->findings.broken;
}

static void box_close(struct intake *intake, unsigned box)
{
	struct inbox *inbox = &intake->boxes[box];
	if (inbox->fd < 0)
		return;
	lost_add(inbox, &intake->closed);
	inbox_close(inbox);
}

static void directory_close(struct intake *intake)
{
	for (unsigned i = 0; i < OUTBOX_FILES; i++)
		box_close(intake, i);
	if (intake->directory >= 0)
		close(intake->directory);
	intake->directory = -1;
}

void intake_release(struct intake *intake)
{
	directory_close(intake);
	free(intake->path);
	free(intake->events);
	free(intake->heads);
	free(intake->finding);
}

/* Whether the name is still that of the directory we have. */
static bool directory_stands(const struct intake *intake)
{
	struct stat ours, named;
	return intake->directory >= 0 && fstat(intake->directory, &ours) == 0 && stat(intake->path, &named) == 0 &&
	       ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

static void directory_open(struct intake *intake)
{
	int fd = open(intake->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	intake->error = fd < 0 ? -errno : 0;
	if (fd < 0)
		return;
	directory_close(intake);
	intake->directory = fd;
}

/* 1 if there is such a file that cannot be used. */
static unsigned box_look(struct intake *intake, unsigned box)
{
	struct inbox *inbox = &intake->boxes[box];
	if (inbox->fd >= 0 && inbox_check(inbox, intake->directory, box) == 0)
		return 0;
	box_close(intake, box);
	int r = inbox_open(intake->directory, box, inbox);
	if (r != 0)
		inbox->fd = -1;
	return r != 0 && r != -ENOENT;
}

void intake_look(struct intake *intake)
{
	if (!directory_stands(intake))
		directory_open(intake);
	intake->refused = 0;
	if (intake->directory >= 0)
		for (unsigned i = 0; i < OUTBOX_FILES; i++)
			intake->refused += box_look(intake, i);
}

/* At most one ring's worth, so that no writer keeps us. Returns how many, or -errno. */
static ssize_t ring_drain(struct intake *intake, unsigned box, bool heads, const struct intake_sink *sink)
{
	struct ring_reader *ring = heads ? &intake->boxes[box].heads : &intake->boxes[box].events;
	void *records = heads ? (void *)intake->heads : (void *)intake->events;
	size_t room = heads ? HEAD_BATCH : INTAKE_BATCH;
	ssize_t waiting = ring_reader_waiting(ring), sum = 0, n = 1;
	while (n > 0 && sum < waiting) {
		n = ring_reader_take(ring, records, room);
		if (n > 0 && heads)
			sink->heads(sink->context, box, records, (size_t)n);
		else if (n > 0)
			sink->events(sink->context, box, records, (size_t)n);
		sum += n;
	}
	return waiting < 0 ? waiting : n < 0 ? n : sum;
}

/* Returns 0 or -errno. */
static int findings_drain(struct intake *intake, unsigned box, const struct intake_sink *sink)
{
	struct parcel_reader *findings = &intake->boxes[box].findings;
	struct slice parcel;
	int r = 1;
	for (size_t i = 0; i < FINDINGS_AT_ONCE && (r = parcel_reader_take(findings, &parcel)) > 0; i++) {
		if (!finding_read(parcel, intake->finding)) {
			intake->closed.broken++;
			continue;
		}
		intake->closed.findings++;
		if (sink->finding != NULL)
			sink->finding(sink->context, box, intake->finding);
	}
	return r < 0 ? r : 0;
}

size_t intake_drain(struct intake *intake, const struct intake_sink *sink)
{
	size_t most = 0;
	for (unsigned box = 0; box < OUTBOX_FILES; box++) {
		if (!intake_has(intake, box))
			continue;
		/* Heads first: they name what events have only hashes of. */
		ssize_t heads = ring_drain(intake, box, true, sink);
		int r = heads < 0 ? (int)heads : findings_drain(intake, box, sink);
		ssize_t events = r < 0 ? r : ring_drain(intake, box, false, sink);
		if (events < 0) {
			intake->closed.broken++;
			/* Read on where it was left, or what was read comes again. */
			if (inbox_check(&intake->boxes[box], intake->directory, box) != 0)
				box_close(intake, box);
			continue;
		}
		intake->closed.heads += (uint64_t)heads;
		intake->closed.events += (uint64_t)events;
		most = (size_t)events > most ? (size_t)events : most;
	}
	return most;
}

struct intake_sums intake_sums(const struct intake *intake)
{
	struct intake_sums sums = intake->closed;
	for (unsigned i = 0; i < OUTBOX_FILES; i++) {
		const struct inbox *inbox = &intake->boxes[i];
		if (inbox->fd >= 0)
			lost_add(inbox, &sums);
	}
	return sums;
}

uint64_t intake_hits(const struct intake *intake, uint32_t mitigation)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < OUTBOX_FILES; i++)
		if (intake_has(intake, i))
			sum += inbox_hits(&intake->boxes[i], mitigation);
	return sum;
}
