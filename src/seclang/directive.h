/* The walk over a source: each statement to its directive; includes are walked where they stand. */
#ifndef GUIA_SECLANG_DIRECTIVE_H
#define GUIA_SECLANG_DIRECTIVE_H

#include "seclang/id_table.h"
#include "seclang/unit.h"

enum {
	INCLUDE_DEPTH_MAX = 16,
	INCLUDE_FILES_MAX = 10000, /* a few files that include each other often stand for any number */
};

struct walk {
	struct compiler compiler;
	struct seclang_unit *unit;
	struct phase_state *phases;
	struct id_table ids; /* of the unit's heads; the walk's owner frees it */
	/* The chain being built: its head, the last link, and whether that link announced another. */
	struct rule *head;
	struct rule *last;
	bool chain_open;
	struct source_place chain_place;
	const char *including[INCLUDE_DEPTH_MAX]; /* the files being walked, outermost first */
	size_t depth;
};

/* Walks a text. 0, -EINVAL if any statement was wrong (all are tried, all are told), or -ENOMEM. */
int walk_text(struct walk *walk, struct slice text, const char *file, unsigned first_line);

/* Walks a file; `place` is who asks for it, for diagnostics. */
int walk_file(struct walk *walk, const char *path, const struct source_place *place);

/* To be called after the last text: a chain without its end is an error. */
int walk_end(struct walk *walk);

/* Tells of a directive with too many or too few arguments, whose right form is `form`. -EINVAL. */
int directive_wrong_count(struct walk *walk, const struct statement *statement, const char *form);

#endif
