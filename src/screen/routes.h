/*
 * Which page a request gets, and whether it gets any. Whoever has no session sees one page that says how to get in;
 * requests by other names than this machine's own (DNS rebinding), and from pages of elsewhere, are refused before
 * anything else is looked at.
 */
#ifndef GUIA_SCREEN_ROUTES_H
#define GUIA_SCREEN_ROUTES_H

#include "screen/phrases.h"
#include "screen/sessions.h"
#include "screen/sight.h"
#include "screen/visit.h"

struct routes {
	struct sessions sessions;
	struct sight sight;
	const char *control; /* the watch's socket */
	const char *cookie;  /* its name: cookies are not kept apart by port */
};

/* Where a stream is asked for, what is to be shown. */
struct wish {
	struct session *session;
	uint64_t incident;
	enum language language;
	bool chosen;
};

void routes_answer(struct routes *routes, struct visit *visit, struct reply *reply, struct wish *ret_wish);

#endif
