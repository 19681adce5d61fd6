/*
 * One buffer serves both ways: if the cache has the notes they are read out of it, else it is written and stored in the
 * end. What a note says is the affair of its step.
 */
#include "match/scan_notes.h"

/* What is found out of a few small patterns takes less time than a file that is synced. */
enum { KEPT_BYTES_LEAST = 48 * 1024 };

int scan_notes_open(const struct scan_cache *cache, const struct scan_cache_key *key, struct diagnostics *diagnostics,
		    struct scan_notes *ret_notes)
{
	*ret_notes = (struct scan_notes){.kept = cache != NULL, .out = buffer_make(NULL), .key = *key};
	int r = scan_cache_load(cache, key, diagnostics, &ret_notes->out);
	if (r < 0)
		return r;
	ret_notes->told = r == 1;
	ret_notes->in = reader_make(buffer_slice(&ret_notes->out));
	return 0;
}

void scan_notes_begin_anew(struct scan_notes *notes)
{
	notes->told = false;
	buffer_clear(&notes->out);
}

int scan_notes_keep(const struct scan_notes *notes, const struct scan_cache *cache, struct diagnostics *diagnostics)
{
	/* What was not, or could not be, written down is worked out again next time. */
	if (notes->told || notes->out.len < KEPT_BYTES_LEAST || notes->out.error != 0)
		return 0;
	return scan_cache_store(cache, &notes->key, buffer_slice(&notes->out), diagnostics);
}

void scan_notes_close(struct scan_notes *notes)
{
	buffer_free(&notes->out);
}
