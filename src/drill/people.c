/*
 * First networks, disjoint and outside of what is nobody's, then addresses in them: each is drawn until none has it
 * yet, by a hash set. What is the city's and what is the day's comes from two streams of random numbers.
 */
#include "drill/people.h"

#include "base/error.h"
#include "drill/random.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* What is nobody's on the Internet, or is the drill's own (RFC 6890, RFC 5735, RFC 5771). */
static const struct {
	uint8_t base[4];
	unsigned bits;
} never[] = {
	{{0, 0, 0, 0}, 8},      {{10, 0, 0, 0}, 8},    {{100, 64, 0, 0}, 10}, {{127, 0, 0, 0}, 8},
	{{169, 254, 0, 0}, 16}, {{172, 16, 0, 0}, 12}, {{192, 0, 0, 0}, 16},  {{192, 88, 0, 0}, 16},
	{{192, 168, 0, 0}, 16}, {{198, 18, 0, 0}, 15}, {{198, 51, 0, 0}, 16}, {{203, 0, 0, 0}, 16},
	{{224, 0, 0, 0}, 3},
};

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

bool network_has(const struct network *network, const struct host_address *address)
{
	return network->base.six == address->six && same_bits(network->base.bytes, address->bytes, network->bits);
}

static bool overlaps(const struct network *a, const struct network *b)
{
	return a->base.six == b->base.six &&
	       same_bits(a->base.bytes, b->base.bytes, a->bits < b->bits ? a->bits : b->bits);
}

static bool is_usable(const struct network *network, const struct network *before, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (overlaps(network, &before[i]))
			return false;
	for (size_t i = 0; !network->base.six && i < sizeof(never) / sizeof(never[0]); i++)
		if (same_bits(network->base.bytes, never[i].base,
			      network->bits < never[i].bits ? network->bits : never[i].bits))
			return false;
	return true;
}

static void draw_bits(uint64_t *random, uint8_t *bytes, unsigned from, unsigned to)
{
	for (unsigned bit = from; bit < to; bit++)
		if (random_below(random, 2) != 0)
			bytes[bit / 8] = (uint8_t)(bytes[bit / 8] | 0x80 >> bit % 8);
}

static struct network draw_network(uint64_t *random, size_t number)
{
	bool home = number < NETWORKS_HOME, paired = number == NETWORK_PAIRED;
	struct network network = {.home = home, .base.six = paired || number % 4 == 3};
	network.bits = paired ? 47 : network.base.six ? (home ? 40 : 32) : home ? 18 : 14 + random_below(random, 9);
	if (network.base.six)
		memcpy(network.base.bytes, "\x24\x00", 2); /* of 2400::/8, in which registries assign */
	draw_bits(random, network.base.bytes, network.base.six ? 8 : 0, network.bits);
	return network;
}

static void draw_networks(uint64_t *random, struct network networks[NETWORKS])
{
	for (size_t i = 0; i < NETWORKS;) {
		networks[i] = draw_network(random, i);
		if (is_usable(&networks[i], networks, i))
			i++;
	}
}

static struct host_address draw_in(uint64_t *random, const struct network *network)
{
	struct host_address address = network->base;
	draw_bits(random, address.bytes, network->bits, address.six ? 128 : 32);
	return address;
}

/* Of one of `count` networks, a quarter of them of IPv6. Its hosts are few to a /64, as customers' are. */
static struct host_address draw_among(uint64_t *random, const struct network *networks, uint32_t count)
{
	bool six = random_percent(random, PEOPLE_IPV6_PERCENT);
	const struct network *network;
	do
		network = &networks[random_below(random, count)];
	while (network->base.six != six);
	return draw_in(random, network);
}

/* In one of the two /48. Who has one address has one /64. */
static struct host_address draw_paired(uint64_t *random, const struct network *pair, unsigned which)
{
	struct host_address address = pair->base;
	address.bytes[5] = (uint8_t)(address.bytes[5] | which);
	draw_bits(random, address.bytes, 48, 64);
	address.bytes[15] = 1;
	return address;
}

static struct host_address draw_address(uint64_t *random, const struct network networks[NETWORKS],
					enum dwelling dwelling, bool home)
{
	switch (dwelling) {
	case DWELLING_ELSEWHERE:
		return draw_among(random, networks + NETWORKS_HOME + NETWORKS_ABROAD, NETWORKS_ELSEWHERE);
	case DWELLING_ONE_48:
	case DWELLING_NEXT_48:
		return draw_paired(random, &networks[NETWORK_PAIRED], dwelling == DWELLING_NEXT_48);
	default:
		return home ? draw_among(random, networks, NETWORKS_HOME)
			    : draw_among(random, networks + NETWORKS_HOME, NETWORKS_ABROAD);
	}
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct host_address));
}

static bool is_among(const struct host_address *address, const struct host_address *sorted, size_t count)
{
	return bsearch(address, sorted, count, sizeof(*sorted), compare) != NULL;
}

/* A set of addresses by open addressing: to draw each once. */
struct drawn {
	struct host_address *items;
	size_t size; /* a power of two */
};

