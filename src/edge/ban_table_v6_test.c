/* The table of networks, asked as the kernel asks it: it stops at the first bucket of a spill that has a place free. */
#include "edge/test_ban_table.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SHARING_BITS = 2, /* so many buckets, in bits, have one spill */
	BUCKETS = 1 << SHARING_BITS,
	PLACES = (BUCKETS + EDGE_NET_SPILL_BUCKETS) * EDGE_NET_ENTRIES,
	CROWD = 2 * PLACES, /* networks that one spill is for */
	SPILL = 5,          /* that one */
	STEPS = 2000,
};

static const struct edge_shape SHAPE = {EDGE_NET_NAMED_BITS + SHARING_BITS, EDGE_NET_NAMED_BITS};

static uint64_t hash_of(const struct ban_table *table, enum edge_length length, const struct address *address)
{
	return edge_net_hash(address_high(address), length == EDGE_V6_48, table->control->geometry.seeds);
}

static uint64_t line_find(const struct edge_net_bucket *line, uint64_t hash, uint32_t kind)
{
	uint64_t found = 0;
	for (unsigned i = 0; i < EDGE_NET_ENTRIES; i++) {
		uint64_t word = line->words[i];
		if (word != 0 && edge_word_rest(word) == edge_net_rest(hash, kind) && line->lows[i] == (uint32_t)hash)
			found = word;
	}
	return found;
}

/* As v6_net_find() of the program. */
static uint64_t find(const struct ban_table *table, enum edge_length length, const struct address *address)
{
	const struct edge_shape *shape = &table->control->geometry.v6_net;
	uint64_t hash = hash_of(table, length, address);
	uint32_t bucket = edge_v6_bucket(hash, shape->bucket_bits);
	uint32_t spill = edge_v6_spill(hash, shape->bucket_bits, shape->spill_bits);
	uint64_t word = line_find(&table->v6_net[bucket], hash, length == EDGE_V6_48);
	bool goes_on = true;
	for (unsigned i = 0; word == 0 && goes_on && i < EDGE_NET_SPILL_BUCKETS; i++) {
		const struct edge_net_bucket *line = &table->v6_net[spill + (i << shape->spill_bits)];
		word = line_find(line, hash, length == EDGE_V6_48);
		goes_on = (line->words[EDGE_NET_ENTRIES - 2] | line->words[EDGE_NET_ENTRIES - 1]) != 0;
	}
	return word;
}

static struct ban_place network(uint64_t *seed)
{
	uint64_t lot = next_random(seed), high = next_random(seed);
	bool is_48 = (lot & 1) != 0;
	struct ban_place ban = {is_48 ? EDGE_V6_48 : EDGE_V6_64,
				address_from_words(is_48 ? high & ~(uint64_t)0xffff : high, 0),
				edge_word(EDGE_FOR_EVER, (uint32_t)lot >> 1 & (EDGE_MITIGATIONS - 1), 1, 0)};
	return ban;
}

/* Networks of both lengths that have one spill, and whose buckets are those before it. */
static struct ban_table crowd_make(struct ban_place crowd[CROWD])
{
	struct ban_table table = table_make(&SHAPE);
	uint64_t seed = 20240710;
	for (unsigned i = 0; i < CROWD;) {
		crowd[i] = network(&seed);
		i += hash_of(&table, crowd[i].length, &crowd[i].address) >> (64 - EDGE_NET_NAMED_BITS) == SPILL;
	}
	return table;
}

static bool is_in(const struct ban_table *table, const struct ban_place *ban)
{
	uint64_t word = find(table, ban->length, &ban->address);
	uint64_t rest = (uint64_t)edge_word_rest(word) << 44;
	assert_true(word == 0 || word == (ban->word | rest));
	return word != 0;
}

static void networks_come_back_as_they_were_set(void **state)
{
	(void)state;
	struct ban_table table = table_make(NULL);
	uint64_t seed = 20240711;
	for (unsigned i = 0; i < BANS; i++) {
		struct ban_place ban = network(&seed), listed;
		size_t at, next;
		assert_int_equal(ban_table_set(&table, &ban, NEVER, &at), 0);
		next = at;
		assert_true(ban_table_next(&table, &next, &listed) && next == at);
		assert_int_equal(listed.length, ban.length);
		assert_memory_equal(&listed.address, &ban.address, sizeof(ban.address));
		assert_true(is_in(&table, &ban));
	}
	check_sums(&table);
	table_free(&table);
}

