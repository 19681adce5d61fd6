/*
 * Random plans through the book and the guard, and what comes out of them judged by an oracle of its own: nothing may
 * be announced outside of what was agreed, at no time may there be more than agreed, and everything ends.
 *
 *     plans SEED COUNT [--json]
 */
#include "../collide/random.h"
#include "oracle.h"
#include "upstream/lease_journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORLD_PLANS = 500, ANNOUNCED_MOST = 128, LINE_BYTES = 2200, ASKED_MOST = 64 };

struct told {
	char line[LINE_BYTES]; /* behind "announce " */
	uint64_t asked_ms;     /* when somebody last wanted it */
};

struct world {
	struct upstream_operator operator_;
	struct prefix ours[3], spared[3];
	struct operator_service services[3];
	struct lease_book *book;
	struct buffer journal, lines;
	struct told told[ANNOUNCED_MOST];
	size_t told_count;
	char (*asked)[LINE_BYTES]; /* lines that ExaBGP has not answered, the oldest first */
	size_t asked_count;
	uint64_t changes[4096];
	size_t change_count;
	uint64_t now_ms, held_ms;
	uint64_t seed;
};

struct sums {
	uint64_t plans, announced, refused, withdrawn, outside;
};

static void fault(struct sums *sums, const struct world *w, const char *what, const char *line)
{
	if (sums->outside++ < 10)
		printf("# at %" PRIu64 ": %s: %s\n", w->now_ms, what, line);
}

/* ---- worlds ---- */

static struct prefix random_prefix(uint64_t *seed, const struct prefix *within, unsigned most)
{
	struct address a;
	unsigned bits = within->bits + random_below(seed, most - within->bits + 1);
	for (size_t i = 0; i < ADDRESS_BYTES; i += 8) {
		uint64_t word = random_next(seed);
		memcpy(a.bytes + i, &word, 8);
	}
	uint64_t high = address_mask(within->bits), low = address_mask(within->bits > 64 ? within->bits - 64 : 0);
	a = address_from_words((address_high(&within->address) & high) | (address_high(&a) & ~high),
			       (address_low(&within->address) & low) | (address_low(&a) & ~low));
	return address_prefix(&a, bits);
}

static const struct prefix ALL_V4 = {{{[10] = 0xff, 0xff}}, ADDRESS_V4_BITS};
static const struct prefix GLOBAL_V6 = {{{0x20}}, 3};

static void world_make(struct world *w, uint64_t seed)
{
	static const struct operator_service services[] = {{6, 80}, {6, 443}, {17, 443}};
	*w = (struct world){.seed = seed, .now_ms = 1000};
	uint64_t *s = &w->seed;
	w->ours[0] = random_prefix(s, &ALL_V4, 96 + 24);
	w->ours[1] = random_prefix(s, &GLOBAL_V6, 48);
	w->ours[2] = random_prefix(s, &ALL_V4, 96 + 30);
	for (size_t i = 0; i < 3; i++)
		w->spared[i] = random_prefix(s, &w->ours[i], w->ours[i].bits + 2);
	memcpy(w->services, services, sizeof(services));
	w->operator_ = (struct upstream_operator){
		.name = "one",
		.peer = random_prefix(s, &ALL_V4, ADDRESS_BITS).address,
		.local = random_prefix(s, &w->ours[0], ADDRESS_BITS).address,
		.prefixes = w->ours,
		.prefix_count = 3,
		.spared = w->spared,
		.spared_count = random_below(s, 4),
		.services = w->services,
		.service_count = random_below(s, 4),
		.takes_flows = !random_once(s, 8),
		.takes_blackholes = !random_once(s, 4),
		.has_next_hop = {true, !random_once(s, 4)},
		.next_hop = {random_prefix(s, &w->ours[0], 128).address, random_prefix(s, &w->ours[1], 128).address},
		.flow_bits = {(uint8_t)random_below(s, 33), (uint8_t)random_below(s, 129)},
		.blackhole_bits = {(uint8_t)(24 + random_below(s, 9)), (uint8_t)(48 + random_below(s, 81))},
		.rules_most = 1 + random_below(s, 30),
		.changes_most = 1 + random_below(s, 60),
		.lifetime_s = 10 + random_below(s, 600),
		.all_need_yes = random_once(s, 8),
	};
	if (lease_book_create(&w->operator_, 1, &w->book) != 0)
		abort();
}

static void world_free(struct world *w)
{
	lease_book_free(w->book);
	buffer_free(&w->journal);
	buffer_free(&w->lines);
}

/* ---- plans ---- */

