/* Who asks the origin of a site that is local, as options and configurations say: networks, lists of them, countries.
 */
#ifndef GUIA_CLI_WATCH_HOMES_H
#define GUIA_CLI_WATCH_HOMES_H

#include "base/address.h"
#include "watch/homes.h"

/* All zero: nobody. */
struct watch_homes {
	struct prefix *prefixes;
	size_t count, capacity;
	char countries[HOMES_COUNTRIES_MOST][2];
	size_t country_count;
};

void watch_homes_free(struct watch_homes *homes);

/* Each: CLI_FINE, or an exit code after a message. */
int watch_homes_network(struct watch_homes *homes, struct slice text);
int watch_homes_list(struct watch_homes *homes, const char *path);
int watch_homes_country(struct watch_homes *homes, struct slice text);
/* An address of this machine's, if there is anybody at all: the watch is one of those who are to reach the site. */
int watch_homes_own(struct watch_homes *homes, const struct address *address);

#endif