/* Of one network, and of two whose mixed keys are the same. */
static void lengths_are_told_apart(void **state)
{
	(void)state;
	struct ban_table table = table_make(NULL);
	uint64_t mask = table.control->geometry.seeds[0], high = 0x20010db800420000;
	struct ban_place bans[] = {
		{EDGE_V6_48, address_from_words(high, 0), edge_word(EDGE_FOR_EVER, 1, 0, 0)},
		{EDGE_V6_64, address_from_words(high, 0), edge_word(EDGE_FOR_EVER, 2, 0, 0)},
		{EDGE_V6_64, address_from_words(((high ^ mask) + 1) ^ mask, 0), edge_word(EDGE_FOR_EVER, 3, 0, 0)}};
	enum { COUNT = sizeof(bans) / sizeof(bans[0]) };
	assert_true(hash_of(&table, bans[0].length, &bans[0].address) ==
		    hash_of(&table, bans[2].length, &bans[2].address));
	for (unsigned set = 1; set < 1 << COUNT; set++) {
		for (unsigned i = 0; i < COUNT; i++)
			if ((set >> i & 1) != 0)
				assert_int_equal(ban_table_set(&table, &bans[i], NEVER, NULL), 0);
		check_sums(&table);
		for (unsigned i = 0; i < COUNT; i++)
			assert_int_equal(is_in(&table, &bans[i]), set >> i & 1);
		for (unsigned i = 0; i < COUNT; i++)
			assert_int_equal(ban_table_lift(&table, bans[i].length, &bans[i].address),
					 (set >> i & 1) != 0 ? 0 : BAN_TABLE_ABSENT);
	}
	table_free(&table);
}

/* Bans of one spill as long as there is a place. -> how many */
static unsigned fill(struct ban_table *table, const struct ban_place crowd[CROWD], uint32_t now_ticks)
{
	unsigned count = 0;
	while (count < CROWD && ban_table_set(table, &crowd[count], now_ticks, NULL) == 0)
		count++;
	return count;
}

static unsigned taken_in(const struct ban_table *table, uint32_t from, uint32_t end)
{
	unsigned count = 0;
	for (uint32_t bucket = from; bucket < end; bucket++)
		for (unsigned i = 0; i < EDGE_NET_ENTRIES; i++)
			count += table->v6_net[bucket].words[i] != 0;
	return count;
}

static void a_spill_is_filled_and_emptied(void **state)
{
	(void)state;
	static struct ban_place crowd[CROWD];
	struct ban_table table = crowd_make(crowd);
	uint32_t buckets = 1u << SHAPE.bucket_bits, end = edge_net_entries(&SHAPE);
	unsigned count = fill(&table, crowd, NEVER);
	assert_in_range(count, EDGE_NET_SPILL_BUCKETS * EDGE_NET_ENTRIES, PLACES);
	assert_int_equal(ban_table_set(&table, &crowd[count], NEVER, NULL), BAN_TABLE_FULL);
	assert_int_equal(taken_in(&table, buckets, end), EDGE_NET_SPILL_BUCKETS * EDGE_NET_ENTRIES);
	for (unsigned lifted = 0; lifted < count; lifted++) {
		unsigned step = lifted * 7 % count; /* all of them where 7 does not divide it */
		assert_true(count % 7 != 0);
		for (unsigned i = lifted; i < count; i++)
			assert_true(is_in(&table, &crowd[i * 7 % count]));
		assert_int_equal(ban_table_lift(&table, crowd[step].length, &crowd[step].address), 0);
		assert_false(is_in(&table, &crowd[step]));
		check_sums(&table);
	}
	assert_int_equal(taken_in(&table, 0, end), 0);
	table_free(&table);
}

/* Also when some are over, and others take their places. */
static void a_crowd_agrees_with_an_array(void **state)
{
	(void)state;
	static struct ban_place crowd[CROWD];
	struct ban_table table = crowd_make(crowd);
	bool is_set[CROWD] = {false};
	uint64_t seed = 20240712;
	unsigned refused = 0;
	for (unsigned i = 0; i < STEPS; i++) {
		uint64_t lot = next_random(&seed);
		unsigned n = (unsigned)(lot >> 8) % CROWD;
		if ((lot & 3) != 0) {
			int outcome = ban_table_set(&table, &crowd[n], NEVER, NULL);
			assert_true(outcome == 0 || (outcome == BAN_TABLE_FULL && !is_set[n]));
			is_set[n] = outcome == 0;
			refused += outcome == BAN_TABLE_FULL;
		} else {
			int outcome = ban_table_lift(&table, crowd[n].length, &crowd[n].address);
			assert_int_equal(outcome, is_set[n] ? 0 : BAN_TABLE_ABSENT);
			is_set[n] = false;
		}
		for (unsigned other = 0; other < CROWD; other++)
			assert_int_equal(is_in(&table, &crowd[other]), is_set[other]);
	}
	assert_true(refused > 0);
	check_sums(&table);
	table_free(&table);
}

/* ---- a writer that is killed ---- */

struct change {
	struct ban_table *table;
	const struct ban_place *ban;
	bool lift;
	uint32_t now_ticks;
};

