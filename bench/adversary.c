/*
 * The search for what costs most. Candidates are a prefix and a unit that is repeated to fill 1, 10 or 100 KB at one
 * place of an exchange: pumps of every repetition of every pattern of the rule set, its phrases, fragments of attacks
 * and encodings, and strings of these. All are screened at 2 KB, place after place; the worst are mutated and joined
 * (hill climbing); the worst ten are measured at the three sizes. The cost is that of the whole exchange less that of
 * one with an empty value, by the bytes of the value. No two runs see the same value.
 *
 *   adversary [--rules VERSION] [--seconds N] [--seed N] [--cache FOLDER] [--json]       N for all rule sets together
 *   adversary --rules VERSION --place NAME [--prefix TEXT] --unit TEXT [--size BYTES] [--count N]      one candidate;
 * \xHH
 */
#include "measure.h"
#include "random.h"
#include "seeds.h"

#include "base/buffer.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	SCREEN_BYTES = 2048,
	KEPT = 150,        /* candidates, the worst so far */
	WORST = 10,        /* of these are reported ... */
	SHOWN_OF_RULE = 2, /* ... but no more of one rule, and so many ... */
	SHOWN_BYTES = 512, /* ... bytes of each */
	ROUNDS = 3,
	RUNS_OF_A_ROUND = 4,
	SLOW_NS_A_BYTE = 3000, /* what costs so much is not tried larger */
};

static const size_t sizes[] = {1000, 10000, 100000};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

struct settings {
	const char *rules;
	const char *place;
	const char *prefix;
	const char *unit;
	const char *cache;
	double seconds;
	size_t size;
	size_t count;
	uint64_t seed;
	bool json;
};

/* CPU time, and twice as much by the clock on the wall where the machine is busy. */
struct deadline {
	double cpu;
	double wall;
};

/* Of values at one kind of place. */
struct search {
	struct settings settings;
	struct gauge *gauge;
	struct seeds *seeds;
	bool many;                       /* which places */
	struct candidate kept[KEPT + 1]; /* the worst first */
	size_t kept_count;
	uint64_t seed;
	size_t screened;
	size_t climbed;
};

/* Into the list of the worst, in order; a list without what differs only in its last bytes. */
static void keep(struct search *s, struct candidate c)
{
	size_t at = 0;
	for (size_t i = 0; i < s->kept_count; i++) {
		struct candidate *k = &s->kept[i];
		if (k->place == c.place && slice_equal(k->unit, c.unit)) {
			if (k->score >= c.score)
				return;
			memmove(k, k + 1, (--s->kept_count - i) * sizeof(*k));
			break;
		}
	}
	while (at < s->kept_count && s->kept[at].score >= c.score)
		at++;
	if (at == KEPT)
		return;
	memmove(&s->kept[at + 1], &s->kept[at], (s->kept_count - at) * sizeof(c));
	s->kept[at] = c;
	s->kept_count += s->kept_count < KEPT;
}

static bool worse_than_kept(const struct search *s, double score)
{
	return s->kept_count < KEPT || score > s->kept[s->kept_count - 1].score;
}

/* A second run must say so too: the first may have been disturbed. What is slow already is not tried larger. */
static void try_candidate(struct search *s, struct candidate c, size_t bytes)
{
	if (bytes > sizes[1] && candidate_cost(s->gauge, &c, sizes[1], 1) > SLOW_NS_A_BYTE) {
		c.size = 1;
		bytes = sizes[1];
	}
	c.score = candidate_cost(s->gauge, &c, bytes, 1);
	if (!worse_than_kept(s, c.score))
		return;
	c.score = fmin(c.score, candidate_cost(s->gauge, &c, bytes, 2));
	if (worse_than_kept(s, c.score))
		keep(s, c);
}

static struct deadline deadline_in(double seconds)
{
	return (struct deadline){cpu_ns() + seconds * 1e9, wall_ns() + 2e9 * seconds};
}

static bool is_early(struct deadline until)
{
	return cpu_ns() < until.cpu && wall_ns() < until.wall;
}

static void screen(struct search *s, struct deadline until)
{
	for (size_t place = 0; place < PLACES; place++) {
		for (size_t i = 0; places[place].many == s->many && i < s->seeds->count; i++) {
			struct candidate c = s->seeds->items[i];
			if (!is_early(until))
				return;
			c.place = (uint8_t)place;
			c.size = 1;
			try_candidate(s, c, SCREEN_BYTES);
			s->screened++;
		}
	}
}

