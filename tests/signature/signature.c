/*
 * Signatures against worlds of which the truth is known (world.h): every fourth is a crowd. Each is judged on requests
 * that had no part in the search.
 *
 *     signature FIRST COUNT [--json] [-v]      seeds; TAP, and what was worst
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	ATTACK_SAMPLE = 6000,
	QUIET_SAMPLE = 32768,
	QUIET_THINNED = 8, /* of so many one is kept */
	JUDGED_INTRUDERS = 5000,
	JUDGED_VISITORS = 40000,
};

struct outcome {
	bool found;
	double coverage; /* of the attack, in truth */
	double hit;      /* of visitors */
	double seconds;
	struct signature signature;
};

static double cpu_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static double share_matched(struct world *world, struct signature_request (*draw)(struct world *),
			    const struct signature *signature, unsigned count)
{
	unsigned matched = 0;
	for (unsigned i = 0; i < count; i++) {
		struct signature_request request = draw(world);
		matched += signature_matches(signature, &request);
	}
	return (double)matched / count;
}

static struct outcome try_world(struct world *world)
{
	static struct signature_request attack[ATTACK_SAMPLE], quiet[QUIET_SAMPLE];
	struct outcome outcome = {0};
	for (unsigned i = 0; i < QUIET_SAMPLE; i++)
		for (unsigned j = 0; j < QUIET_THINNED; j++)
			quiet[i] = world_visitor(world);
	for (unsigned i = 0; i < ATTACK_SAMPLE; i++)
		attack[i] = (double)world_random(world, 1000000) < 1e6 * world_normal_share(world)
				    ? world_visitor(world)
				    : world_intruder(world);
	const struct signature_question question = {
		{attack, ATTACK_SAMPLE}, {quiet, QUIET_SAMPLE}, world_normal_guess(world), 0.001, 0.8, {0}};
	double began = cpu_seconds();
	int r = signature_search(&question, &outcome.signature);
	outcome.seconds = cpu_seconds() - began;
	if (r < 0)
		abort();
	outcome.found = r == 0;
	if (outcome.found) {
		outcome.coverage = share_matched(world, world_intruder, &outcome.signature, JUDGED_INTRUDERS);
		outcome.hit = share_matched(world, world_visitor, &outcome.signature, JUDGED_VISITORS);
	}
	return outcome;
}

static void print_signature(const struct signature *signature)
{
	static const char *const tests[SIGNATURE_TESTS] = {"is",         "is one of a list", "is unknown",
							   "has header", "lacks header",     "from prefixes"};
	for (unsigned i = 0; i < signature->count; i++)
		for (unsigned at = 0; at < signature->conjunction[i].count; at++) {
			const struct signature_term *term = &signature->conjunction[i].term[at];
			printf("#   %s %s %s %lu\n", at == 0 ? "-" : " ",
			       term->test <= SIGNATURE_UNKNOWN ? signature_field_name(term->field) : "",
			       tests[term->test], term->test == SIGNATURE_EQUALS ? term->value % 10000 : term->value);
		}
}

struct sums {
	unsigned attacks, found, crowds, crowds_found;
	double coverage, hit, worst_coverage, worst_hit, worst_seconds;
	uint64_t worst_coverage_seed, worst_hit_seed;
};

static void add(struct sums *sums, uint64_t seed, bool crowd, const struct outcome *outcome)
{
	sums->worst_seconds = outcome->seconds > sums->worst_seconds ? outcome->seconds : sums->worst_seconds;
	if (crowd) {
		sums->crowds++;
		sums->crowds_found += outcome->found;
		return;
	}
	sums->attacks++;
	sums->found += outcome->found;
	sums->coverage += outcome->coverage;
	sums->hit += outcome->hit;
	if (sums->attacks == 1 || outcome->coverage < sums->worst_coverage) {
		sums->worst_coverage = outcome->coverage;
		sums->worst_coverage_seed = seed;
	}
	if (outcome->hit > sums->worst_hit) {
		sums->worst_hit = outcome->hit;
		sums->worst_hit_seed = seed;
	}
}

static bool report(const struct sums *s, bool json)
{
	double coverage = s->coverage / s->attacks, hit = s->hit / s->attacks;
	if (json)
		printf("{\"figure\": \"signature\", \"row\": \"%u attacks, %u crowds\", \"missed\": %.4f, "
		       "\"missed_most\": %.4f, "
		       "\"residents_hit\": %.6f, \"residents_hit_most\": %.6f, \"crowds\": %u, \"seconds_most\": "
		       "%.2f}\n",
		       s->attacks, s->crowds, 1 - coverage, 1 - s->worst_coverage, hit, s->worst_hit, s->crowds_found,
		       s->worst_seconds);
	else
		printf("1..3\n%s 1 - 98 %% of attacks are covered\n%s 2 - 0.1 %% of visitors at most are hit in any "
		       "world\n%s 3 - none for a crowd\n"
		       "# %u attacks, %u with a signature: covered %.2f %%, the worst %.2f %% (seed %lu); visitors hit "
		       "%.4f %%, the worst "
		       "%.4f %% (seed %lu)\n# %u crowds, %u with a signature; the longest search took %.2f s\n",
		       coverage >= 0.98 ? "ok" : "not ok", s->worst_hit <= 0.001 ? "ok" : "not ok",
		       s->crowds_found == 0 ? "ok" : "not ok", s->attacks, s->found, coverage * 100,
		       s->worst_coverage * 100, s->worst_coverage_seed, hit * 100, s->worst_hit * 100,
		       s->worst_hit_seed, s->crowds, s->crowds_found, s->worst_seconds);
	return coverage >= 0.98 && s->worst_hit <= 0.001 && s->crowds_found == 0;
}

int main(int argc, char **argv)
{
	bool json = false, verbose = false;
	struct sums sums = {0};
	if (argc < 3)
		return 2;
	uint64_t first = strtoull(argv[1], NULL, 10), count = strtoull(argv[2], NULL, 10);
	for (int i = 3; i < argc; i++) {
		json |= strcmp(argv[i], "--json") == 0;
		verbose |= strcmp(argv[i], "-v") == 0;
	}
	for (uint64_t seed = first; seed < first + count; seed++) {
		bool crowd = seed % 4 == 0;
		struct world *world = world_new(seed, crowd ? WORLD_CROWD : WORLD_ATTACK);
		struct outcome outcome = try_world(world);
		if (verbose || (!json && (crowd ? outcome.found : outcome.coverage < 0.9 || outcome.hit > 0.001))) {
			printf("# %lu: covered %.1f %%, visitors hit %.3f %%, %.2f s: %s\n", seed,
			       outcome.coverage * 100, outcome.hit * 100, outcome.seconds, world_text(world));
			print_signature(&outcome.signature);
		}
		add(&sums, seed, crowd, &outcome);
		signature_free(&outcome.signature);
		world_free(world);
	}
	return report(&sums, json) ? 0 : 1;
}
