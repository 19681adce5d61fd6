/* A request as somebody's browser sends it: what is asked for, and the head with that person's headers. */
#ifndef GUIA_DRILL_ASKING_H
#define GUIA_DRILL_ASKING_H

#include "drill/people.h"
#include "drill/shape.h"
#include "drill/tell.h"

enum {
	SITES = 5,
	ASKING_TEXT_BYTES = 192,
	ASKING_WIRE_BYTES = 2048,
};

extern const char *const site_hosts[SITES];

struct asking {
	const char *host;
	const char *method;
	bool session; /* the cookie of a session goes along: the answer is this person's own */
	bool kept;    /* a copy may answer it */
	char uri[ASKING_TEXT_BYTES];
	char body[ASKING_TEXT_BYTES]; /* a form; empty but with POST */
	size_t announced;             /* Content-Length, where it is more than the body has; else 0 */
};

/*
 * Of what residents ask for half is public pages; the other half no copy may answer. Everybody has a site that is
 * theirs, but for the attack on one page.
 */
void asking_make(enum target target, const struct person *person, uint32_t word, const struct tells *tells,
		 struct asking *ret_asking);

/*
 * The bytes on the wire, with the headers of one of the browsers there are. Attackers' are put together from several,
 * with the run's tells. Returns how many of `wire`'s.
 */
size_t asking_wire(const struct asking *asking, const struct person *person, const struct tells *tells,
		   uint8_t wire[ASKING_WIRE_BYTES]);

#endif
