/*
 * Candidates are networks, headers that are there or missing, and of each field its frequent values, a list of those in
 * excess, and the test for none that is known. Each is asked of every request of the samples; those that tell the
 * attack from quiet days stay, with their bits.
 */
#include "traffic/search_inside.h"

#include "base/error.h"
#include "traffic/values.h"

#include <math.h>
#include <stdlib.h>

enum {
	CANDIDATES = 512,
	SOURCES_LEAST = 3, /* of whom a value is, before it is in a list */
	KNOWN_LEAST = 400, /* quiet requests, before what none of them has is unknown */
};

/* An item that covers less is not worth a term. */
static const double COVERAGE_LEAST = 0.15;
static const double TELL_TIMES = 5;
static const double LISTED_SHARE = 0.99; /* of what values in excess come to */

/* Which fields tell of the client. Pairs are looked at only for being unknown: any value of theirs is one of two
 * fields. */
static const struct {
	bool tells, equals, unknown;
} FIELDS[SIGNATURE_FIELDS] = {
	[SIGNATURE_SHAPE] = {true, true, true},         [SIGNATURE_AGENT] = {true, true, true},
	[SIGNATURE_ACCEPT] = {true, true, true},        [SIGNATURE_LANGUAGE] = {false, true, true},
	[SIGNATURE_PATH] = {false, true, true},         [SIGNATURE_QUERY] = {true, true, true},
	[SIGNATURE_METHOD] = {false, true, false},      [SIGNATURE_PROTOCOL] = {true, true, false},
	[SIGNATURE_HEADERS] = {true, true, false},      [SIGNATURE_LENGTH] = {false, true, false},
	[SIGNATURE_PACE] = {true, true, false},         [SIGNATURE_SHAPE_AGENT] = {true, false, true},
	[SIGNATURE_AGENT_ACCEPT] = {true, false, true}, [SIGNATURE_AGENT_LANGUAGE] = {true, false, true},
};

/* ---- values ---- */

static void sorted_values(const struct search *search, enum part part, enum signature_field field, uint64_t *values)
{
	for (size_t i = 0; i < search->count[part]; i++)
		values[i] = part_request(search, part, i)->field[field];
	values_sort(values, search->count[part]);
}

struct candidates {
	size_t count;
	struct item items[CANDIDATES];
};

static void offer(struct candidates *candidates, struct signature_term term, bool tells)
{
	if (candidates->count < CANDIDATES)
		candidates->items[candidates->count++] = (struct item){.term = term, .tells = tells};
}

/* A value, how often it came in the attack, and how often one would expect it then. */
struct frequent {
	uint64_t value;
	double attack;
	double expected;
	size_t sources; /* in the attack */
};

static int by_attack(const void *a, const void *b)
{
	double x = ((const struct frequent *)a)->attack, y = ((const struct frequent *)b)->attack;
	return (x < y) - (x > y);
}

/* What both halves hold of the attack's values, in order; `attack` and `train` are sorted. */
static size_t compare_values(const struct search *search, const struct owned_value *attack, const uint64_t *train,
			     struct frequent *values)
{
	size_t count = 0, in_train = 0;
	double normal = expected_of_one(search, PART_TRAIN);
	for (size_t i = 0, next; i < search->count[PART_ATTACK]; i = next) {
		size_t sources = 1;
		for (next = i + 1; next < search->count[PART_ATTACK] && attack[next].value == attack[i].value; next++)
			sources += !address_equal(&attack[next - 1].source, &attack[next].source);
		double quiet = (double)values_count_equal(train, search->count[PART_TRAIN], &in_train, attack[i].value);
		values[count++] = (struct frequent){attack[i].value, (double)(next - i), normal * quiet, sources};
	}
	return count;
}

/*
 * Keeps the values of which more come than `times` what is expected; returns how many, and how often these came. What
 * one visitor has may come with each request of his; `often` is more than that.
 */
static size_t keep_excess(struct frequent *values, size_t count, double times, double often, double *ret_attack)
{
	size_t kept = 0;
	*ret_attack = 0;
	for (size_t i = 0; i < count; i++) {
		bool alone = values[i].sources < SOURCES_LEAST && values[i].attack < often;
		if (values[i].attack < EXCESS_LEAST || values[i].attack <= times * values[i].expected || alone)
			continue;
		*ret_attack += values[i].attack;
		values[kept++] = values[i];
	}
	return kept;
}

/* The values, the most frequent first, that come to nearly all of it: the rest may be one visitor's rarities. */
static size_t most_of(const struct frequent *values, size_t count, double all)
{
	double sum = 0;
	size_t kept = 0;
	while (kept < count && kept < SIGNATURE_LISTED && sum < LISTED_SHARE * all)
		sum += values[kept++].attack;
	return kept;
}

/*
 * The values of which far more come than expected; one alone is no list. If those that hardly any visitor has make up
 * most of them the others are left out: such a list needs no further term.
 */
