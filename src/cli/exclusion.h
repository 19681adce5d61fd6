/*
 * Exclusions that would let a request pass, or score less: the narrowest first. What they name is held to characters
 * that mean nothing in SecLang; where that cannot be the exclusion is made wider, and if even so it could not be
 * written, it is left out.
 */
#ifndef GUIA_CLI_EXCLUSION_H
#define GUIA_CLI_EXCLUSION_H

#include "base/buffer.h"
#include "cli/story.h"

struct exclusion {
	const char *what;  /* what it gives up */
	const char *where; /* where to paste it */
	bool before;       /* ahead of the rules (guia_rules_before) */
	struct buffer text;
};

enum {
	EXCLUSIONS_MAX = 3,
};

/* `path` is the request's, without arguments. Returns how many there are; free their texts. */
size_t exclusions_suggest(const struct story *story, struct slice path, struct exclusion exclusions[EXCLUSIONS_MAX]);

#endif
