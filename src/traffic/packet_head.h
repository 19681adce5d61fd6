/* What the head of a packet says of it. Anybody may have forged it: its source is whoever it wants to be. Pure. */
#ifndef GUIA_TRAFFIC_PACKET_HEAD_H
#define GUIA_TRAFFIC_PACKET_HEAD_H

#include "base/address.h"

struct packet_head {
	struct address source;
	struct address destination;
	uint64_t at_ms;       /* not of the head: whoever has it says when it came */
	uint16_t source_port; /* of fragments none is known */
	uint16_t destination_port;
	uint16_t length; /* the IP packet's */
	uint8_t protocol;
	bool fragment;
};

/* From its Ethernet header on. False if it is no IP packet that can be read. */
bool packet_head_read(struct slice head, struct packet_head *ret_packet);

#endif
