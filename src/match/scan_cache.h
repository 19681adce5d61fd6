/*
 * Compiled scan sets kept on disk. They are code in all but name, so they are treated like it: a folder and its files
 * count only if they belong to root or to the current user, are no symbolic links and cannot be written by others, and
 * if a SHA-256 over the content holds. The key is a SHA-256 over all that the content follows from: what is given to
 * Hyperscan, its version and the processor; for notes (scan_notes.h) our sources besides. Files are written aside,
 * synced and renamed: two starts at once are safe, and a reader sees a whole file or none. Whatever is wrong, the set
 * is compiled instead, and a warning says why. What was not loaded for three months, as what an earlier version of us
 * left, is removed when a cache is closed.
 */
#ifndef GUIA_MATCH_SCAN_CACHE_H
#define GUIA_MATCH_SCAN_CACHE_H

#include "base/diagnostic.h"

struct scan_cache;

struct scan_cache_key {
	uint8_t sha256[32];
};

/*
 * Opens the folder, making it (mode 0700) if only the last part is missing. Returns 0; 1 when it cannot be trusted or
 * used, with a warning in `diagnostics`, and *ret_cache then NULL, which every function below takes; or -ENOMEM.
 */
int scan_cache_open(const char *folder, struct diagnostics *diagnostics, struct scan_cache **ret_cache);
void scan_cache_close(struct scan_cache *cache);

/* Appends the content stored under `key`. 1 found, 0 not there or not to be trusted (the latter warns), -ENOMEM. */
int scan_cache_load(const struct scan_cache *cache, const struct scan_cache_key *key, struct diagnostics *diagnostics,
		    struct buffer *out);

/* Stores content; failing to is a warning. -ENOMEM or 0. */
int scan_cache_store(const struct scan_cache *cache, const struct scan_cache_key *key, struct slice content,
		     struct diagnostics *diagnostics);

#endif
