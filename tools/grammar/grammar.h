/*
 * Sentences of a grammar kept as text, drawn at random but repeatably. "[name]" opens a rule, each line under it is one
 * way to write it: words, and <name> for another rule. "4* words" counts as four such lines. In a word \s is a space,
 * \n a newline. Lines that start with # are comments. An empty way is written as a single _.
 */
#ifndef GUIA_TOOLS_GRAMMAR_H
#define GUIA_TOOLS_GRAMMAR_H

#include "base/slice.h"

enum { GRAMMAR_WORDS_MAX = 40 };

struct grammar;

/* NULL, with a message on stderr, if the file cannot be read or names a rule that is not there. */
struct grammar *grammar_load(const char *path);
void grammar_free(struct grammar *grammar);

/* xorshift64*; the seed must not be 0. */
struct grammar_random {
	uint64_t state;
};
uint64_t grammar_random_next(struct grammar_random *random);
size_t grammar_random_below(struct grammar_random *random, size_t limit);

/* The first words, at most GRAMMAR_WORDS_MAX, of a sentence of `rule`; returns their number. They live as the grammar.
 */
size_t grammar_draw(const struct grammar *grammar, const char *rule, struct grammar_random *random,
		    struct slice words[GRAMMAR_WORDS_MAX]);

typedef void grammar_visit(void *context, const struct slice *words, size_t count);

/*
 * Every sentence of `rule`, or where it is longer its first `limit` words. Weights count for nothing; a sentence that
 * can be derived in two ways may be visited twice. A rule must write a word before it names itself again.
 */
void grammar_walk(const struct grammar *grammar, const char *rule, size_t limit, grammar_visit *visit, void *context);

#endif
