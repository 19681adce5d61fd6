/* The times of a session's falls are in a ring; why it fell is kept until there is another reason. */
#include "upstream/sessions.h"

void session_turn(struct session *session, bool up, struct slice why, uint64_t now_ms)
{
	size_t len = why.len < SESSION_SAID_BYTES - 1 ? why.len : SESSION_SAID_BYTES - 1;
	if (!up && why.len > 0) {
		memcpy(session->said, why.ptr, len);
		session->said[len] = '\0';
	}
	session->known = 0;
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

static unsigned used(const struct upstream_operator *operator_)
{
	unsigned bits = 0;
	for (unsigned i = 0; i < EXABGP_FAMILIES; i++)
		bits |= exabgp_family_is_used(operator_, (enum exabgp_family)i) ? 1U << i : 0;
	return bits;
}

bool session_agree(struct session *session, const struct upstream_operator *operator_, enum exabgp_family family,
		   bool agreed)
{
	if (!session->up || session_knows(session, operator_))
		return false;
	session->known |= 1U << family;
	session->agreed = agreed ? session->agreed | 1U << family : session->agreed & ~(1U << family);
	return session_knows(session, operator_);
}

bool session_knows(const struct session *session, const struct upstream_operator *operator_)
{
	return (used(operator_) & ~session->known) == 0;
}

bool session_lacks(const struct session *session, enum exabgp_family family)
{
	return session->up && (session->known & ~session->agreed & 1U << family) != 0;
}

size_t session_tell_lacking(const struct session *session, const struct upstream_operator *operator_,
			    struct buffer *out)
{
	size_t count = 0;
	for (unsigned i = 0; i < EXABGP_FAMILIES; i++) {
		enum exabgp_family family = (enum exabgp_family)i;
		if (!exabgp_family_is_used(operator_, family) || !session_lacks(session, family))
			continue;
		buffer_printf(out, "%s%s", count++ > 0 ? ", " : "", exabgp_family_name(family));
	}
	return count;
}

bool session_carries(const struct session *session, const struct upstream_operator *operator_)
{
	unsigned lacking = session->known & ~session->agreed;
	return session->up && (used(operator_) & ~lacking) != 0;
}

size_t session_find(const struct upstream_operator *operators, size_t count, const struct address *neighbor)
{
	size_t at = 0;
	while (at < count && !address_equal(&operators[at].peer, neighbor))
		at++;
	return at;
}