static struct slice joined(struct search *s, struct slice a, struct slice b)
{
	struct buffer out = buffer_make(&s->seeds->texts);
	buffer_add(&out, a);
	buffer_add(&out, b);
	return slice_sub(buffer_slice(&out), 0, UNIT_MAX);
}

static size_t draw_place(struct search *s)
{
	size_t place;
	do
		place = random_below(&s->seed, PLACES);
	while (places[place].many != s->many);
	return place;
}

static void mutate(struct search *s, struct candidate *c)
{
	const struct candidate *other = &s->kept[random_below(&s->seed, s->kept_count)];
	size_t cut = random_below(&s->seed, c->unit.len + 1);
	switch (random_below(&s->seed, 8)) {
	case 0:
		c->unit = joined(s, c->unit, other->unit);
		break;
	case 1:
		c->unit = joined(s, slice_sub(c->unit, 0, cut),
				 slice_after(other->unit, random_below(&s->seed, other->unit.len)));
		break;
	case 2:
		c->unit = cut > 0 ? slice_sub(c->unit, 0, cut) : c->unit;
		break;
	case 3:
		c->unit = cut < c->unit.len ? slice_after(c->unit, cut) : c->unit;
		break;
	case 4:
		c->unit = joined(s, c->unit, seeds_draw(s->seeds));
		break;
	case 5:
		c->prefix = random_below(&s->seed, 2) == 0 ? other->prefix : SLICE("");
		break;
	case 6:
		c->place = (uint8_t)draw_place(s);
		break;
	default:
		c->unit = joined(s, slice_sub(c->unit, 0, cut),
				 joined(s, seeds_draw(s->seeds), slice_after(c->unit, cut)));
		break;
	}
	c->size = (uint8_t)(random_below(&s->seed, 8) < 4 ? 1 : random_below(&s->seed, SIZES));
}

static void climb(struct search *s, struct deadline until)
{
	for (size_t i = 0; i < s->kept_count && is_early(until); i++)
		s->kept[i].score = candidate_cost(s->gauge, &s->kept[i], sizes[s->kept[i].size], 2);
	while (s->kept_count > 0 && is_early(until)) {
		size_t a = random_below(&s->seed, s->kept_count);
		size_t b = random_below(&s->seed, s->kept_count);
		struct candidate c = s->kept[a < b ? a : b];
		mutate(s, &c);
		try_candidate(s, c, sizes[c.size]);
		s->climbed++;
	}
}

static void show(struct slice bytes, bool json, FILE *out)
{
	for (size_t i = 0; i < bytes.len && i < SHOWN_BYTES; i++) {
		uint8_t c = bytes.ptr[i];
		if (c < ' ' || c > '~' || c == '\\' || (json && c == '"'))
			fprintf(out, json ? "\\\\x%02x" : "\\x%02x", c);
		else
			fputc(c, out);
	}
}

struct costs {
	double ns[SIZES];
	double most;
	double growth; /* a byte, the largest size over the one before */
};

/* The least counts: of a round, and of rounds, for what disturbs one may take longer than it. */
static void measure_sizes(struct search *s, const struct candidate *c, bool first, struct costs *costs)
{
	costs->most = 0;
	for (size_t i = 0; i < SIZES; i++) {
		if (costs->most > 10 * SLOW_NS_A_BYTE)
			break; /* 0 stands for: would take too long */
		double once = candidate_cost(s->gauge, c, sizes[i], 1);
		unsigned runs = once * (double)sizes[i] > 1e8 ? 0 : RUNS_OF_A_ROUND;
		double least = fmin(once, candidate_cost(s->gauge, c, sizes[i], runs));
		costs->ns[i] = first ? least : fmin(costs->ns[i], least);
		costs->most = fmax(costs->most, costs->ns[i]);
	}
	costs->growth = costs->ns[SIZES - 1] / costs->ns[SIZES - 2];
}

