/*
 * What was worked out of a set's patterns, kept on disk beside what Hyperscan made of it (scan_cache.h). A set is built
 * by steps that follow from its patterns alone: each writes what it came to into the notes, one behind the other, or
 * reads it there. Their key is a SHA-256 over the patterns, Hyperscan's version, the processor, and all sources that
 * have a say in it (tools/digest-sources), so that no notes are older than the code. For the files of the scan.
 */
#ifndef GUIA_MATCH_SCAN_NOTES_H
#define GUIA_MATCH_SCAN_NOTES_H

#include "base/reader.h"
#include "match/scan_cache.h"

struct scan_notes {
	bool told;         /* steps read from `in`; else, if `kept`, they write to `out` */
	bool kept;         /* there is a cache to keep them in */
	struct reader in;  /* what is told comes to its end with the last step */
	struct buffer out; /* also holds what is told */
	struct scan_cache_key key;
};

/* Those that the cache has (NULL: none). Close them in any case. 0 or -ENOMEM. */
int scan_notes_open(const struct scan_cache *cache, const struct scan_cache_key *key, struct diagnostics *diagnostics,
		    struct scan_notes *ret_notes);

/* They are taken again. */
void scan_notes_begin_anew(struct scan_notes *notes);

/* Stores what was written, if it is worth a file. 0 or -ENOMEM; other trouble is a warning. */
int scan_notes_keep(const struct scan_notes *notes, const struct scan_cache *cache, struct diagnostics *diagnostics);
void scan_notes_close(struct scan_notes *notes);

#endif