static int offer_listed(struct search *search, enum signature_field field, struct frequent *values, size_t count,
			struct candidates *candidates)
{
	struct signature_values *listed = &search->signature.listed[field];
	double normal = search->question->normal_share, all, rare;
	const double often = COVERAGE_LEAST * (1 - normal) * (double)search->count[PART_ATTACK];
	size_t kept = keep_excess(values, count, EXCESS_TIMES, often, &all);
	double clean = fmax(EXCESS_TIMES, 1 / (fmax(normal, 1e-6) * search->question->collateral_most));
	rare = 0;
	for (size_t i = 0; i < kept; i++)
		rare += values[i].attack > clean * values[i].expected ? values[i].attack : 0;
	if (rare >= 0.8 * all)
		kept = keep_excess(values, kept, clean, often, &all);
	qsort(values, kept, sizeof(*values), by_attack);
	kept = most_of(values, kept, all);
	if (kept < 2)
		return 0;
	listed->values = malloc(kept * sizeof(*listed->values));
	if (listed->values == NULL)
		return -ENOMEM;
	for (; listed->count < kept; listed->count++)
		listed->values[listed->count] = values[listed->count].value;
	values_sort(listed->values, kept);
	offer(candidates, (struct signature_term){.test = SIGNATURE_ONE_OF, .field = field}, FIELDS[field].tells);
	return 0;
}

static int offer_equal(struct search *search, enum signature_field field, const uint64_t *train,
		       struct candidates *candidates)
{
	size_t attack = search->count[PART_ATTACK];
	struct owned_value *values = owned_values(search, PART_ATTACK, field);
	struct frequent *frequent = malloc((attack + 1) * sizeof(*frequent));
	int r = values == NULL || frequent == NULL ? -ENOMEM : 0;
	if (r == 0) {
		size_t count = compare_values(search, values, train, frequent);
		double least = COVERAGE_LEAST * (1 - search->question->normal_share) * (double)attack;
		for (size_t i = 0; i < count; i++)
			if (frequent[i].attack >= least)
				offer(candidates, (struct signature_term){SIGNATURE_EQUALS, field, frequent[i].value},
				      FIELDS[field].tells);
		r = offer_listed(search, field, frequent, count, candidates);
	}
	free(values);
	free(frequent);
	return r;
}

/* Values that are often enough in the attack, a list of them, and the test for none of those that are known. */
static int offer_field(struct search *search, enum signature_field field, struct candidates *candidates)
{
	uint64_t *train = malloc((search->count[PART_TRAIN] + 1) * sizeof(*train));
	if (train == NULL)
		return -ENOMEM;
	sorted_values(search, PART_TRAIN, field, train);
	int r = FIELDS[field].equals ? offer_equal(search, field, train, candidates) : 0;
	free(train);
	if (r != 0 || !FIELDS[field].unknown || search->count[PART_TRAIN] < KNOWN_LEAST)
		return r;
	r = known_learn(search, field);
	if (r != 0)
		return r;
	offer(candidates, (struct signature_term){.test = SIGNATURE_UNKNOWN, .field = field}, FIELDS[field].tells);
	return 0;
}

/* ---- networks ---- */

struct network {
	struct prefix prefix;
	double attack;
	double quiet;
};

static int by_prefix(const void *a, const void *b)
{
	return memcmp(&((const struct network *)a)->prefix, &((const struct network *)b)->prefix,
		      sizeof(struct prefix));
}

static int by_excess(const void *a, const void *b)
{
	double x = ((const struct network *)a)->attack, y = ((const struct network *)b)->attack;
	return (x < y) - (x > y);
}

static struct network network_of(const struct signature_request *request, enum part part)
{
	struct network network = {.attack = part == PART_ATTACK, .quiet = part != PART_ATTACK};
	network.prefix = address_prefix(&request->source, address_is_v4(&request->source) ? 120 : 64);
	return network;
}

static size_t merge_equal(struct network *networks, size_t count)
{
	size_t kept = 0;
	qsort(networks, count, sizeof(*networks), by_prefix);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && by_prefix(&networks[kept - 1], &networks[i]) == 0) {
			networks[kept - 1].attack += networks[i].attack;
			networks[kept - 1].quiet += networks[i].quiet;
		} else {
			networks[kept++] = networks[i];
		}
	}
	return kept;
}

/* The networks from which far more comes than quiet days lead to expect, those with most first. */
static int offer_networks(struct search *search, struct candidates *candidates)
{
	size_t count = 0, chosen = 0;
	struct network *networks = malloc((search->count[PART_ATTACK] + search->count[PART_TRAIN]) * sizeof(*networks));
	if (networks == NULL)
		return -ENOMEM;
	for (enum part part = PART_ATTACK; part <= PART_TRAIN; part++)
		for (size_t i = 0; i < search->count[part]; i++)
			networks[count++] = network_of(part_request(search, part, i), part);
	count = merge_equal(networks, count);
	double normal = expected_of_one(search, PART_TRAIN);
	for (size_t i = 0; i < count; i++)
		if (is_excess(networks[i].attack, normal * networks[i].quiet))
			networks[chosen++] = networks[i];
	qsort(networks, chosen, sizeof(*networks), by_excess);
	chosen = chosen < SIGNATURE_PREFIXES ? chosen : SIGNATURE_PREFIXES;
	qsort(networks, chosen, sizeof(*networks), by_prefix);
	for (size_t i = 0; i < chosen; i++)
		search->signature.prefix[i] = networks[i].prefix;
	search->signature.prefixes = chosen;
	free(networks);
	if (chosen > 0)
		offer(candidates, (struct signature_term){.test = SIGNATURE_FROM}, false);
	return 0;
}

