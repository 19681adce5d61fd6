/* The times of a session's falls are in a ring; why it fell is kept until there is another reason. */
#include "upstream/sessions.h"

void session_turn(struct session *session, bool up, struct slice why, uint64_t now_ms)
{
	size_t len = why.len < SESSION_SAID_BYTES - 1 ? why.len : SESSION_SAID_BYTES - 1;
	if (!up && why.len > 0) {
		memcpy(session->said, why.ptr, len);
		session->said[len] = '\0';
	}
	if (session->up == up)
		return;
	if (!up)
		session->falls_ms[session->fall_count++ % SESSION_FALLS] = now_ms > 0 ? now_ms : 1;
	session->up = up;
	session->since_ms = now_ms;
}

size_t session_falls(const struct session *session, uint64_t now_ms)
{
	size_t count = 0;
	for (size_t i = 0; i < SESSION_FALLS; i++)
		count += session->falls_ms[i] != 0 && now_ms - session->falls_ms[i] < SESSION_FLAP_MS;
	return count;
}

size_t session_find(const struct upstream_operator *operators, size_t count, const struct address *neighbor)
{
	size_t at = 0;
	while (at < count && !address_equal(&operators[at].peer, neighbor))
		at++;
	return at;
}
