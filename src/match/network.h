/*
 * Addresses in lists of networks: @ipMatch and @ipMatchFromFile, IPv4 and IPv6. A compiled list is two sorted tables of
 * disjoint ranges; a lookup is a binary search. Immutable, shared by threads.
 */
#ifndef GUIA_MATCH_NETWORK_H
#define GUIA_MATCH_NETWORK_H

#include "base/slice.h"

/* An address in network byte order; IPv4's is the last four bytes after zeroes. */
struct network_address {
	uint8_t bytes[16];
	bool is_v6;
};

/* Exactly a dotted quad, or RFC 4291's text; no port, brackets, zone or space. False if `text` is anything else. */
bool network_address_parse(struct slice text, struct network_address *ret_address);

struct network_range {
	struct network_address first;
	struct network_address last;
};

/* Networks as they are collected, before compiling. Zero-initialise; free in the end. */
struct network_list {
	struct network_range *items;
	size_t count;
	size_t capacity;
};

enum { NETWORK_BAD = 1 };

/*
 * Adds "ADDRESS[/BITS]" entries between commas, white space around them ignored, empty ones left out. 0, -ENOMEM, or
 * NETWORK_BAD with *ret_bad the part of `argument` that is no network; what came before it has been added.
 */
int network_list_add(struct network_list *list, struct slice argument, struct slice *ret_bad);

/* The same for a file's content: any number of lines, comments from '#' to the end of the line. */
int network_list_add_file(struct network_list *list, struct slice content, struct slice *ret_bad);
void network_list_free(struct network_list *list);

struct networks;

/* The list may be freed afterwards. 0 or -ENOMEM. */
int networks_compile(const struct network_list *list, struct networks **ret_networks);
void networks_free(struct networks *networks);

/* IPv4 and IPv6 are apart: an IPv4-mapped IPv6 address is in IPv6 networks only, as in ModSecurity. */
bool networks_contain(const struct networks *networks, const struct network_address *address);

#endif
