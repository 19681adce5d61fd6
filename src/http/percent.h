/* Percent-encoding (RFC 3986, 2.1), once and leniently: %HH is a byte, any other '%' stays. */
#ifndef GUIA_HTTP_PERCENT_H
#define GUIA_HTTP_PERCENT_H

#include "base/arena.h"
#include "base/slice.h"

/* What a '+' is: itself in a path, a space in the form encoding of the WHATWG URL standard. */
enum percent_plus { PERCENT_PLUS_STAYS, PERCENT_PLUS_IS_SPACE };

/*
 * `s` itself if nothing changes, else a copy in the arena. *invalid is set (never cleared) by a '%' without two
 * hexadecimal digits. 0 or -ENOMEM.
 */
int percent_decode(struct arena *arena, struct slice s, enum percent_plus plus, bool *invalid,
		   struct slice *ret_decoded);

/* Whether two hexadecimal digits follow every '%'. */
bool percent_is_valid(struct slice s);

#endif
