/*
 * An array that is gone through each time. Who is cut keeps his place until libmicrohttpd lets go of the connection:
 * hence more room than guests.
 */
#include "screen/guests.h"

#include "screen/peer.h"

#include <stddef.h>
#include <sys/socket.h>

void guests_begin(struct guests *guests)
{
	guests->streams = guests->count = 0;
	for (size_t i = 0; i < GUESTS_ROOM; i++)
		guests->guests[i] = (struct guest){.fd = -1};
}

static void cut(struct guests *guests, struct guest *guest)
{
	(void)shutdown(guest->fd, SHUT_RDWR);
	guest->cut = true;
	guests->count--;
}

static bool is_idle(const struct guest *guest)
{
	return !guest->known || (!guest->stream && guest->waits_ms != 0);
}

/* The unknown before the known, and of each the one that came first. */
static void make_room(struct guests *guests)
{
	struct guest *first = NULL;
	for (size_t i = 0; i < GUESTS_ROOM; i++) {
		struct guest *guest = &guests->guests[i];
		if (guest->fd < 0 || guest->cut || !is_idle(guest))
			continue;
		if (first == NULL || guest->known < first->known ||
		    (guest->known == first->known && guest->came_ms < first->came_ms))
			first = guest;
	}
	if (first != NULL)
		cut(guests, first);
}

struct guest *guests_come(struct guests *guests, int fd, uint64_t now_ms)
{
	if (guests->count >= GUESTS_MAX)
		make_room(guests);
	for (size_t i = 0; i < GUESTS_ROOM; i++) {
		struct guest *guest = &guests->guests[i];
		if (guest->fd >= 0)
			continue;
		*guest = (struct guest){.fd = fd, .came_ms = now_ms, .waits_ms = now_ms};
		guests->count++;
		return guest;
	}
	return NULL;
}

void guests_go(struct guests *guests, struct guest *guest)
{
	guests->streams -= guest->stream;
	guests->count -= !guest->cut;
	*guest = (struct guest){.fd = -1};
}

void guests_step(struct guests *guests, uint64_t now_ms)
{
	for (size_t i = 0; i < GUESTS_ROOM; i++) {
		struct guest *guest = &guests->guests[i];
		if (guest->fd < 0 || guest->cut || guest->stream)
			continue;
		bool late = guest->waits_ms != 0 && now_ms - guest->waits_ms >= GUEST_REQUEST_MS;
		if ((late && !guest->known) || now_ms - guest->came_ms >= GUEST_LIFE_MS)
			cut(guests, guest);
	}
}

bool guest_user(struct guest *guest, uid_t *ret_user)
{
	if (!guest->has_user && !guest->cut)
		guest->has_user = peer_user(guest->fd, &guest->user) == 0;
	*ret_user = guest->user;
	return guest->has_user;
}