static void random_terms(struct flow_rule *rule, uint64_t *seed)
{
	static const uint32_t usual[] = {0,   1,   6,   17,  22,   53,   58,   79,   80,   81,
					 123, 442, 443, 444, 1023, 1024, 1500, 1501, 65535};
	unsigned component = FLOW_PROTOCOL - 1;
	for (unsigned left = random_below(seed, 4); left > 0; left--) {
		component += 1 + random_below(seed, 4);
		for (unsigned terms = 1 + random_below(seed, 3), first = 1; terms > 0; terms--, first = 0) {
			uint32_t value =
				random_once(seed, 3) ? (uint32_t)random_next(seed) & 0xffff : RANDOM_OF(seed, usual);
			unsigned test = flow_is_bits(component) ? random_below(seed, 4) : 1 + random_below(seed, 6);
			(void)flow_rule_add(rule, component, test | (!first && random_once(seed, 2) ? FLOW_AND : 0),
					    value & flow_value_most(component));
		}
	}
}

static struct prefix random_destination(struct world *w)
{
	uint64_t *s = &w->seed;
	const struct prefix *near = &w->ours[random_below(s, 3)];
	if (random_once(s, 12))
		return random_prefix(s, random_once(s, 2) ? &ALL_V4 : &GLOBAL_V6, ADDRESS_BITS);
	if (random_once(s, 12))
		return address_prefix(&near->address, near->bits - 1);
	return random_prefix(s, near, random_once(s, 3) && near->bits < 120 ? near->bits + 8u : (unsigned)ADDRESS_BITS);
}

static struct route random_route(struct world *w)
{
	uint64_t *s = &w->seed;
	struct prefix destination = random_destination(w);
	bool v6 = !prefix_is_v4(&destination);
	if (random_once(s, 4))
		return (struct route){.kind = ROUTE_BLACKHOLE,
				      .prefix = random_once(s, 2) ? address_prefix(&destination.address, ADDRESS_BITS)
								  : destination,
				      .next_hop = w->operator_.next_hop[random_once(s, 20) ? !v6 : v6]};
	struct route route = {.kind = ROUTE_FLOW, .flow = {.v6 = v6}};
	route.flow.destination = (struct flow_prefix){!random_once(s, 50), 0, destination};
	if (random_once(s, 3))
		route.flow.source = (struct flow_prefix){true, 0,
							 random_prefix(s,
								       random_once(s, 10) ? &w->ours[0]
								       : v6               ? &GLOBAL_V6
											  : &ALL_V4,
								       ADDRESS_BITS)};
	random_terms(&route.flow, s);
	route.rate_bytes = random_once(s, 3) ? random_next(s) % (2 * ROUTE_RATE_MOST) : 0;
	return route;
}

/* ---- what came of them ---- */

/* What is done with packets makes no other route. */
static bool is_about(const char *a, const char *b)
{
	size_t len = strcspn(a, "}");
	return strcspn(b, "}") == len && strncmp(a, b, len) == 0;
}

static struct told *told_find(struct world *w, const char *rest)
{
	for (size_t i = 0; i < w->told_count; i++)
		if (is_about(w->told[i].line, rest))
			return &w->told[i];
	return NULL;
}

static void check_pace(struct world *w, struct sums *sums, const char *line)
{
	size_t within = 0;
	w->changes[w->change_count++ % 4096] = w->now_ms;
	for (size_t i = 0; i < w->change_count && i < 4096; i++)
		within += w->now_ms - w->changes[i] < GUARD_MINUTE_MS;
	if (within > w->operator_.changes_most)
		fault(sums, w, "faster than agreed", line);
}

static void announced(struct world *w, struct sums *sums, const char *line, bool yes)
{
	const char *wrong = oracle_judge(&w->operator_, line, yes, &w->seed);
	const char *rest = strstr(line, " announce ");
	sums->announced++;
	if (wrong != NULL || rest == NULL) {
		fault(sums, w, wrong != NULL ? wrong : "no announcement", line);
		return;
	}
	struct told *told = told_find(w, rest + 10);
	if (told == NULL || strcmp(told->line, rest + 10) != 0)
		check_pace(w, sums, line);
	if (told == NULL && w->told_count < ANNOUNCED_MOST)
		told = &w->told[w->told_count++];
	if (told == NULL || w->told_count > w->operator_.rules_most)
		fault(sums, w, "more than agreed", line);
	else
		snprintf(told->line, sizeof(told->line), "%s", rest + 10);
	if (told != NULL)
		told->asked_ms = w->now_ms;
}

