/*
 * The origin's pages, and how a reader knows that one is: it holds when it was made, what was asked, and a keyed hash
 * over both, under a key that only the origin and the residents' client have.
 */
#ifndef GUIA_DRILL_PAGE_H
#define GUIA_DRILL_PAGE_H

#include "base/hash.h"

enum {
	PAGE_BYTES = 900, /* below what the gate would compress */
	PAGE_FOREIGN = 1, /* not the origin's, or of another request */
};

/* What was asked, as one number. */
uint64_t page_asked(const struct hash_key *key, const char *method, const char *host, const char *uri,
		    const char *body);

void page_write(const struct hash_key *key, uint64_t asked, int64_t made_ns, char page[PAGE_BYTES]);

/* 0 with the time at which it was made, or PAGE_FOREIGN. */
int page_read(const struct hash_key *key, uint64_t asked, struct slice page, int64_t *ret_made_ns);

#endif
