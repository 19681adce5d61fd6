/* VERIFY.md of a bundle: the file of that name beside this one, with the bundle's own in place of @WORDS@. */
#include "bundle/papers.h"

#include <inttypes.h>

extern const unsigned char verify_md[];
extern const size_t verify_md_len;

/* The exhibit that the steps begin with: the record that says that the export was begun. */
static const struct export_epoch *first_exhibit(const struct export_plan *plan)
{
	size_t at = 0;
	while (at + 1 < plan->epoch_count && plan->epochs[at].begun == UINT64_MAX)
		at++;
	return &plan->epochs[at];
}

static bool add_word(const struct export_plan *plan, struct slice word, struct buffer *out)
{
	const struct export_epoch *epoch = first_exhibit(plan);
	if (slice_equal(word, SLICE("INCIDENT")))
		buffer_printf(out, "%" PRIu64, plan->incident);
	else if (slice_equal(word, SLICE("EXPORT")))
		buffer_text(out, plan->id);
	else if (slice_equal(word, SLICE("EPOCH")))
		buffer_printf(out, "%04u", epoch->number);
	else if (slice_equal(word, SLICE("RECORD")))
		buffer_printf(out, "%" PRIu64, epoch->begun);
	else
		return false;
	return true;
}

void papers_instructions(const struct export_plan *plan, struct buffer *out)
{
	struct slice rest = slice_make(verify_md, verify_md_len), part;
	while (rest.len > 0) {
		struct slice after = slice_cut(rest, '@', &part), word;
		buffer_add(out, part);
		bool ended = part.len == rest.len;
		rest = after;
		if (ended)
			return;
		after = slice_cut(rest, '@', &word);
		if (add_word(plan, word, out))
			rest = after;
		else
			buffer_byte(out, '@');
	}
}