static void print_candidate(const struct search *s, const char *version, const struct candidate *c,
			    const struct costs *costs)
{
	bool json = s->settings.json;
	printf(json ? "{\"figure\":\"adversary-worst\",\"rules\":\"%s\",\"ns_1k\":%.1f,\"ns_10k\":%.1f,\"ns_100k\":%."
		      "1f,"
		      "\"growth\":%.2f,\"place\":\"%s\",\"rule\":%ld,\"prefix\":\""
		    : "%s: %7.1f %7.1f %7.1f ns/byte, growth %.2f, --place %s, rule %ld, --prefix '",
	       version, costs->ns[0], costs->ns[1], costs->ns[2], costs->growth, places[c->place].name, c->rule_id);
	show(c->prefix, json, stdout);
	printf(json ? "\",\"unit\":\"" : "' --unit '");
	show(c->unit, json, stdout);
	printf(json ? "\"}\n" : "'\n");
}

static int by_score(const void *a, const void *b)
{
	double x = ((const struct candidate *)a)->score;
	double y = ((const struct candidate *)b)->score;
	return (x < y) - (x > y);
}

/* Ten that all come from one pattern would hide the others. */
static bool enough_of_rule(const struct search *s, size_t index)
{
	unsigned before = 0;
	for (size_t i = 0; i < index; i++)
		before += s->kept[i].rule_id == s->kept[index].rule_id;
	return s->kept[index].rule_id != 0 && before >= SHOWN_OF_RULE;
}

static void report(struct search *s, const char *version)
{
	const struct candidate *shown[WORST];
	struct costs costs[WORST] = {{.most = 0}}, worst = {.most = 0};
	double growth = 0;
	size_t count = 0;
	qsort(s->kept, s->kept_count, sizeof(s->kept[0]), by_score);
	for (size_t i = 0; i < s->kept_count && count < WORST; i++)
		if (!enough_of_rule(s, i))
			shown[count++] = &s->kept[i];
	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < count; i++)
			measure_sizes(s, shown[i], round == 0, &costs[i]);
	for (size_t i = 0; i < count; i++) {
		if (costs[i].most > worst.most)
			worst = costs[i];
		growth = fmax(growth, costs[i].growth);
		print_candidate(s, version, shown[i], &costs[i]);
	}
	if (s->settings.json)
		printf("{\"figure\":\"%s\",\"rules\":\"%s\",\"ns_a_byte\":%.1f,\"growth\":%.2f,\"growth_most\":%"
		       ".2f,"
		       "\"candidates\":%zu,\"screened\":%zu,\"climbed\":%zu}\n",
		       s->many ? "adversary-many" : "adversary", version, worst.most, worst.growth, growth,
		       s->seeds->count, s->screened, s->climbed);
	else
		printf("CRS %s: worst %.1f ns a byte, 100 KB over 10 KB %.2f (most of the ten %.2f); %zu candidates, "
		       "screened %zu of "
		       "%zu, climbed %zu\n",
		       version, worst.most, worst.growth, growth, s->seeds->count, s->screened,
		       s->seeds->count * PLACES, s->climbed);
	fflush(stdout);
}

static struct slice unescape(const char *text, struct arena *arena)
{
	struct buffer out = buffer_make(arena);
	for (const char *p = text; *p != '\0'; p++) {
		if (p[0] == '\\' && p[1] == 'x' && p[2] != '\0' && p[3] != '\0') {
			buffer_byte(&out,
				    (uint8_t)(byte_hex_value((uint8_t)p[2]) * 16 + byte_hex_value((uint8_t)p[3])));
			p += 3;
		} else {
			buffer_byte(&out, (uint8_t)*p);
		}
	}
	return buffer_slice(&out);
}

static int run_one(const struct settings *settings, struct gauge *gauge, const char *version)
{
	struct search s = {.settings = *settings, .gauge = gauge};
	struct candidate c = {.place = PLACES};
	struct arena texts;
	double total = 0;
	arena_init(&texts, SIZE_MAX, 0);
	for (uint8_t i = 0; i < PLACES; i++)
		if (strcmp(places[i].name, settings->place) == 0)
			c.place = i;
	c.prefix = unescape(settings->prefix, &texts);
	c.unit = unescape(settings->unit, &texts);
	if (c.place < PLACES && c.unit.len > 0 && settings->size == 0) {
		struct costs costs = {.most = 0};
		for (size_t round = 0; round < ROUNDS; round++)
			measure_sizes(&s, &c, round == 0, &costs);
		print_candidate(&s, version, &c, &costs);
	} else if (c.place < PLACES && c.unit.len > 0) {
		for (size_t i = 0; i < settings->count; i++)
			total += candidate_cost(gauge, &c, settings->size, 1);
		printf("CRS %s, %zu bytes: %.1f ns a byte\n", version, settings->size, total / (double)settings->count);
	}
	arena_destroy(&texts);
	return c.place < PLACES && c.unit.len > 0 ? 0 : -EINVAL;
}