static bool drawn_add(struct drawn *drawn, const struct host_address *address)
{
	static const struct host_address none;
	uint64_t hash = 0;
	for (size_t i = 0; i < sizeof(address->bytes); i++)
		hash = (hash ^ address->bytes[i]) * 0x100000001b3u;
	size_t at = (hash ^ hash >> 32) & (drawn->size - 1);
	while (memcmp(&drawn->items[at], &none, sizeof(none)) != 0) {
		if (memcmp(&drawn->items[at], address, sizeof(*address)) == 0)
			return false;
		at = (at + 1) & (drawn->size - 1);
	}
	drawn->items[at] = *address;
	return true;
}

static struct host_address shared_address(const struct people *people, uint64_t day)
{
	uint64_t random = random_stream(day, 8);
	struct host_address address;
	do
		address = draw_address(&random, people->networks, DWELLING_MIXED, true);
	while (address.six);
	return address;
}

static bool is_at_home(const struct census *census, const struct group *group, size_t number)
{
	bool attackers = group == &census->attackers;
	size_t percent = attackers ? ATTACKERS_AT_HOME_PERCENT : 100 - RESIDENTS_ABROAD_PERCENT;
	return group->dwelling == DWELLING_ONE_ADDRESS ||
	       (group->dwelling == DWELLING_MIXED && number < group->count * percent / 100);
}

/* Exactly so many per cent are away from where their like are, and exactly so many speak TLS. */
static void draw_group(uint64_t *random, const struct census *census, const struct group *group,
		       const struct people *people, struct drawn *drawn, struct person *persons)
{
	struct host_address shared = shared_address(people, census->day);
	for (size_t i = 0; i < group->count; i++) {
		struct person *person = &persons[i];
		if (group->dwelling == DWELLING_RESIDENTS) {
			*person = people->visitors[i % people->resident_count];
			person->being = group->being;
			continue;
		}
		person->being = group->being;
		person->home = is_at_home(census, group, i);
		person->tls = i % 2 == 0;
		person->habit = (uint32_t)random_next(random);
		do
			person->address = draw_address(random, people->networks, group->dwelling, person->home);
		while (!drawn_add(drawn, &person->address));
		if (group->dwelling == DWELLING_ONE_ADDRESS)
			person->address = shared;
	}
}

static int drawn_init(const struct census *census, struct drawn *ret_drawn)
{
	struct drawn drawn = {.size = 64};
	while (drawn.size < 2 * (census->residents.count + census->guests.count + census->attackers.count))
		drawn.size *= 2;
	drawn.items = calloc(drawn.size, sizeof(*drawn.items));
	*ret_drawn = drawn;
	return drawn.items != NULL ? 0 : -ENOMEM;
}

static void draw_all(const struct census *census, struct people *people, struct drawn *drawn)
{
	uint64_t city = random_stream(census->city, 1), day = random_stream(census->day, 1);
	draw_networks(&city, people->networks);
	draw_group(&city, census, &census->residents, people, drawn, people->visitors);
	draw_group(&day, census, &census->guests, people, drawn, people->visitors + people->resident_count);
	draw_group(&day, census, &census->attackers, people, drawn, people->attackers);
	for (size_t i = 0; i < people->attacker_count; i++)
		people->attacking[i] = people->attackers[i].address;
	qsort(people->attacking, people->attacker_count, sizeof(*people->attacking), compare);
}

int people_make(const struct census *census, struct people *ret_people)
{
	struct people people = {
		.resident_count = census->residents.count,
		.visitor_count = census->residents.count + census->guests.count,
		.attacker_count = census->attackers.count,
	};
	struct drawn drawn;
	int r = drawn_init(census, &drawn);
	people.visitors = calloc(people.visitor_count + 1, sizeof(*people.visitors));
	people.attackers = calloc(people.attacker_count + 1, sizeof(*people.attackers));
	people.attacking = calloc(people.attacker_count + 1, sizeof(*people.attacking));
	if (people.visitors == NULL || people.attackers == NULL || people.attacking == NULL)
		r = -ENOMEM;
	if (r == 0) {
		draw_all(census, &people, &drawn);
		*ret_people = people;
	} else {
		people_free(&people);
	}
	free(drawn.items);
	return r;
}

void people_free(struct people *people)
{
	free(people->visitors);
	free(people->attackers);
	free(people->attacking);
	*people = (struct people){0};
}

bool people_attacks(const struct people *people, const char *text)
{
	struct host_address address = {0};
	address.six = strchr(text, ':') != NULL;
	return inet_pton(address.six ? AF_INET6 : AF_INET, text, address.bytes) == 1 &&
	       is_among(&address, people->attacking, people->attacker_count);
}

struct host_address people_nobody(const struct people *people, uint64_t *random)
{
	bool six = random_percent(random, PEOPLE_IPV6_PERCENT);
	struct network host;
	do {
		host = (struct network){.base.six = six, .bits = six ? 128 : 32};
		if (six)
			memcpy(host.base.bytes, "\x24\x00", 2);
		draw_bits(random, host.base.bytes, six ? 8 : 0, host.bits);
	} while (!is_usable(&host, people->networks, NETWORKS));
	return host.base;
}
