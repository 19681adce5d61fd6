/* Where one listens or is asked, as `listen`, `screen` and `origin` name it. */
#ifndef GUIA_SERVE_ENDPOINT_H
#define GUIA_SERVE_ENDPOINT_H

#include "base/address.h"
#include "serve/text_list.h"

struct endpoint {
	struct address address;
	uint16_t port;
};

/* Of a text that valid_listen() takes; a port alone is that of all addresses of IPv4, as nginx has it. */
struct endpoint endpoint_of_listen(struct slice text);

/*
 * Of texts that are as valid_listen() wants them: whether this one is among them, however it is written: 443 is
 * 0.0.0.0:443, [::1]:80 is [0::1]:80.
 */
bool endpoint_list_has(const struct text_list *list, struct slice text);

/* The host, without brackets, and the port, said or its scheme's, of a text that valid_origin() takes. */
struct slice endpoint_of_origin(struct slice text, uint16_t *ret_port);

/* 0.0.0.0 or ::. */
bool address_is_any(const struct address *address);

#endif
