/*
 * Who is there: visitors and attackers with their addresses, drawn from the seed. Visitors are residents and, with some
 * shapes, guests, who are looked at by themselves. Of residents 15 % are abroad, of attackers 20 % at home, in the same
 * networks as everybody else there, so that no address tells which they are.
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
	NETWORKS_ELSEWHERE = 24, /* in which no resident is and no attacker */
	NETWORKS_SOME = NETWORKS_HOME + NETWORKS_ABROAD + NETWORKS_ELSEWHERE,
	NETWORK_PAIRED = NETWORKS_SOME, /* a /47: two neighbouring /48 */
	NETWORKS,
};

struct host_address {
	uint8_t bytes[16]; /* of IPv4 the first four, the rest 0 */
	bool six;
};

struct network {
	struct host_address base;
	unsigned bits;
	bool home;
};

/* Where the addresses of a group are. */
enum dwelling {
	DWELLING_MIXED,       /* at home and abroad */
	DWELLING_ELSEWHERE,   /* in networks of their own */
	DWELLING_ONE_ADDRESS, /* all behind the same, at home */
	DWELLING_ONE_48,      /* of IPv6, each in a /64 of its own */
	DWELLING_NEXT_48,     /* in the /48 beside that one */
	DWELLING_RESIDENTS,   /* theirs */
};

/* What sends the requests. */
enum being {
	BEING_PERSON,  /* somebody's browser */
	BEING_TOOL,    /* an attacker's */
	BEING_DRIVEN,  /* somebody's browser on a hostile page of another site */
	BEING_CRAWLER, /* of a search engine, or what says that it is */
};

struct person {
	struct host_address address;
	bool home;
	bool tls;
	enum being being;
	uint32_t habit; /* seeds what is this person's own: the browser, the session */
};

struct group {
	size_t count;
	enum dwelling dwelling;
	enum being being;
};

/* Residents and networks are the city's, and the same on all its days; guests and attackers are the day's. */
struct census {
	uint64_t city;
	uint64_t day;
	struct group residents, guests, attackers;
};

struct people {
	struct network networks[NETWORKS]; /* disjoint; those at home first */
	struct person *visitors;           /* residents, then guests */
	size_t resident_count;
	size_t visitor_count;
	struct person *attackers;
	size_t attacker_count;
	struct host_address *attacking; /* the attackers' addresses in order, to look one up */
};

/* 0 or -ENOMEM; people_free it. But for DWELLING_ONE_ADDRESS and DWELLING_RESIDENTS no two have the same address. */
int people_make(const struct census *census, struct people *ret_people);
void people_free(struct people *people);

/* Whether the address, as text, is an attacker's. */
bool people_attacks(const struct people *people, const char *text);

/* An address that nobody here has and nobody could answer from, a quarter of them of IPv6: for forging. */
struct host_address people_nobody(const struct people *people, uint64_t *random);

bool network_has(const struct network *network, const struct host_address *address);

#endif
