/*
 * Packets in a pcapng file (draft-ietf-opsawg-pcapng): a section of one Ethernet interface, and a block for each packet
 * with what was done with it. Sections may stand one behind the other. Pure.
 */
#ifndef GUIA_EVIDENCE_PCAPNG_H
#define GUIA_EVIDENCE_PCAPNG_H

#include "base/buffer.h"

/* As XDP has them (linux/bpf.h): of the option epb_verdict. */
enum pcapng_verdict { PCAPNG_DROPPED = 1, PCAPNG_PASSED = 2, PCAPNG_ANSWERED = 3 };

struct pcapng_packet {
	uint64_t at_us; /* since 1970 */
	uint32_t bytes; /* of the whole packet */
	struct slice head;
	enum pcapng_verdict verdict;
};

void pcapng_begin(uint32_t head_bytes_most, struct buffer *out);
void pcapng_add(const struct pcapng_packet *packet, struct buffer *out);

#endif
