/*
 * Who may see the screen: an address that is printed holds a token that lets in once; what it lets in is a session,
 * held by a cookie, of the user who came with the token and of nobody else. Pure but for the random numbers: time is an
 * argument, in milliseconds of a clock that does not go back.
 */
#ifndef GUIA_SCREEN_SESSIONS_H
#define GUIA_SCREEN_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	SECRET_BYTES = 64, /* 256 random bits in hexadecimal digits */
	SESSIONS_MAX = 16, /* of more, the one unused for longest ends */
	TICKETS_MAX = 8,
	TICKET_MS = 15 * 60 * 1000,
	SESSION_IDLE_MS = 12 * 60 * 60 * 1000,
	SESSION_NEWS_BYTES = 256,
};

struct ticket {
	char token[SECRET_BYTES + 1]; /* "": none */
	uint64_t until_ms;
};

struct session {
	char cookie[SECRET_BYTES + 1]; /* "": none */
	char csrf[SECRET_BYTES + 1];   /* what a form that changes something must carry */
	uid_t user;
	uint64_t used_ms;
	bool news_good;
	char news[SESSION_NEWS_BYTES]; /* what became of the last order, to be told on the next page; "": told */
};

struct sessions {
	struct ticket tickets[TICKETS_MAX];
	struct session sessions[SESSIONS_MAX];
};

/* A new token, valid until it is used or for TICKET_MS. NULL: the kernel gives no random bytes. */
const char *sessions_ticket(struct sessions *sessions, uint64_t now_ms);

/* Whether a token would let in. */
bool sessions_would_enter(const struct sessions *sessions, const char *token, uint64_t now_ms);

/* What a token lets in; it is used up. NULL: it is none. */
struct session *sessions_enter(struct sessions *sessions, const char *token, uid_t user, uint64_t now_ms);

/* NULL: no session has this cookie, it is another user's, or it was unused for too long. */
struct session *sessions_find(struct sessions *sessions, const char *cookie, uid_t user, uint64_t now_ms);

/* Compared in a time that tells nothing. */
bool session_may_change(const struct session *session, const char *csrf);

void session_end(struct session *session);

#endif
