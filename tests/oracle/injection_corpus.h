/* Strings to put to both detectors: sentences of grammars, dressed and damaged, and lines of files. */
#ifndef GUIA_TESTS_ORACLE_INJECTION_CORPUS_H
#define GUIA_TESTS_ORACLE_INJECTION_CORPUS_H

#include "base/slice.h"
#include "tools/grammar/grammar.h"

enum { VALUE_MAX = 4096 };

struct value {
	uint8_t bytes[VALUE_MAX];
	size_t len;
};

struct corpus {
	const char *path; /* of a grammar */
	const char *rule;
	bool dressed; /* as scanners slip by filters */
	bool damaged; /* what is left is often no injection any more, and seldom text */
};

typedef void corpus_visit(void *context, const struct value *value);

void corpus_dress(struct value *value, struct grammar_random *random);
void corpus_damage(struct value *value, struct grammar_random *random);
void corpus_draw(const struct corpus *corpus, unsigned draws, uint64_t seed, corpus_visit *visit, void *context);

/* At most `lines` lines, or pieces of them, of text files under `folder`; none if it is not there. */
void corpus_read(const char *folder, unsigned lines, uint64_t seed, corpus_visit *visit, void *context);

/* Words with a space between them; a lone ~ takes its place. */
void corpus_join(const struct slice *words, size_t count, struct value *ret);

#endif
