/*
 * Which steps of the courses a value makes candidates of. For each variable that stays as it is while a phase runs, and
 * for each name that rules select, there is a set of probes: the heads that look at such a value, each with the
 * pipeline it looks through and what it asks. Most ask by a bit of a scan that serves all patterns of the set; the rest
 * by their operator. Heads that cannot be asked ahead (TX, what rules and the clock change) are candidates always.
 *
 * A probe may say yes where the rule says no, never the other way round: candidates are evaluated in full.
 */
#ifndef GUIA_ENGINE_PROBE_H
#define GUIA_ENGINE_PROBE_H

#include "codec/byte_kind.h"
#include "engine/gate.h"
#include "engine/plan.h"
#include "match/scan.h"

enum {
	PROBE_NODES_MAX = 64, /* pipelines of a set, the value as it is among them */
	PROBE_DEPTH_MAX = 16, /* transformations one after another */
	PROBE_LENGTHS = 33,   /* of values, from 0 on; the last stands for all that are longer, too */
};

/* Where an argument came from. */
enum probe_part { PROBE_PART_OTHER, PROBE_PART_QUERY, PROBE_PART_BODY, PROBE_PARTS };

/* A pipeline within a set: a path from node 0, parents first. */
struct probe_node {
	uint8_t parent;
	uint8_t transform;
	uint32_t triggers; /* bytes without which this transformation changes nothing */
	uint64_t behind;   /* nodes that go on from here, at once or later */
};

/* Where the set's pipelines have a transformation. */
struct probe_use {
	uint8_t transform;
	uint32_t triggers;
	uint64_t at;     /* these nodes are it */
	uint64_t behind; /* nodes behind them */
};

/* A bit of a scan, seen through a node, makes a candidate of a step. */
struct probe_bit {
	uint16_t bit;
	uint8_t node;
	uint16_t step;    /* among those of all phases */
	uint16_t confirm; /* index + 1 of the set's confirmation: a set bit may say too much; 0: it is the verdict */
};

struct probe_question;

/* One database. */
struct probe_scan {
	uint32_t id; /* no other scan of the process has it */
	const struct scan_set *set;
	size_t words;
	size_t min_width;          /* nothing is found in a shorter value */
	uint64_t nodes;            /* that have a bit here */
	const uint64_t *slots;     /* by node: what of the set is wanted through it */
	size_t slot_words;         /* of each */
	const uint64_t *all_slots; /* what is wanted through any */
	const struct scan_signs *signs;
	const struct scan_signs *all_signs;
	uint64_t lowers;              /* nodes: what is wanted there of a lowered value is found in it as it was */
	const struct probe_bit *bits; /* by bit */
	const uint16_t *first_of_bit; /* index of a bit's first; one more than there are bits */
	size_t bit_count;
	const struct probe_bit *clear; /* of negated operators: a clear bit makes the candidate */
	size_t clear_count;
	/*
	 * Lists of phrases are in the database with all others. Where no more than a few are wanted they can be asked
	 * by themselves: at which nodes which are, and where the database is wanted for other reasons, too.
	 */
	const struct probe_question *phrases;
	size_t phrases_count;
	uint64_t not_phrases;
};

/* An operator asked by itself. */
struct probe_question {
	const struct rule *rule;
	struct slice argument;
	uint64_t nodes; /* through any of which it looks */
	uint32_t needs; /* of these kinds of bytes (codec/byte_kind.h) a value has one, or it is no match; 0: of none */
	uint16_t step;
};

/*
 * Of a value of a level and a length, the nodes of which something that is asked at them, or at or behind them, may
 * match: where the value stands at the node; where it stands before the node, which is to make its bytes of it; and
 * where it is the value as it came.
 */
struct probe_matter {
	uint64_t asked;
	uint64_t here;
	uint64_t behind;
	uint64_t at_first;
};

/* Nodes at and behind which nothing can match a value without two dots in a row, unless it has bytes of some kinds. */
struct probe_dots {
	uint32_t unless;
	uint64_t nodes;
};

