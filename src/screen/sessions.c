/*
 * Arrays, in which what is new takes the place of what is oldest, or longest unused. Secrets are getrandom(2)'s, and
 * compared by CRYPTO_memcmp().
 */
#include "screen/sessions.h"

#include "codec/text.h"

#include <openssl/crypto.h>
#include <string.h>
#include <sys/random.h>

static bool secret_make(char secret[SECRET_BYTES + 1])
{
	uint8_t bytes[SECRET_BYTES / 2];
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	hex_encode(slice_make(bytes, sizeof(bytes)), (uint8_t *)secret);
	secret[SECRET_BYTES] = '\0';
	return true;
}

static bool secret_equal(const char secret[SECRET_BYTES + 1], const char *given)
{
	return given != NULL && secret[0] != '\0' && strlen(given) == SECRET_BYTES &&
	       CRYPTO_memcmp(secret, given, SECRET_BYTES) == 0;
}

/* A free one, or the oldest. */
const char *sessions_ticket(struct sessions *sessions, uint64_t now_ms)
{
	struct ticket *ticket = &sessions->tickets[0];
	for (size_t i = 1; i < TICKETS_MAX; i++)
		if (sessions->tickets[i].until_ms < ticket->until_ms)
			ticket = &sessions->tickets[i];
	if (!secret_make(ticket->token))
		return NULL;
	ticket->until_ms = now_ms + TICKET_MS;
	return ticket->token;
}

static struct session *session_room(struct sessions *sessions)
{
	struct session *room = &sessions->sessions[0];
	for (size_t i = 1; i < SESSIONS_MAX; i++)
		if (sessions->sessions[i].used_ms < room->used_ms)
			room = &sessions->sessions[i];
	return room;
}

/* TICKETS_MAX: there is none of that token. */
static size_t ticket_find(const struct sessions *sessions, const char *token, uint64_t now_ms)
{
	size_t found = TICKETS_MAX;
	for (size_t i = 0; i < TICKETS_MAX; i++)
		if (secret_equal(sessions->tickets[i].token, token) && now_ms < sessions->tickets[i].until_ms)
			found = i;
	return found;
}

bool sessions_would_enter(const struct sessions *sessions, const char *token, uint64_t now_ms)
{
	return ticket_find(sessions, token, now_ms) != TICKETS_MAX;
}

struct session *sessions_enter(struct sessions *sessions, const char *token, uid_t user, uint64_t now_ms)
{
	size_t ticket = ticket_find(sessions, token, now_ms);
	if (ticket == TICKETS_MAX)
		return NULL;
	sessions->tickets[ticket] = (struct ticket){0};
	struct session *session = session_room(sessions);
	*session = (struct session){.user = user, .used_ms = now_ms};
	if (secret_make(session->cookie) && secret_make(session->csrf))
		return session;
	session_end(session);
	return NULL;
}

struct session *sessions_find(struct sessions *sessions, const char *cookie, uid_t user, uint64_t now_ms)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sessions->sessions[i];
		if (!secret_equal(session->cookie, cookie) || session->user != user)
			continue;
		if (now_ms - session->used_ms >= SESSION_IDLE_MS) {
			session_end(session);
			return NULL;
		}
		session->used_ms = now_ms;
		return session;
	}
	return NULL;
}

bool session_may_change(const struct session *session, const char *csrf)
{
	return secret_equal(session->csrf, csrf);
}

void session_end(struct session *session)
{
	OPENSSL_cleanse(session, sizeof(*session));
}
