/* Packets as attackers make them: an Ethernet frame with a UDP datagram or a SYN, from whom they like. Pure. */
#ifndef GUIA_DRILL_PACKET_H
#define GUIA_DRILL_PACKET_H

#include "drill/people.h"

enum {
	PACKET_BYTES = 1514,
	MAC_BYTES = 6,
};

enum packet_kind {
	PACKET_NONE,
	PACKET_UDP,
	PACKET_SYN,
};

struct packet_ends {
	uint8_t from_mac[MAC_BYTES];
	uint8_t to_mac[MAC_BYTES];
	struct host_address to[2]; /* IPv4, IPv6 */
};

struct packet_what {
	enum packet_kind kind;
	size_t bytes; /* of the IP packet; less than its headers: those alone */
	uint16_t from_port;
	uint16_t to_port;
	uint32_t sequence;
};

/* The whole frame, to the address of the source's family, with good checksums. Returns its length. */
size_t packet_make(const struct packet_ends *ends, const struct packet_what *what, const struct host_address *from,
		   uint8_t frame[PACKET_BYTES]);

/* Where the transport's header is in a frame from there, and its checksum. */
size_t packet_transport_at(const struct host_address *from);
size_t packet_checksum_at(enum packet_kind kind, const struct host_address *from);

#endif
