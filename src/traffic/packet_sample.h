/*
 * What packets of a flood have in common, from the heads of some of them: where to, which protocol and port, and which
 * networks they say they come from. All of it may be forged, the sources most of all: it is for people to read, and
 * nothing is done to anybody because of it. Pure.
 */
#ifndef GUIA_TRAFFIC_PACKET_SAMPLE_H
#define GUIA_TRAFFIC_PACKET_SAMPLE_H

#include "traffic/packet_head.h"

enum {
	PACKET_SAMPLE_KEPT = 1024, /* the latest */
	PACKET_SAMPLE_MS = 3000,
	PACKET_SAMPLE_ANY = 255,  /* of whatever kind */
	PACKET_TRAITS_LISTED = 4, /* of each trait */
	PACKET_TRAITS_BYTES = 192,
};

/* All zero is one that is empty. */
struct packet_sample {
	struct packet_head heads[PACKET_SAMPLE_KEPT]; /* a ring */
	uint8_t kinds[PACKET_SAMPLE_KEPT];
	size_t count;
};

/*
 * Lists of what came most, with its share in percent, the same in every language: "192.0.2.10 100 %", "udp/53 97 %",
 * "198.18.0.0/16 12 %". A star stands for ports of which none has a tenth. "" where nothing was
 * sampled.
 */
struct packet_traits {
	uint32_t sampled;
	uint32_t network_count; /* different ones among them */
	char destinations[PACKET_TRAITS_BYTES];
	char ports[PACKET_TRAITS_BYTES]; /* to which */
	char from_ports[PACKET_TRAITS_BYTES];
	char networks[PACKET_TRAITS_BYTES]; /* /16 of IPv4, /32 of IPv6 */
};

/* `kind` is the caller's. */
void packet_sample_add(struct packet_sample *sample, const struct packet_head *head, uint8_t kind);

/* Of the last PACKET_SAMPLE_MS. */
void packet_sample_traits(const struct packet_sample *sample, uint8_t kind, uint64_t now_ms,
			  struct packet_traits *ret_traits);

#endif
