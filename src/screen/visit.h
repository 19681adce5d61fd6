/* A request as the pages see it, and what they reply. */
#ifndef GUIA_SCREEN_VISIT_H
#define GUIA_SCREEN_VISIT_H

#include "base/buffer.h"
#include "screen/guests.h"

struct MHD_Connection;

enum { VISIT_BODY_MAX = 4096 };

struct visit {
	struct MHD_Connection *connection;
	struct guest *guest;
	const char *method;
	const char *path; /* without the query, percent signs decoded */
	struct buffer body;
	uint64_t body_len; /* also of what is not kept */
	bool too_large;
};

/* NULL where there is none. */
const char *visit_header(const struct visit *visit, const char *name);
const char *visit_query(const struct visit *visit, const char *name);
const char *visit_cookie(const struct visit *visit, const char *name);

/* A field of a form in the body (application/x-www-form-urlencoded); "" where there is none or it is too long. */
void visit_field(const struct visit *visit, const char *name, char *value, size_t room);

struct asset;

struct reply {
	unsigned status;
	const char *type; /* NULL: HTML */
	struct buffer body;
	char location[256];        /* "": none */
	char cookie[160];          /* likewise; with its attributes */
	bool inline_style;         /* of the report, which is one file */
	bool goes_on;              /* it is a stream (stream.h), on the path that was asked for */
	const struct asset *asset; /* of the program itself, in place of `body`; NULL: none */
};

#endif
