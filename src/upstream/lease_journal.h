/*
 * The book over the end of a process: a line a change, written before the lines that it is about, so that what it holds
 * is at least what ExaBGP was told. Lines of news (lease_news.h) may stand between its own.
 */
#ifndef GUIA_UPSTREAM_LEASE_JOURNAL_H
#define GUIA_UPSTREAM_LEASE_JOURNAL_H

#include "upstream/lease_book.h"

/* The whole book as a journal, appended; `boot` tells one start of the machine from another. */
void lease_journal_write(const struct lease_book *book, struct slice boot, struct buffer *out);

enum { LEASE_JOURNAL_BAD = 1 };

/*
 * Into a book that is empty. What the guard passes today goes on, the rest is withdrawn; a half-written last line never
 * happened. 0; LEASE_JOURNAL_BAD: some of it could not be read, and ExaBGP may hold more than is known; -ENOMEM.
 */
int lease_journal_read(struct lease_book *book, struct slice text, struct slice boot, uint64_t now_ms,
		       const struct lease_sink *sink);

#endif
