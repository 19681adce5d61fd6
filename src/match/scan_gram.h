/*
 * Which patterns a short value can match, told by the grams that they need (match/pattern_gram.h): up to 64 grams are
 * followed at once, a bit each, by one look into a table for each of their bytes (Baeza-Yates and Gonnet, "A New
 * Approach to Text Searching", 1992, with sets of bytes for bytes), or only where a sieve lets a place through.
 */
#ifndef GUIA_MATCH_SCAN_GRAM_H
#define GUIA_MATCH_SCAN_GRAM_H

#include "base/buffer.h"
#include "base/reader.h"
#include "match/pattern_gram.h"

enum { SCAN_GRAM_VALUE_BYTES = 256 /* in longer values most grams are found */ };

struct scan_grams;

/*
 * Of the patterns in `count` slots; NULL: nothing is known of that slot's. Where there are more grams than bits some
 * are merged, in place. 0 or -ENOMEM.
 */
int scan_grams_create(struct pattern_grams *const *slots, size_t count, struct scan_grams **ret_grams);
void scan_grams_free(struct scan_grams *grams);

/* As bytes for a process of the same build, and back (match/image.h): 0, -ENOMEM, or -EBADMSG. */
void scan_grams_write(const struct scan_grams *grams, struct buffer *out);
int scan_grams_read(struct reader *in, struct scan_grams **ret_grams);

/*
 * Those of the wanted grams that stand in a value, a bit each. `lowered`: it is taken as if its ASCII letters were
 * lower case. The value has SCAN_GRAM_VALUE_BYTES at most.
 */
uint64_t scan_grams_find(const struct scan_grams *grams, struct slice value, bool lowered, uint64_t wanted);

/* The same of all grams, without instructions that not every machine has. */
uint64_t scan_grams_find_plainly(const struct scan_grams *grams, struct slice value, bool lowered);

/* Takes out of `slots`, a bit each, those whose patterns a value with no more than these grams cannot match. */
void scan_grams_narrow(const struct scan_grams *grams, uint64_t found, uint64_t *slots);

/* Whether grams of a slot's pattern are known, and then which: without any of them a value does not match. */
bool scan_grams_of_slot(const struct scan_grams *grams, uint32_t slot, uint64_t *ret_grams);

#endif
