/*
 * What became of leases, in order, for who writes it down: kept until it was fetched, and of more than there is room
 * for the oldest are dropped and counted. Whoever fetches says up to where it has what it was told before.
 */
#ifndef GUIA_UPSTREAM_LEASE_NEWS_H
#define GUIA_UPSTREAM_LEASE_NEWS_H

#include "upstream/lease.h"

enum { LEASE_NEWS_MOST = 512 };

struct lease_news_item {
	uint64_t number; /* from 1 */
	uint64_t wall_ms;
	uint64_t until_ms; /* wall time; 0: not known */
	enum lease_change change;
	int outcome;
	struct lease lease; /* as it was */
};

struct lease_news {
	uint64_t life; /* tells one keeper's numbers from another's */
	uint64_t last; /* number */
	uint64_t lost;
	size_t first, count;
	struct lease_news_item items[LEASE_NEWS_MOST];
};

/* `lease` NULL: of none. */
void lease_news_add(struct lease_news *news, const struct lease *lease, enum lease_change change, int outcome,
		    uint64_t boot_ms, uint64_t wall_ms);

/* Those up to `number` are known to whoever asks. */
void lease_news_forget(struct lease_news *news, uint64_t life, uint64_t number);

/* A line of JSON. */
void lease_news_write(const struct lease_news *news, const struct upstream_operator *operators, struct buffer *out);

#endif
