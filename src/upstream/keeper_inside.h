/* The keeper from within: what its loop and its answers share. */
#ifndef GUIA_UPSTREAM_KEEPER_INSIDE_H
#define GUIA_UPSTREAM_KEEPER_INSIDE_H

#include "base/control.h"
#include "upstream/keeper.h"
#include "upstream/lease_book.h"
#include "upstream/lease_news.h"
#include "upstream/sessions.h"

struct keeper {
	struct keeper_options options;
	struct lease_book *book;
	struct session *sessions; /* one an operator */
	struct control control;
	struct lease_sink sink;
	struct lease_news news;
	struct buffer journal; /* not written yet */
	struct buffer lines;   /* the same, for ExaBGP */
	struct buffer input;   /* of ExaBGP, an unfinished line */
	int journal_fd;
	size_t journal_bytes;
	uint64_t now_ms; /* CLOCK_BOOTTIME */
	uint64_t tick_ms;
	uint64_t ping_ms;     /* when the next is due */
	uint64_t answered_ms; /* when ExaBGP last answered one; 0: never */
	bool pinging;
	bool in_ping;   /* its answer has begun */
	size_t told_of; /* the operator whose families ExaBGP is telling; else their number */
	bool ended;
	int error;
};

/* The answer to a question, appended. */
void keeper_answer(struct keeper *keeper, uid_t who, struct slice question, struct buffer *out);

#endif