static _Noreturn void change_in_steps(const struct change *change)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(77);
	raise(SIGSTOP);
	if (change->lift)
		ban_table_lift(change->table, change->ban->length, &change->ban->address);
	else
		ban_table_set(change->table, change->ban, change->now_ticks, NULL);
	_exit(0);
}

static void table_copy(struct ban_table *to, const struct ban_table *from)
{
	size_t bytes = edge_net_entries(&SHAPE) * sizeof(*from->v6_net);
	memcpy(to->control, from->control, sizeof(*from->control));
	memcpy(to->v6_net, from->v6_net, bytes);
	memcpy(to->v6_some, from->v6_some, sizeof(*from->v6_some) << from->control->geometry.v6_some_bits);
}

/* Of what a change of the crowd may write to. */
static bool is_same(const struct ban_table *a, const struct ban_table *b)
{
	const size_t line = sizeof(*a->v6_net), first = SPILL * BUCKETS;
	if (memcmp(a->control->bans, b->control->bans, sizeof(a->control->bans)) != 0 ||
	    memcmp(&a->v6_net[first], &b->v6_net[first], BUCKETS * line) != 0)
		return false;
	for (size_t i = 0; i < EDGE_NET_SPILL_BUCKETS; i++) {
		size_t at = ((size_t)1 << SHAPE.bucket_bits) + SPILL + (i << SHAPE.spill_bits);
		if (memcmp(&a->v6_net[at], &b->v6_net[at], line) != 0)
			return false;
	}
	return true;
}

/* All but the changed one, and those that are over, are there for the kernel once what was left is mended; none twice.
 */
static void check_mended(struct ban_table *left, const struct ban_place crowd[CROWD], unsigned count,
			 const struct change *change)
{
	const uint32_t *bans = left->control->bans;
	unsigned there = 0;
	ban_table_mend(left);
	check_sums(left);
	for (unsigned i = 0; i < CROWD; i++) {
		bool is = is_in(left, &crowd[i]), over = edge_word_expires(crowd[i].word) <= change->now_ticks;
		assert_true(is || i >= count || over || &crowd[i] == change->ban);
		there += is;
	}
	assert_int_equal(there, bans[EDGE_V6_64] + bans[EDGE_V6_48]);
}

/* Looks at every state that the memory goes through. -> how many there are */
static unsigned check_change(const struct ban_place crowd[CROWD], unsigned count, const struct change *change)
{
	struct ban_table left = table_make(&SHAPE), last = table_make(&SHAPE);
	unsigned states = 0;
	int status;
	table_copy(&last, change->table);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		change_in_steps(change);
	for (;;) {
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSTOPPED(status))
			break;
		if (!is_same(&last, change->table)) {
			table_copy(&last, change->table);
			table_copy(&left, change->table);
			check_mended(&left, crowd, count, change);
			states++;
		}
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0)
			break;
	}
	table_free(&left);
	table_free(&last);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
	return states;
}

/* A lift that moves two others: word, low and word of each, then a word and a count. */
static void a_lift_may_stop_at_every_store(void **state)
{
	(void)state;
	static struct ban_place crowd[CROWD];
	struct ban_table table = crowd_make(crowd);
	unsigned count = fill(&table, crowd, NEVER), most = 0;
	for (unsigned n = 0; n < 8; n++) {
		unsigned states = check_change(crowd, count, &(struct change){&table, &crowd[n], true, NEVER});
		assert_false(is_in(&table, &crowd[n]));
		assert_int_equal(ban_table_set(&table, &crowd[n], NEVER, NULL), 0);
		most = states > most ? states : most;
	}
	assert_int_equal(most, 2 * 3 + 2);
	table_free(&table);
}

/* A ban that takes the place of one that is over: a count, word, low and word, a count. */
static void a_set_may_stop_at_every_store(void **state)
{
	(void)state;
	static struct ban_place crowd[CROWD];
	struct ban_table table = crowd_make(crowd);
	for (unsigned n = 0; n < CROWD; n += 4)
		crowd[n].word = edge_word(10, 1, 0, 0);
	unsigned count = fill(&table, crowd, NEVER);
	const struct ban_place *fresh = &crowd[count];
	unsigned states = check_change(crowd, count, &(struct change){&table, fresh, false, 20});
	assert_true(is_in(&table, fresh));
	assert_int_equal(states, 5);
	table_free(&table);
}

TEST_MAIN(cmocka_unit_test(networks_come_back_as_they_were_set), cmocka_unit_test(lengths_are_told_apart),
	  cmocka_unit_test(a_spill_is_filled_and_emptied), cmocka_unit_test(a_crowd_agrees_with_an_array),
	  cmocka_unit_test(a_lift_may_stop_at_every_store), cmocka_unit_test(a_set_may_stop_at_every_store))
