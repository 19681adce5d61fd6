/*
 * All outboxes of an events directory, read as they come and go. What is there when the watch begins is read from the
 * oldest record on, so that a watch that was killed and started again knows the last moments.
 */
#ifndef GUIA_WATCH_INTAKE_H
#define GUIA_WATCH_INTAKE_H

#include "wire/finding.h"
#include "wire/inbox.h"
#include "wire/outbox.h"

enum { INTAKE_BATCH = 2048 };

/* Who is told what was read: `box` is the number of the file. */
struct intake_sink {
	void *context;
	void (*events)(void *context, unsigned box, const struct event *events, size_t count);
	void (*heads)(void *context, unsigned box, const struct head *heads, size_t count);
	/* NULL: nobody asks. Its slices live for the call. It may come before the event of its request's end, or behind
	 * it. */
	void (*finding)(void *context, unsigned box, const struct finding *finding);
};

struct intake_sums {
	uint64_t events;
	uint64_t events_lost;
	uint64_t heads;
	uint64_t heads_lost;
	uint64_t findings;
	uint64_t findings_lost;
	uint64_t broken; /* records, and files that could not be read on */
};

struct intake {
	char *path;
	int directory;    /* -1: not there */
	int error;        /* why it is not; 0 if it is */
	unsigned refused; /* files that are of another version or broken, at the last look */
	struct inbox boxes[OUTBOX_FILES];
	struct intake_sums closed; /* of boxes that are gone */
	struct event *events;      /* room for a batch */
	struct head *heads;
	struct finding *finding;
};

/* 0 or -ENOMEM; the directory may come later. */
int intake_init(struct intake *intake, const char *path);
void intake_release(struct intake *intake);

/* Looks for files that came or were replaced; every second or so. */
void intake_look(struct intake *intake);

/* Reads what there is, and not what comes meanwhile. Returns how many events the fullest ring had. */
size_t intake_drain(struct intake *intake, const struct intake_sink *sink);

struct intake_sums intake_sums(const struct intake *intake);

/* How often the gate carried a mitigation out. */
uint64_t intake_hits(const struct intake *intake, uint32_t mitigation);

static inline bool intake_has(const struct intake *intake, unsigned box)
{
	return intake->boxes[box].fd >= 0;
}

#endif
