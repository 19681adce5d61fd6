/*
 * What became of leases, in order, for who writes it down: kept until it was fetched, and of more than there is room
 * for the oldest are dropped and counted. Whoever fetches says up to where it has what it was told before.
 *
 * All of it goes to the journal of the book too (lease_journal.h), in lines that begin with LEASE_NEWS_LINE: whoever
 * comes after a keeper that was killed tells what that one did not come to tell, by the same numbers.
 */
#ifndef GUIA_UPSTREAM_LEASE_NEWS_H
#define GUIA_UPSTREAM_LEASE_NEWS_H

#include "upstream/lease.h"

#define LEASE_NEWS_LINE "news\t"

enum { LEASE_NEWS_MOST = 512 };

struct lease_news_item {
	uint64_t number;    /* from 1 */
	struct buffer text; /* an object of JSON */
};

struct lease_news {
	const struct upstream_operator *operators; /* borrowed */
	uint64_t life;                             /* tells one keeper's numbers from another's */
	uint64_t last;                             /* number */
	uint64_t lost;
	size_t first, count;
	struct lease_news_item items[LEASE_NEWS_MOST];
};

/* Of zeroes; free it with lease_news_free(). */
void lease_news_init(struct lease_news *news, const struct upstream_operator *operators, uint64_t life);
void lease_news_free(struct lease_news *news);

struct lease_news_time {
	uint64_t boot_ms, wall_ms;
};

/* `lease` NULL: of none. */
void lease_news_add(struct lease_news *news, const struct lease *lease, enum lease_change change, int outcome,
		    struct lease_news_time now, struct buffer *journal);

/* Those up to `number` are known to whoever asks. */
void lease_news_forget(struct lease_news *news, uint64_t life, uint64_t number, struct buffer *journal);

/* A line of JSON. */
void lease_news_write(const struct lease_news *news, struct buffer *out);

/* All there is, as lines of a journal; and back, from a journal with others between. What is damaged is left out. */
void lease_news_keep(const struct lease_news *news, struct buffer *journal);
void lease_news_resume(struct lease_news *news, struct slice journal);

#endif
