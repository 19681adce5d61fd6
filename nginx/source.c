/* Trusted proxies are those of the current cycle: there need be no request whose configuration could say. */
#include "source.h"

#include "gate.h"

const ngx_str_t gate_level_words[SOURCE_LEVELS] = {ngx_string("source="), ngx_string("network="),
						   ngx_string("region=")};

struct address gate_address(const struct sockaddr *from)
{
	switch (from == NULL ? AF_UNSPEC : from->sa_family) {
	case AF_INET:
		return address_from_v4((const uint8_t *)&((const struct sockaddr_in *)from)->sin_addr);
	case AF_INET6:
		return address_from_v6((const uint8_t *)&((const struct sockaddr_in6 *)from)->sin6_addr);
	default:
		return (struct address){0};
	}
}

bool gate_is_proxy(const struct sockaddr *peer)
{
	const struct gate_main *main = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_guia_module);
	ngx_array_t *trusted = main->trusted_proxies;

	return trusted != NULL && ngx_cidr_match((struct sockaddr *)peer, trusted) == NGX_OK;
}
