/* What automaton.c and automaton_build.c share. */
#ifndef GUIA_MATCH_AUTOMATON_INTERNAL_H
#define GUIA_MATCH_AUTOMATON_INTERNAL_H

#include "match/automaton.h"
#include "match/pattern.h"

enum instruction_kind {
	INSTRUCTION_SET,    /* takes a byte of a set, goes to next */
	INSTRUCTION_SPLIT,  /* goes to next and to other */
	INSTRUCTION_ASSERT, /* goes to next where the assertion holds */
	INSTRUCTION_MATCH,  /* its pattern has matched */
};

struct instruction {
	uint8_t kind;
	uint8_t pattern;  /* whose it is */
	uint32_t operand; /* set or assertion */
	uint32_t next;
	uint32_t other;
};

/* Bytes that no pattern tells apart are one class; the end of the value is the last class. */
struct automaton {
	struct automaton_name name;
	struct instruction *instructions;
	uint32_t instruction_count;
	uint32_t *starts; /* by pattern */
	uint32_t pattern_count;
	struct pattern_set *class_sets; /* by set: the classes in it, in place of bytes */
	uint32_t class_count;           /* the end included: at most 257 */
	uint16_t class_of[256];
	bool class_is_word[257];
	bool class_is_newline[257];
};

#endif