struct probe_set {
	const struct probe_set *base; /* that of values whose name nobody selects; NULL if this is it */
	uint32_t id;                  /* no other set of the process has it */
	const struct probe_node *nodes;
	uint8_t node_count;
	uint64_t asked;          /* nodes that a scan or a question looks through */
	uint64_t questioned;     /* of these, those that a question does */
	uint64_t lowered_unread; /* lowercase, and only scans look through them that need not see its bytes */
	const struct probe_use *uses;
	size_t use_count;
	struct probe_matter matter[BYTE_LEVELS][PROBE_LENGTHS];
	const struct probe_scan *scans;
	size_t scan_count;
	const struct probe_question *questions;
	size_t question_count;
	const struct probe_question *confirmations;
	const uint16_t *steps; /* candidates whatever the value */
	size_t step_count;
	const struct probe_dots *dots;
	size_t dots_count;
};

/* All sets of a variable. */
struct probe_family {
	enum variable variable;
	const struct probe_set *sets[PROBE_PARTS]; /* of names nobody selects; NULL: no rule looks */
	/* The names, lower case or as XPath, with their sets; the table is open-addressed, of index + 1. */
	const struct slice *names;
	const struct target *const *targets; /* of XML: one that selects so */
	const struct rule *const *rules;     /* and its rule */
	const struct probe_set *const (*named)[PROBE_PARTS];
	size_t name_count;
	const uint16_t *table;
	size_t table_size;
	size_t first_count; /* where the numbers of values by name are kept */
};

/* Two collections whose values come in pairs: names, and what they name. */
struct probe_pair {
	const struct probe_family *values; /* NULL: no rule looks at them */
	const struct probe_family *names;
	enum variable value_variable;
	enum variable name_variable;
	bool of_any_name;              /* rules look at some of them whatever the name */
	uint32_t numbers[PROBE_PARTS]; /* under which pairs are remembered */
	uint32_t run_number;           /* under which runs of them are */
};

enum { PROBE_PAIRS = 4 };

/* Some of the families. */
struct probe_list {
	const uint8_t *indexes;
	size_t count;
};

/* A head that asks how many values there are, or a later link that does. */
struct probe_count {
	const struct rule *rule;
	const struct target *target;
	int32_t name; /* where the number of values of that name is kept; -1: of all */
	int64_t number;
	uint16_t step;
};

struct probes {
	const struct probe_family *families; /* scalars first */
	size_t family_count;
	size_t scalar_count;
	struct probe_pair pairs[PROBE_PAIRS];
	struct probe_list line_scalars;            /* those that are parts of the request line */
	uint32_t line_number;                      /* under which they are remembered together */
	struct probe_list scalars[PHASE_LAST + 1]; /* that may have changed before a phase; 0: all but the line's */
	struct probe_list singles;                 /* collections that are in no pair */
	const struct probe_count *counts;          /* by phase */
	size_t first_count[PHASE_LAST + 2];        /* of a phase's */
	struct gate_sleepers sleepers;
	size_t name_count;      /* of all families */
	const uint64_t *always; /* a bit per step: candidates of every request */
	const uint64_t *lean;   /* the same without settled steps that only tell of matches */
	size_t words;           /* of it */
};

/* Whether a variable stays as it is while a phase runs. */
bool probe_is_steady(enum variable variable);

/* Fills in which nodes matter for which values, when all else of the set is there. */
void probe_find_what_matters(struct probe_set *set);

/* Fills in which nodes need two dots in a row; `others`: nodes at which something is asked that does not. 0 or -ENOMEM.
 */
int probe_find_dots(struct probe_set *set, uint64_t others, struct arena *arena);

/*
 * Of nodes, all before which the value stands, those at or behind which something may match it, as far as two dots in a
 * row tell.
 */
uint64_t probe_nodes_dotted(const struct probe_set *set, struct slice value, uint32_t kinds, uint64_t nodes);

/* Why the head of a step is evaluated whatever the values are; NULL if values make a candidate of it. */
const char *probe_obstacle(const struct course_step *step);

/* Builds the probes of the plan's courses in its arena. 0, -ENOMEM, or -E2BIG: more than 16 bits can count. */
int probe_build(struct plan *plan);

#endif
