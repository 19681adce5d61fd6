/* The browsers that residents use: which headers each sends, in which order, with which values. */
#ifndef GUIA_DRILL_BROWSER_H
#define GUIA_DRILL_BROWSER_H

#include "drill/people.h"
#include "drill/tell.h"

enum header {
	HEADER_HOST,
	HEADER_CONNECTION,
	HEADER_CLIENT_HINT,
	HEADER_INSECURE,
	HEADER_AGENT,
	HEADER_ACCEPT,
	HEADER_FETCH_SITE,
	HEADER_FETCH_MODE,
	HEADER_FETCH_DEST,
	HEADER_REFERER,
	HEADER_ENCODING,
	HEADER_LANGUAGE,
	HEADERS,
	HEADER_END = HEADERS,
};

extern const char *const header_names[HEADERS];

/* What a person's browser sends, in order. A value of NULL is made for the request: Host, Referer. */
struct browsing {
	struct {
		enum header header;
		const char *value;
	} lines[HEADERS];
	unsigned count;
};

/* Tools mix the values of several browsers; `tells` shape the rest. Persons' are of one. */
void browsing_of(const struct person *person, const struct tells *tells, struct browsing *ret_browsing);

#endif
