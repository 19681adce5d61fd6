/* What a stage expects, held against what was seen. */
#ifndef GUIA_FTW_CHECK_H
#define GUIA_FTW_CHECK_H

#include "ftw/suite.h"

/* What a stage brought about. */
struct ftw_seen {
	unsigned status;       /* 0: no answer */
	bool error;            /* the connection ended without an answer, or the server refused the request */
	bool refused;          /* by the server, before any rule: `log` is what the rules would have said */
	struct slice log;      /* lines, each ended by LF */
	struct slice response; /* as far as it is known */
};

/*
 * 0 if all is as expected; FTW_UNEXPECTED with one line of what was expected and what was got appended to `why`;
 * FTW_INVALID if a regular expression of the test does not compile, or needs too many steps (told in `why`); or a
 * negative error.
 */
enum {
	FTW_UNEXPECTED = 2,
};
int ftw_check(const struct ftw_output *expected, const struct ftw_seen *seen, struct buffer *why);

#endif
