/* The few things that rtnetlink(7) is asked for: links, addresses, routes. Each waits for the kernel's word. */
#ifndef GUIA_DRILL_NETLINK_H
#define GUIA_DRILL_NETLINK_H

#include "drill/people.h"

/* A socket of the network namespace that the caller is in. 0 or -errno, as are all. */
int netlink_open(int *ret_fd);

/* A pair of virtual links: `name` here, `peer` in the namespace that `peer_namespace` is open on. */
int netlink_add_pair(int fd, const char *name, const char *peer, int peer_namespace);
int netlink_set_up(int fd, const char *name);
int netlink_add_address(int fd, const char *name, const struct host_address *address, unsigned bits);

/* To a network by way of a gateway; NULL is everything. */
int netlink_add_route(int fd, const struct network *to, const struct host_address *gateway);

/* Packets that carry the mark (SO_MARK) go by way of a gateway, whatever they are for. */
int netlink_add_marked_route(int fd, uint32_t mark, const struct host_address *gateway);

/* What is for nobody is thrown away without a word. */
int netlink_add_blackhole(int fd, bool six);

/* All addresses of the network are this host's own. */
int netlink_add_own(int fd, const struct network *network);

#endif
