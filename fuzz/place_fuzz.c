/* The first line is a pattern, the rest a value: its automaton finds the leftmost match where PCRE2's interpreter does.
 */
#include "base/buffer.h"
#include "match/automaton.h"
#include "match/regex.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct regex_scratch *scratch;
	static struct automaton_pool *pool;
	struct slice pattern, value = slice_cut(slice_make(data, size), '\n', &pattern);
	const struct regex_limits limits = {.match = 100000};
	struct buffer text = buffer_make(NULL);
	struct regex_span span = {REGEX_UNSET, 0};
	struct automaton_builder *builder;
	struct automaton *automaton;
	struct regex *regex;
	size_t count = 1;
	if ((scratch == NULL && (regex_scratch_create(&scratch) != 0 || automaton_pool_create(&pool) != 0)) ||
	    automaton_builder_create(true, &builder) != 0)
		abort();
	buffer_add(&text, SLICE("(*NO_JIT)"));
	buffer_add(&text, pattern);
	bool fit = pattern.len > 0 && pattern.len < 200 && automaton_builder_add(builder, pattern, 0) == 0;
	if (fit && regex_compile(buffer_slice(&text), 0, &regex, NULL) == 0) {
		int r = regex_match(regex, scratch, value, 0, &limits, &span, &count);
		if (automaton_build(builder, &automaton) != 0)
			abort();
		size_t start = automaton_leftmost(automaton, pool, value, 0);
		if (r != REGEX_LIMIT && start != (r == REGEX_MATCH ? span.start : SIZE_MAX))
			abort();
		automaton_free(automaton);
		regex_free(regex);
	}
	automaton_builder_free(builder);
	buffer_free(&text);
	return 0;
}
