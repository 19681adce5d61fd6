#include "drill/people.h"

#include "base/test.h"

#include <arpa/inet.h>

enum {
	SEEDS = 20,
	RESIDENTS = 2000,
	ATTACKERS = 20000,
};

static int make(uint64_t seed, size_t residents, size_t attackers, struct people *ret_people)
{
	struct census census = {seed, seed, {.count = residents}, {0}, {.count = attackers, .being = BEING_TOOL}};
	return people_make(&census, ret_people);
}

static const struct network *network_of(const struct people *people, const struct person *person)
{
	const struct network *found = NULL;
	for (size_t i = 0; i < NETWORKS; i++) {
		if (!network_has(&people->networks[i], &person->address))
			continue;
		assert_null(found);
		found = &people->networks[i];
	}
	assert_non_null(found);
	return found;
}

static size_t count_home(const struct people *people, const struct person *persons, size_t count)
{
	size_t home = 0;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(network_of(people, &persons[i])->home, persons[i].home);
		home += persons[i].home;
	}
	return home;
}

/* Residents abroad and attackers at home live in the networks in which the others do. */
static void shares_are_as_promised_for_every_seed(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct people people;
		assert_int_equal(make(seed, RESIDENTS, ATTACKERS, &people), 0);
		assert_int_equal(count_home(&people, people.visitors, RESIDENTS), RESIDENTS * 85 / 100);
		assert_int_equal(count_home(&people, people.attackers, ATTACKERS), ATTACKERS * 20 / 100);
		size_t six = 0, tls = 0;
		for (size_t i = 0; i < ATTACKERS; i++) {
			six += people.attackers[i].address.six;
			tls += people.attackers[i].tls;
		}
		assert_in_range(six, ATTACKERS * 22 / 100, ATTACKERS * 28 / 100);
		assert_int_equal(tls, ATTACKERS / 2);
		people_free(&people);
	}
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct host_address));
}

static void nobody_has_another_ones_address(void **state)
{
	(void)state;
	struct people people;
	static struct host_address all[RESIDENTS + ATTACKERS];
	assert_int_equal(make(7, RESIDENTS, ATTACKERS, &people), 0);
	for (size_t i = 0; i < RESIDENTS; i++)
		all[i] = people.visitors[i].address;
	for (size_t i = 0; i < ATTACKERS; i++)
		all[RESIDENTS + i] = people.attackers[i].address;
	qsort(all, RESIDENTS + ATTACKERS, sizeof(all[0]), compare);
	for (size_t i = 1; i < RESIDENTS + ATTACKERS; i++)
		assert_true(compare(&all[i - 1], &all[i]) != 0);
	people_free(&people);
}

static void networks_are_disjoint_and_on_the_internet(void **state)
{
	(void)state;
	static const char *const never[] = {"10.1.2.3",        "127.0.0.1",  "192.168.1.1", "192.0.2.10",
					    "198.51.100.1",    "172.16.9.9", "169.254.1.1", "224.0.0.1",
					    "255.255.255.255", "0.0.0.0"};
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct people people;
		assert_int_equal(make(seed, 10, 10, &people), 0);
		for (size_t i = 0; i < NETWORKS; i++) {
			const struct network *network = &people.networks[i];
			assert_int_equal(network->home, i < NETWORKS_HOME);
			for (size_t j = 0; j < NETWORKS; j++)
				assert_true(i == j || !network_has(network, &people.networks[j].base));
			for (size_t j = 0; j < sizeof(never) / sizeof(never[0]); j++) {
				struct host_address address = {0};
				assert_int_equal(inet_pton(AF_INET, never[j], address.bytes), 1);
				assert_false(network_has(network, &address));
			}
		}
		people_free(&people);
	}
}

static void a_seed_says_it_all_and_another_says_otherwise(void **state)
{
	(void)state;
	struct people one, again, other;
	assert_int_equal(make(1, 100, 100, &one), 0);
	assert_int_equal(make(1, 100, 100, &again), 0);
	assert_int_equal(make(2, 100, 100, &other), 0);
	assert_memory_equal(one.attackers, again.attackers, 100 * sizeof(one.attackers[0]));
	assert_memory_equal(one.visitors, again.visitors, 100 * sizeof(one.visitors[0]));
	assert_memory_not_equal(one.attackers, other.attackers, 100 * sizeof(one.attackers[0]));
	people_free(&one);
	people_free(&again);
	people_free(&other);
}

static void an_attacker_is_known_by_the_address(void **state)
{
	(void)state;
	struct people people;
	char text[INET6_ADDRSTRLEN];
	assert_int_equal(make(3, 500, 500, &people), 0);
	for (size_t i = 0; i < 500; i++) {
		const struct host_address *attacker = &people.attackers[i].address,
					  *resident = &people.visitors[i].address;
		inet_ntop(attacker->six ? AF_INET6 : AF_INET, attacker->bytes, text, sizeof(text));
		assert_true(people_attacks(&people, text));
		inet_ntop(resident->six ? AF_INET6 : AF_INET, resident->bytes, text, sizeof(text));
		assert_false(people_attacks(&people, text));
	}
	assert_false(people_attacks(&people, ""));
	assert_false(people_attacks(&people, "unknown"));
	people_free(&people);
}

static void nobody_at_all_is_possible(void **state)
{
	(void)state;
	struct people people;
	assert_int_equal(make(3, 0, 0, &people), 0);
	assert_false(people_attacks(&people, "9.9.9.9"));
	people_free(&people);
}

