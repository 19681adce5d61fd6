/*
 * An attack of packets: as many a second as planned, whatever becomes of them, from forged and from real addresses. It
 * enters at the link it is given, by a packet socket, so that nobody need own a source.
 */
#ifndef GUIA_DRILL_VOLLEY_H
#define GUIA_DRILL_VOLLEY_H

#include "drill/packet.h"
#include "drill/record.h"
#include "drill/shape.h"

struct volley_job {
	const struct run_plan *plan;
	const struct people *people;
	struct record *record;
	const char *link; /* of the network that the caller is in */
	struct packet_ends ends;
	bool queued; /* through the link's queue, else past it */
};

/* Until the attack's end; the record's start must be set. 0 or -errno. */
int volley_run(const struct volley_job *job);

#endif
