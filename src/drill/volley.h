/*
 * An attack of packets: as many a second as planned, whatever becomes of them, from forged and from real addresses. It
 * is put on the link it is given as a card puts what arrives, by no socket, so that nobody need own a source.
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
	const char *link;          /* of the network that the caller is in */
	const char *home_link; /* another one's, which nothing is sent by */
	const char *visitors_link; /* by which visitors' packets come, to take their turns; NULL: the link's queue has
				      them */
	struct packet_ends ends;
};

/* Until the run's end; the record's start must be set. 0 or -errno. */
int volley_run(const struct volley_job *job);

#endif
