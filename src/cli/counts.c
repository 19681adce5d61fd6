/*
 * Phases and standings are counted rule by rule from the engine's profile, without markers; all else is what compiling
 * told.
 */
#include "cli/counts.h"

static const struct {
	const char *json;
	const char *text;
} standings[COUNTS_STANDINGS] = {
	[GUIA_STANDING_NEVER] = {"never", "never match"},
	[GUIA_STANDING_SETTLED] = {"settled", "are settled"},
	[GUIA_STANDING_CANDIDATE] = {"candidate", "are asked where a value could matter to them"},
	[GUIA_STANDING_ALWAYS] = {"always", "are asked by every request"},
};

int counts_take(const struct engine *engine, struct rule_counts *ret_counts)
{
	struct guia_profile *profile;
	struct guia_profile_rule rule;
	struct rule_counts counts = {.stats = engine->stats, .warnings = engine->warnings};
	if (guia_profile_new(engine->rules, &profile) != 0)
		return cli_fail(CLI_ENVIRONMENT, "out of memory");
	for (size_t i = 0; guia_profile_rule_at(profile, i, &rule); i++) {
		if (rule.marker || rule.phase < 1 || rule.phase > COUNTS_PHASES)
			continue;
		counts.by_phase[rule.phase - 1]++;
		counts.by_standing[rule.standing]++;
	}
	guia_profile_free(profile);
	*ret_counts = counts;
	return CLI_FINE;
}

void counts_text(const struct rule_counts *counts, const char *indent, struct buffer *out)
{
	const struct guia_compile_stats *s = &counts->stats;
	buffer_printf(out, "%s%zu rules (%zu with the links of chains), %zu removed, from %zu files\n", indent,
		      s->rules, s->links, s->removed, s->files);
	buffer_printf(out, "%sby phase:", indent);
	for (size_t i = 0; i < COUNTS_PHASES; i++)
		buffer_printf(out, "%s %zu in %zu", i > 0 ? "," : "", counts->by_phase[i], i + 1);
	buffer_printf(out, "\n%swhen loaded:", indent);
	for (size_t i = 0; i < COUNTS_STANDINGS; i++)
		buffer_printf(out, "%s %zu %s", i > 0 ? "," : "", counts->by_standing[i], standings[i].text);
	buffer_printf(out,
		      "\n%s%zu patterns, %zu of them exact; %zu databases: %zu read from the cache, %zu compiled\n",
		      indent, s->patterns, s->exact_patterns, s->databases, s->databases_cached,
		      s->databases - s->databases_cached);
	buffer_printf(out, "%scompiled in %.2f s; %zu warnings\n", indent, (double)s->elapsed_us / 1e6,
		      counts->warnings);
}

void counts_json(const struct rule_counts *counts, struct buffer *out)
{
	const struct guia_compile_stats *s = &counts->stats;
	buffer_printf(out,
		      "\"rules\":%zu,\"links\":%zu,\"removed\":%zu,\"files\":%zu,\"patterns\":%zu,"
		      "\"exact_patterns\":%zu,\"databases\":%zu,\"databases_cached\":%zu,\"elapsed_us\":%llu,"
		      "\"warnings\":%zu,\"by_phase\":[",
		      s->rules, s->links, s->removed, s->files, s->patterns, s->exact_patterns, s->databases,
		      s->databases_cached, (unsigned long long)s->elapsed_us, counts->warnings);
	for (size_t i = 0; i < COUNTS_PHASES; i++)
		buffer_printf(out, "%s%zu", i > 0 ? "," : "", counts->by_phase[i]);
	buffer_text(out, "],\"when_loaded\":{");
	for (size_t i = 0; i < COUNTS_STANDINGS; i++)
		buffer_printf(out, "%s\"%s\":%zu", i > 0 ? "," : "", standings[i].json, counts->by_standing[i]);
	buffer_byte(out, '}');
}