/* ---- items ---- */

static int by_coverage(const void *a, const void *b)
{
	double x = ((const struct item *)a)->coverage, y = ((const struct item *)b)->coverage;
	return (x < y) - (x > y);
}

/*
 * What a request asks for tells of its site: of another site's any may be. So may any network and any pace: who comes
 * in visits is chosen by them.
 */
static bool is_of_the_site(const struct signature_term *term)
{
	return term->test == SIGNATURE_FROM ||
	       (term->test <= SIGNATURE_UNKNOWN && (term->field == SIGNATURE_PATH || term->field == SIGNATURE_METHOD ||
						    term->field == SIGNATURE_LENGTH || term->field == SIGNATURE_PACE));
}

/* Whether an item holds of a request. What is known is asked of a request that is itself a part of what is known. */
static bool item_holds(const struct search *search, const struct signature *one, enum part part, size_t number)
{
	const struct signature_term *term = &one->conjunction[0].term[0];
	const struct signature_request *request = part_request(search, part, number);
	if (is_of_the_site(term) && is_elsewhere(search, part, number))
		return true;
	if (term->test == SIGNATURE_UNKNOWN && part == PART_TRAIN)
		return signature_values_have(&search->lonely[term->field], request->field[term->field]);
	return signature_matches(one, request);
}

/* Of quiet requests, others' too, the share that asks for such a thing. */
static double share_asked(const struct search *search, const struct signature *one)
{
	size_t count = 0;
	for (size_t i = 0; i < search->count[PART_TRAIN]; i++)
		count += signature_matches(one, part_request(search, PART_TRAIN, i));
	return (double)count / (double)search->count[PART_TRAIN];
}

/*
 * Coverage less the share of quiet requests that it holds of: what tells them apart. What many visitors have as well
 * tells nothing of the client.
 */
static double weigh(struct search *search, struct item *item, uint64_t *bits)
{
	struct signature one = search->signature;
	one.count = 1;
	one.conjunction[0] = (struct signature_conjunction){1, {item->term}};
	memset(bits, 0, search->row * sizeof(*bits));
	for (enum part part = 0; part < PARTS; part++)
		for (size_t i = 0; i < search->count[part]; i++)
			if (item_holds(search, &one, part, i))
				bits[search->at[part] + i / 64] |= (uint64_t)1 << i % 64;
	size_t attack = bits_count(bits + search->at[PART_ATTACK], search->words[PART_ATTACK]);
	size_t train = bits_count(bits + search->at[PART_TRAIN], search->words[PART_TRAIN]);
	double share = (double)train / (double)search->count[PART_TRAIN];
	item->coverage = coverage_of(search, attack, train);
	item->tells = item->tells && item->coverage > TELL_TIMES * share;
	item->quiet = is_of_the_site(&item->term) ? share_asked(search, &one) : share;
	return item->coverage - item->quiet;
}

/* What quiet requests have as often as the attack's tells nothing, in whatever company. */
static int choose(struct search *search, struct candidates *candidates, uint64_t *bits)
{
	size_t kept = 0;
	for (size_t i = 0; i < candidates->count; i++) {
		double weight = weigh(search, &candidates->items[i], bits);
		if (candidates->items[i].coverage < COVERAGE_LEAST || weight < 0.02)
			continue;
		candidates->items[kept] = candidates->items[i];
		/* Sorted by what it tells; its own coverage is counted anew below. */
		candidates->items[kept++].coverage = weight;
	}
	qsort(candidates->items, kept, sizeof(*candidates->items), by_coverage);
	search->item_count = kept < ITEMS_MOST ? kept : ITEMS_MOST;
	for (size_t i = 0; i < search->item_count; i++) {
		search->items[i] = candidates->items[i];
		search->items[i].bits = search->bits + i * search->row;
		(void)weigh(search, &search->items[i], search->items[i].bits);
	}
	return 0;
}

int items_find(struct search *search)
{
	struct candidates *candidates = calloc(1, sizeof(*candidates));
	uint64_t *bits = malloc(search->row * sizeof(*bits));
	int r = candidates == NULL || bits == NULL ? -ENOMEM : offer_networks(search, candidates);
	for (unsigned header = 0; r == 0 && header < 32; header++) {
		offer(candidates, (struct signature_term){.test = SIGNATURE_HAS, .value = header}, true);
		offer(candidates, (struct signature_term){.test = SIGNATURE_LACKS, .value = header}, true);
	}
	for (enum signature_field field = 0; r == 0 && field < SIGNATURE_FIELDS; field++)
		r = offer_field(search, field, candidates);
	if (r == 0)
		r = choose(search, candidates, bits);
	free(candidates);
	free(bits);
	return r;
}