static void withdrawn(struct world *w, struct sums *sums, const char *line)
{
	struct told *told = told_find(w, strstr(line, " withdraw ") + 10);
	sums->withdrawn++;
	if (told != NULL)
		*told = w->told[--w->told_count];
}

static bool yes_of(const struct world *w, const char *line)
{
	const struct lease *leases;
	struct route_line parsed;
	size_t count = lease_list(w->book, &leases);
	uint8_t key[ROUTE_KEY_BYTES], other[ROUTE_KEY_BYTES];
	size_t len = route_line_read(slice_from_string(line), &parsed) ? route_key(&parsed.route, key) : 0;
	for (size_t i = 0; i < count; i++)
		if (leases[i].state == LEASE_ANNOUNCED && route_key(&leases[i].route, other) == len &&
		    memcmp(key, other, len) == 0)
			return leases[i].yes;
	return false;
}

/* One that ExaBGP does not take is not announced; another line about the same tells what is. */
static void answer(struct world *w, bool taken)
{
	const struct lease_sink sink = {.journal = &w->journal, .lines = &w->lines};
	const char *rest = w->asked_count > 0 ? strstr(w->asked[0], " announce ") : NULL;
	for (size_t i = 1; rest != NULL && i < w->asked_count; i++)
		rest = is_about(strstr(w->asked[i], "nounce ") != NULL ? strstr(w->asked[i], "nounce ") + 7
								       : strstr(w->asked[i], "thdraw ") + 7,
				rest + 10)
			       ? NULL
			       : rest;
	struct told *told = rest != NULL ? told_find(w, rest + 10) : NULL;
	taken = taken || told == NULL;
	if (!taken)
		*told = w->told[--w->told_count];
	lease_answered(w->book, taken, w->now_ms, &sink);
	if (w->asked_count > 0)
		memmove(w->asked[0], w->asked[1], --w->asked_count * LINE_BYTES);
}

/* All that was written, and then whether too much is left. */
static void check(struct world *w, struct sums *sums)
{
	char *text = (char *)w->lines.ptr, *end = text + w->lines.len;
	for (char *line = text, *next; line < end; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		*next = '\0';
		if (w->asked_count == ASKED_MOST)
			answer(w, true);
		snprintf(w->asked[w->asked_count++], LINE_BYTES, "%s", line);
		if (strstr(line, " withdraw ") != NULL)
			withdrawn(w, sums, line);
		else
			announced(w, sums, line, yes_of(w, line));
	}
	buffer_clear(&w->lines);
	for (size_t i = 0; i < w->told_count; i++) {
		if (w->now_ms - w->told[i].asked_ms >= (uint64_t)w->operator_.lifetime_s * 1000)
			fault(sums, w, "longer than agreed", w->told[i].line);
		if (w->now_ms - w->held_ms >= LEASE_HOLD_MS)
			fault(sums, w, "held by nobody", w->told[i].line);
	}
}

/* ---- what happens ---- */

static void ask(struct world *w, struct sums *sums, const struct lease_sink *sink)
{
	uint64_t *s = &w->seed, life_ms = random_next(s) % (w->operator_.lifetime_s * 1200u);
	const struct lease *leases, *lease;
	struct route route = random_route(w);
	size_t count = lease_list(w->book, &leases);
	if (count > 0 && random_once(s, 4))
		route = leases[random_below(s, (unsigned)count)].route;
	const struct lease_ask wanted = {
		.route = &route, .until_ms = w->now_ms + life_ms, .yes = random_once(s, 2), .by = random_below(s, 2)};
	if (lease_ask(w->book, &wanted, w->now_ms, sink, &lease) != GUARD_PASSES) {
		sums->refused++;
		return;
	}
	struct buffer text = buffer_make(NULL);
	(void)route_write(&lease->route, &text);
	buffer_byte(&text, '\0');
	struct told *told = told_find(w, (char *)text.ptr);
	if (told != NULL)
		told->asked_ms = w->now_ms;
	buffer_free(&text);
}

