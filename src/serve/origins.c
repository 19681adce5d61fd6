#include "serve/origins.h"

#include "base/error.h"
#include "serve/endpoint.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define OWN_HINT "an origin is where the site's own server answers; `listen` is where visitors come"

/* Where this gate is found. */
struct gate_place {
	const struct serve_config *config;
	struct ifaddrs *interfaces; /* NULL: nothing is known but loopback */
};

static void place_open(const struct serve_config *config, struct gate_place *ret_place)
{
	*ret_place = (struct gate_place){.config = config};
	if (getifaddrs(&ret_place->interfaces) != 0)
		ret_place->interfaces = NULL;
}

static void place_close(struct gate_place *place)
{
	if (place->interfaces != NULL)
		freeifaddrs(place->interfaces);
}

static bool address_of(const struct sockaddr *from, struct address *ret_address)
{
	if (from != NULL && from->sa_family == AF_INET)
		*ret_address = address_from_v4((const uint8_t *)&((const struct sockaddr_in *)from)->sin_addr);
	else if (from != NULL && from->sa_family == AF_INET6)
		*ret_address = address_from_v6((const uint8_t *)&((const struct sockaddr_in6 *)from)->sin6_addr);
	else
		return false;
	return true;
}

static const struct address loopback_v4 = {{[10] = 0xff, 0xff, 127, 0, 0, 1}}, loopback_v6 = {{[15] = 1}};

static bool is_here(const struct gate_place *place, const struct address *address)
{
	struct address own;
	if (address_equal(address, &loopback_v6) || (address_is_v4(address) && address->bytes[12] == 127))
		return true;
	for (const struct ifaddrs *i = place->interfaces; i != NULL; i = i->ifa_next)
		if (address_of(i->ifa_addr, &own) && address_equal(&own, address))
			return true;
	return false;
}

/* Whether who connects to `to` comes to who listens at `at`: nginx's [::] takes no IPv4. */
static bool reaches(const struct gate_place *place, const struct endpoint *at, const struct endpoint *to)
{
	if (at->port != to->port || address_is_v4(&at->address) != address_is_v4(&to->address))
		return false;
	return address_equal(&at->address, &to->address) ||
	       (address_is_any(&at->address) && is_here(place, &to->address));
}

static bool list_reached(const struct gate_place *place, const struct text_list *list, const struct endpoint *to,
			 struct slice *ret_listen)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct endpoint at = endpoint_of_listen(list->items[i]);
		*ret_listen = list->items[i];
		if (reaches(place, &at, to))
			return true;
	}
	return false;
}

/* Whether something of Guia listens there: the gate, or the screen. An address that is none is this machine's own. */
static bool is_own(const struct gate_place *place, struct endpoint to, struct slice *ret_listen)
{
	const struct serve_config *config = place->config;
	if (address_is_any(&to.address))
		to.address = address_is_v4(&to.address) ? loopback_v4 : loopback_v6;
	if (list_reached(place, &config->listen, &to, ret_listen) ||
	    list_reached(place, &config->listen_tls, &to, ret_listen))
		return true;
	const struct endpoint screen = endpoint_of_listen(config->screen);
	*ret_listen = config->screen;
	return config->screen.len > 0 && reaches(place, &screen, &to);
}

enum lookup {
	LOOKUP_FINE,
	LOOKUP_UNKNOWN,
	LOOKUP_OWN, /* one of its addresses is ours, at *ret_listen */
};

static enum lookup look_up(const struct gate_place *place, const struct site *site, int flags, struct slice *ret_listen)
{
	char host[256];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *found = NULL;
	struct endpoint to;
	struct slice name = endpoint_of_origin(site->origin, &to.port);
	snprintf(host, sizeof(host), "%.*s", SLICE_ARG(name));
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return LOOKUP_UNKNOWN;
	enum lookup result = LOOKUP_FINE;
	for (const struct addrinfo *i = found; i != NULL && result == LOOKUP_FINE; i = i->ai_next)
		if (address_of(i->ai_addr, &to.address) && is_own(place, to, ret_listen))
			result = LOOKUP_OWN;
	freeaddrinfo(found);
	return result;
}

static bool is_localhost(const struct site *site)
{
	uint16_t port;
	return slice_equal_nocase(endpoint_of_origin(site->origin, &port), SLICE("localhost"));
}

int origins_check(const struct serve_config *config, struct diagnostics *diagnostics)
{
	struct gate_place place;
	struct slice listen;
	int r = 0;
	place_open(config, &place);
	for (size_t i = 0; i < config->site_count; i++) {
		const struct site *site = &config->sites[i];
		if (look_up(&place, site, is_localhost(site) ? 0 : AI_NUMERICHOST, &listen) != LOOKUP_OWN)
			continue;
		diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, site->origin_place, OWN_HINT,
				"the origin %.*s of %.*s is Guia itself, which listens at %.*s",
				SLICE_ARG(site->origin), SLICE_ARG(site->hosts.items[0]), SLICE_ARG(listen));
		r = CONFIG_INVALID;
	}
	place_close(&place);
	return r;
}

/* What a name leads to is not of the configuration's making, and other sites are to be served whatever it is. */
bool *origins_resolve(const struct serve_config *config, const struct notice *notice)
{
	struct gate_place place;
	struct slice listen;
	bool *usable = calloc(config->site_count, sizeof(*usable));
	if (usable == NULL)
		return NULL;
	place_open(config, &place);
	for (size_t i = 0; i < config->site_count; i++) {
		const struct site *site = &config->sites[i];
		enum lookup found = look_up(&place, site, 0, &listen);
		usable[i] = found == LOOKUP_FINE;
		if (found == LOOKUP_UNKNOWN)
			notice_say(notice, "warning: %.*s: the name of the origin %.*s is not known; reload once it is",
				   SLICE_ARG(site->hosts.items[0]), SLICE_ARG(site->origin));
		if (found == LOOKUP_OWN)
			notice_say(notice,
				   "warning: %.*s: the name of the origin %.*s leads to Guia itself, which listens at "
				   "%.*s: it is not asked; " OWN_HINT,
				   SLICE_ARG(site->hosts.items[0]), SLICE_ARG(site->origin), SLICE_ARG(listen));
	}
	place_close(&place);
	return usable;
}
