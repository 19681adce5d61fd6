/* The first line is a pattern, the rest a value: the scan keeps the promise of its class. */
#include "match/regex.h"
#include "match/scan.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct regex_scratch *regex_scratch;
	struct slice pattern, value = slice_cut(slice_make(data, size), '\n', &pattern);
	const struct regex_limits limits = {.match = 100000};
	struct regex *regex;
	struct scan_scratch *scratch;
	struct scan_builder *builder;
	struct scan_set *set;
	uint64_t bits = 0;
	if (pattern.len > 200 || regex_compile(pattern, 0, &regex, NULL) != 0)
		return 0;
	if ((regex_scratch == NULL && regex_scratch_create(&regex_scratch) != 0) ||
	    scan_scratch_create(&scratch) != 0 || scan_builder_create(NULL, &builder) != 0 ||
	    scan_builder_add_regex(builder, 0, pattern, 0) != 0 || scan_set_compile(builder, NULL, NULL, &set) != 0 ||
	    scan_scratch_fit(scratch, set) != 0)
		abort();
	regex_scratch_rely_on_pcre2(regex_scratch);
	int r = regex_match(regex, regex_scratch, value, 0, &limits, NULL, NULL);
	int hit = scan_run(set, scratch, value, NULL, &bits);
	if (hit < 0 || (r == REGEX_MATCH && !hit) || (r == REGEX_NONE && hit && scan_set_class(set, 0) == SCAN_EXACT))
		abort();
	scan_set_free(set), scan_scratch_free(scratch), scan_builder_free(builder), regex_free(regex);
	return 0;
}