/* Bytes that somebody has tampered with, straight to a guard. */
static void tamper(struct world *w, struct sums *sums)
{
	struct route_line line = {.neighbor = w->operator_.peer, .route = random_route(w)};
	struct buffer text = buffer_make(NULL);
	struct guard *guard;
	const struct guard_terms terms = {w->now_ms, w->now_ms + 1000, random_once(&w->seed, 2)};
	if (route_line_write(&line, &text) == 0 && guard_create(&w->operator_, &guard) == 0) {
		text.ptr[text.len - 1] = '\0';
		for (unsigned left = random_below(&w->seed, 4); left > 0; left--)
			text.ptr[random_below(&w->seed, (unsigned)text.len - 1)] =
				(uint8_t) "0123456789 /.:;&=<>!{}[]ad\n"[random_below(&w->seed, 27)];
		if (guard_pass(guard, slice_sub(buffer_slice(&text), 0, text.len - 1), &terms) == GUARD_PASSES) {
			const char *wrong = oracle_judge(&w->operator_, (char *)text.ptr, terms.yes, &w->seed);
			if (wrong != NULL)
				fault(sums, w, wrong, (char *)text.ptr);
		}
		guard_free(guard);
	}
	buffer_free(&text);
}

/* The keeper is killed, and its next life reads the journal. */
static void kill_keeper(struct world *w, const struct lease_sink *sink)
{
	struct buffer journal = w->journal;
	lease_book_free(w->book);
	w->journal = buffer_make(NULL);
	if (lease_book_create(&w->operator_, 1, &w->book) != 0 ||
	    lease_journal_read(w->book, buffer_slice(&journal), SLICE("boot"), w->now_ms, sink) != 0)
		abort();
	w->asked_count = 0;
	buffer_clear(&w->journal);
	lease_journal_write(w->book, SLICE("boot"), &w->journal);
	buffer_free(&journal);
}

static uint32_t any_lease(struct world *w)
{
	const struct lease *leases;
	size_t count = lease_list(w->book, &leases);
	return count > 0 ? leases[random_below(&w->seed, (unsigned)count)].id : 0;
}

static void step(struct world *w, struct sums *sums)
{
	const struct lease_sink sink = {.journal = &w->journal, .lines = &w->lines};
	w->now_ms += random_once(&w->seed, 3) ? random_below(&w->seed, 8000) : 0;
	(void)lease_tick(w->book, w->now_ms, &sink);
	check(w, sums);
	if (random_once(&w->seed, 4)) {
		lease_hold(w->book, w->now_ms, &sink);
		w->held_ms = w->now_ms;
	}
	switch (random_below(&w->seed, 12)) {
	case 0:
		(void)lease_end(w->book, any_lease(w), &sink);
		break;
	case 1:
		(void)lease_lift(w->book, any_lease(w), &sink);
		break;
	case 2:
		(void)lease_raise(w->book, any_lease(w), w->now_ms, &sink);
		break;
	case 3:
		if (random_once(&w->seed, 20))
			kill_keeper(w, &sink);
		break;
	case 4:
		tamper(w, sums);
		break;
	default:
		ask(w, sums, &sink);
	}
	check(w, sums);
	for (unsigned left = random_below(&w->seed, 3); left > 0; left--)
		answer(w, !random_once(&w->seed, 50));
	check(w, sums);
	sums->plans++;
}

static void world_run(uint64_t seed, struct sums *sums)
{
	struct world *w = malloc(sizeof(*w));
	char(*asked)[LINE_BYTES] = calloc(ASKED_MOST + 1, LINE_BYTES);
	if (w == NULL || asked == NULL)
		abort();
	world_make(w, seed);
	w->asked = asked;
	lease_journal_write(w->book, SLICE("boot"), &w->journal);
	for (unsigned i = 0; i < WORLD_PLANS; i++)
		step(w, sums);
	world_free(w);
	free(asked);
	free(w);
}

int main(int argc, char **argv)
{
	struct sums sums = {0};
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1,
		 count = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000;
	bool json = argc > 3 && strcmp(argv[3], "--json") == 0;
	while (sums.plans < count)
		world_run(random_next(&seed), &sums);
	if (json) {
		printf("{\"figure\":\"guard\",\"row\":\"%" PRIu64 " random plans\",\"outside\":%" PRIu64
		       ",\"announced\":%" PRIu64 "}\n",
		       sums.plans, sums.outside, sums.announced);
		return sums.outside > 0;
	}
	/* A generator of which nothing passes shows nothing. */
	bool real = sums.announced > sums.plans / 50 && sums.refused > sums.plans / 50 && sums.withdrawn > 0;
	printf("1..2\n%sok 1 - nothing is announced outside of what was agreed\n", sums.outside > 0 ? "not " : "");
	printf("%sok 2 - many plans pass and many do not\n", real ? "" : "not ");
	printf("# %" PRIu64 " plans: %" PRIu64 " announced, %" PRIu64 " refused, %" PRIu64 " withdrawn, %" PRIu64
	       " outside\n",
	       sums.plans, sums.announced, sums.refused, sums.withdrawn, sums.outside);
	return sums.outside > 0 || !real;
}
