/* The tree of a pattern while it is being parsed (match/pattern.c). */
#ifndef GUIA_MATCH_PATTERN_TREE_H
#define GUIA_MATCH_PATTERN_TREE_H

#include "base/reader.h"
#include "match/pattern.h"

enum { PATTERN_DEPTH_MAX = 100 /* groups, one inside the other */ };

struct pattern_flags {
	bool caseless;
	bool dotall;
	bool multiline;
	bool ungreedy; /* (?U): a repeat is lazy unless a ? follows */
};

/* An open parenthesis. */
struct pattern_frame {
	uint32_t alt;
	uint32_t cat;  /* the alternative being filled */
	uint32_t last; /* its newest item; PATTERN_NO_NODE if none or not to be repeated */
	struct pattern_flags outer;
};

struct pattern_parser {
	struct reader in;
	struct pattern *out;
	struct pattern_flags flags;
	struct pattern_frame stack[PATTERN_DEPTH_MAX];
	size_t depth;
	int error; /* sticky: PATTERN_OPAQUE or -ENOMEM */
};

/* The first error stays. */
void pattern_fail(struct pattern_parser *p, int error);

/* A node by itself; PATTERN_NO_NODE without memory, which is an error of the parser's. */
uint32_t pattern_add_node(struct pattern_parser *p, enum pattern_kind kind);
void pattern_append_child(struct pattern_parser *p, uint32_t parent, uint32_t child);

/* Adds an item to the open alternative. NULL where there has been an error. */
struct pattern_node *pattern_add_item(struct pattern_parser *p, enum pattern_kind kind);
void pattern_add_set(struct pattern_parser *p, const struct pattern_set *set);
void pattern_add_byte(struct pattern_parser *p, uint8_t byte);
void pattern_add_assertion(struct pattern_parser *p, enum pattern_assertion assertion);

#endif
