/*
 * An attack of packets: as many a second as planned, whatever becomes of them, from forged and from real addresses. It
 * is put on the link it is given as a card puts what arrives, by no socket, so that nobody need own a source.
 */
#ifndef GUIA_DRILL_VOLLEY_H
#define GUIA_DRILL_VOLLEY_H

#include "drill/packet.h"
#include "drill/record.h"
#include "drill/shape.h"
#include "drill/volley_program.h"

struct volley_job {
	const struct run_plan *plan;
	const struct people *people;
	struct record *record;
	struct volley_links links; /* without `visitors` the link's queue has theirs */
	struct packet_ends ends;
};

/* Until the run's end; the record's start must be set. 0 or -errno. */
int volley_run(const struct volley_job *job);

#endif