/* Guests elsewhere are in networks in which nobody else is. */
static void who_is_elsewhere_is_among_no_residents(void **state)
{
	(void)state;
	struct people people;
	struct census census = {1, 4, {.count = 500}, {.count = 500, .dwelling = DWELLING_ELSEWHERE}, {0}};
	assert_int_equal(people_make(&census, &people), 0);
	for (size_t i = 0; i < people.visitor_count; i++) {
		const struct network *network = network_of(&people, &people.visitors[i]);
		size_t number = (size_t)(network - people.networks);
		assert_int_equal(number >= NETWORKS_HOME + NETWORKS_ABROAD, i >= people.resident_count);
	}
	people_free(&people);
}

static void a_shared_address_is_shared_with_attackers_too(void **state)
{
	(void)state;
	struct people people;
	struct census census = {1,
				5,
				{.count = 200},
				{.count = 500, .dwelling = DWELLING_ONE_ADDRESS},
				{.count = 5, .dwelling = DWELLING_ONE_ADDRESS, .being = BEING_TOOL}};
	assert_int_equal(people_make(&census, &people), 0);
	const struct host_address *shared = &people.attackers[0].address;
	assert_false(shared->six);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(compare(shared, &people.attackers[i].address), 0);
	for (size_t i = 0; i < people.visitor_count; i++)
		assert_int_equal(compare(shared, &people.visitors[i].address) == 0, i >= people.resident_count);
	people_free(&people);
}

static void neighbours_share_47_bits_and_nobody_a_64(void **state)
{
	(void)state;
	struct people people;
	struct census census = {1,
				6,
				{.count = 200},
				{.count = 300, .dwelling = DWELLING_NEXT_48},
				{.count = 5000, .dwelling = DWELLING_ONE_48, .being = BEING_TOOL}};
	static struct host_address prefixes[5300];
	assert_int_equal(people_make(&census, &people), 0);
	const struct person *neighbours = people.visitors + 200;
	const struct network *pair = network_of(&people, neighbours);
	assert_int_equal(pair->bits, 47);
	for (size_t i = 0; i < 5300; i++) {
		const struct person *person = i < 5000 ? &people.attackers[i] : &neighbours[i - 5000];
		assert_ptr_equal(network_of(&people, person), pair);
		assert_int_equal(person->address.bytes[5] & 1, i >= 5000);
		prefixes[i] = person->address;
		memset(prefixes[i].bytes + 8, 0, 8);
	}
	qsort(prefixes, 5300, sizeof(prefixes[0]), compare);
	for (size_t i = 1; i < 5300; i++)
		assert_true(compare(&prefixes[i - 1], &prefixes[i]) != 0);
	people_free(&people);
}

static void driven_browsers_are_residents_own(void **state)
{
	(void)state;
	struct people people;
	struct census census = {
		1, 7, {.count = 200}, {0}, {.count = 50, .dwelling = DWELLING_RESIDENTS, .being = BEING_DRIVEN}};
	assert_int_equal(people_make(&census, &people), 0);
	for (size_t i = 0; i < 50; i++) {
		assert_int_equal(people.attackers[i].being, BEING_DRIVEN);
		assert_int_equal(people.attackers[i].habit, people.visitors[i].habit);
		assert_int_equal(compare(&people.attackers[i].address, &people.visitors[i].address), 0);
	}
	people_free(&people);
}

static void residents_are_there_every_day(void **state)
{
	(void)state;
	struct people one, other;
	struct census census = {1, 2, {.count = 200}, {0}, {.count = 200, .being = BEING_TOOL}};
	assert_int_equal(people_make(&census, &one), 0);
	census.day = 3;
	assert_int_equal(people_make(&census, &other), 0);
	assert_memory_equal(one.networks, other.networks, sizeof(one.networks));
	assert_memory_equal(one.visitors, other.visitors, 200 * sizeof(one.visitors[0]));
	assert_memory_not_equal(one.attackers, other.attackers, 200 * sizeof(one.attackers[0]));
	people_free(&one);
	people_free(&other);
}

/* Whatever they say that they are. */
static void attackers_are_abroad_whoever_they_say_they_are(void **state)
{
	(void)state;
	struct people people;
	struct census census = {1, 2, {.count = 200}, {0}, {.count = 200, .being = BEING_CRAWLER}};
	assert_int_equal(people_make(&census, &people), 0);
	assert_int_equal(count_home(&people, people.attackers, 200), 200 * ATTACKERS_AT_HOME_PERCENT / 100);
	people_free(&people);
}

TEST_MAIN(cmocka_unit_test(attackers_are_abroad_whoever_they_say_they_are),
	  cmocka_unit_test(residents_are_there_every_day), cmocka_unit_test(shares_are_as_promised_for_every_seed),
	  cmocka_unit_test(nobody_has_another_ones_address),
	  cmocka_unit_test(networks_are_disjoint_and_on_the_internet),
	  cmocka_unit_test(a_seed_says_it_all_and_another_says_otherwise),
	  cmocka_unit_test(an_attacker_is_known_by_the_address), cmocka_unit_test(nobody_at_all_is_possible),
	  cmocka_unit_test(who_is_elsewhere_is_among_no_residents),
	  cmocka_unit_test(a_shared_address_is_shared_with_attackers_too),
	  cmocka_unit_test(neighbours_share_47_bits_and_nobody_a_64),
	  cmocka_unit_test(driven_browsers_are_residents_own))
