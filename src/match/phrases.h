/*
 * Many phrases at once, ASCII case ignored: @pm and @pmFromFile, by Aho and Corasick (1975). Linear in the value. A
 * compiled list is immutable and shared by threads; matching needs no scratch and never allocates.
 */
#ifndef GUIA_MATCH_PHRASES_H
#define GUIA_MATCH_PHRASES_H

#include "base/slice.h"

struct phrases;

/* Phrases as they are collected, before compiling. Zero-initialise; free in the end. */
struct phrase_list {
	struct slice *items; /* each owns its bytes */
	size_t count;
	size_t capacity;
};

/* Adds a copy; an empty phrase is left out. 0 or -ENOMEM. */
int phrase_list_add(struct phrase_list *list, struct slice phrase);

/*
 * @pm's argument: words between white space, with |hex bytes| and the escapes \: \; \\ \" as Snort has them; quotes
 * around the whole are taken off. An argument with any other escape is taken literally, as ModSecurity does.
 * 0 or -ENOMEM.
 */
int phrase_list_add_argument(struct phrase_list *list, struct slice argument);

/*
 * The content of a file for @pmFromFile: a phrase a line, kept with its spaces; a line that is empty, or whose first
 * byte other than white space is #, is left out. A line ends at LF only, as in ModSecurity. 0 or -ENOMEM.
 */
int phrase_list_add_file(struct phrase_list *list, struct slice content);
void phrase_list_free(struct phrase_list *list);

/* The list may be freed afterwards. 0 or -ENOMEM; -EFBIG when the phrases hold more than 16 million bytes. */
int phrases_compile(const struct phrase_list *list, struct phrases **ret_phrases);
void phrases_free(struct phrases *phrases);

/* The phrases, for a scan set: duplicates (case ignored) are told once. */
size_t phrases_count(const struct phrases *phrases);
struct slice phrases_at(const struct phrases *phrases, size_t index);

struct phrase_match {
	struct slice text; /* what ModSecurity puts into TX.0 and MATCHED_VAR: as spelt in the list, lives with the
			      phrases */
	size_t start;      /* the bytes of the value that it stands for */
	size_t end;
};

/*
 * True if a phrase occurs. The match told is the one that ends first; where phrases overlap its text is the longest
 * beginning of any phrase that ends there, as ModSecurity tells it. ret_match may be NULL.
 */
bool phrases_match(const struct phrases *phrases, struct slice value, struct phrase_match *ret_match);

#endif
