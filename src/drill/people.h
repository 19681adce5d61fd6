/*
 * Who is there: residents and attackers with their addresses, drawn from the seed. Of residents 15 % are abroad, of
 * attackers 20 % at home, in the same networks as everybody else there, so that no address tells which they are.
 */
#ifndef GUIA_DRILL_PEOPLE_H
#define GUIA_DRILL_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RESIDENTS_ABROAD_PERCENT = 15,
	ATTACKERS_AT_HOME_PERCENT = 20,
	PEOPLE_IPV6_PERCENT = 25,
	NETWORKS_HOME = 8,
	NETWORKS_ABROAD = 48,
	NETWORKS = NETWORKS_HOME + NETWORKS_ABROAD,
};

struct address {
	uint8_t bytes[16]; /* of IPv4 the first four, the rest 0 */
	bool six;
};

struct network {
	struct address base;
	unsigned bits;
	bool home;
};

struct person {
	struct address address;
	bool home;
	bool tls;
	bool attacker;
	uint32_t habit; /* seeds what is this person's own: the browser, the session */
};

struct people {
	struct network networks[NETWORKS]; /* disjoint; those at home first */
	struct person *residents;
	size_t resident_count;
	struct person *attackers;
	size_t attacker_count;
	struct address *attacking; /* the attackers' addresses in order, to look one up */
};

/* 0 or -ENOMEM; people_free it. No two persons have the same address. */
int people_make(uint64_t seed, size_t resident_count, size_t attacker_count, struct people *ret_people);
void people_free(struct people *people);

/* Whether the address, as text, is an attacker's. */
bool people_attacks(const struct people *people, const char *text);

bool network_has(const struct network *network, const struct address *address);

#endif