/* Values have the larger share of the time. */
static int run_all(const struct settings *settings, struct gauge *gauge, const struct rule_set *set, double seconds)
{
	struct seeds seeds;
	int r = seeds_load(&seeds, set->needs, settings->seed);
	for (int many = 0; many < 2 && r == 0; many++) {
		struct search *s = calloc(1, sizeof(*s));
		double share = seconds * (many ? 0.2 : 0.8);
		if (s == NULL) {
			r = -ENOMEM;
			break;
		}
		s->settings = *settings;
		s->gauge = gauge;
		s->seeds = &seeds;
		s->many = many;
		s->seed = settings->seed;
		screen(s, deadline_in(share * 0.55));
		climb(s, deadline_in(share * 0.4));
		report(s, set->version);
		free(s);
	}
	seeds_free(&seeds);
	return r;
}

static int run_set(const struct settings *settings, struct guia_pool *pool, const struct rule_set *set, double seconds)
{
	struct gauge gauge;
	struct ours *ours = ours_new(pool, set->file);
	if (ours == NULL)
		return -EINVAL;
	gauge_init(&gauge, ours);
	int r = settings->unit != NULL ? run_one(settings, &gauge, set->version)
				       : run_all(settings, &gauge, set, seconds);
	gauge_destroy(&gauge);
	ours_free(ours);
	return r;
}

static const struct option choices[] = {
	{"rules", required_argument, NULL, 'r'},
	{"seconds", required_argument, NULL, 't'},
	{"seed", required_argument, NULL, 's'},
	{"cache", required_argument, NULL, 'c'},
	{"place", required_argument, NULL, 'p'},
	{"prefix", required_argument, NULL, 'x'},
	{"unit", required_argument, NULL, 'u'},
	{"size", required_argument, NULL, 'b'},
	{"count", required_argument, NULL, 'k'},
	{"json", no_argument, NULL, 'j'},
	{NULL, 0, NULL, 0},
};

static bool take(struct settings *s, int choice, const char *value)
{
	switch (choice) {
	case 'r':
		s->rules = value;
		return true;
	case 't':
		s->seconds = strtod(value, NULL);
		return s->seconds > 0;
	case 's':
		s->seed = strtoull(value, NULL, 10);
		return true;
	case 'c':
		s->cache = value;
		return true;
	case 'p':
		s->place = value;
		return true;
	case 'x':
		s->prefix = value;
		return true;
	case 'u':
		s->unit = value;
		return true;
	case 'b':
		s->size = strtoul(value, NULL, 10);
		return true;
	case 'k':
		s->count = strtoul(value, NULL, 10);
		return s->count > 0;
	case 'j':
		s->json = true;
		return true;
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	struct settings settings = {
		.seconds = 180, .seed = 1, .count = 1, .cache = "build/bench/cache", .place = "argument", .prefix = ""};
	struct guia_pool *pool;
	int r = 0;
	for (int choice; (choice = getopt_long(argc, argv, "", choices, NULL)) != -1;)
		if (!take(&settings, choice, optarg)) {
			fprintf(stderr, "usage: see the head of bench/adversary.c\n");
			return 2;
		}
	struct guia_pool_options options = {.cache_dir = settings.cache};
	if (guia_pool_new(&options, &pool) != 0)
		return 1;
	for (size_t i = 0; i < RULE_SETS && r == 0; i++) {
		if (settings.rules != NULL && strcmp(settings.rules, rule_sets[i].version) != 0)
			continue;
		if (access(rule_sets[i].needs, R_OK) != 0)
			fprintf(stderr, "CRS %s is skipped: %s is absent\n", rule_sets[i].version, rule_sets[i].needs);
		else
			r = run_set(&settings, pool, &rule_sets[i],
				    settings.rules != NULL ? settings.seconds : settings.seconds / RULE_SETS);
	}
	guia_pool_free(pool);
	if (r != 0)
		fprintf(stderr, "adversary: %s\n", strerror(-r));
	return r == 0 ? 0 : 1;
}
