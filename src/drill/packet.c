/*
 * Headers byte by byte. The Internet checksum (RFC 1071) is taken over headers and pseudo-header alone: the rest is
 * zeros.
 */
#include "drill/packet.h"

#include <string.h>

enum {
	ETHER_BYTES = 14,
	V4_BYTES = 20,
	V6_BYTES = 40,
	UDP_BYTES = 8,
	UDP_SUM_AT = 6,
	TCP_SUM_AT = 16,
	TCP_BYTES = 24, /* with a segment size, as systems send it */
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	HOPS = 64,
};

static void put_16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t sum_of(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The network header; returns where the transport's begins. */
static uint8_t *put_network(uint8_t *ip, bool six, uint8_t protocol, size_t bytes, const struct host_address *from,
			    const struct host_address *to)
{
	if (six) {
		memset(ip, 0, V6_BYTES);
		ip[0] = 0x60;
		put_16(ip + 4, bytes - V6_BYTES);
		ip[6] = protocol;
		ip[7] = HOPS;
		memcpy(ip + 8, from->bytes, 16);
		memcpy(ip + 24, to->bytes, 16);
		return ip + V6_BYTES;
	}
	memset(ip, 0, V4_BYTES);
	ip[0] = 0x45;
	put_16(ip + 2, bytes);
	ip[8] = HOPS;
	ip[9] = protocol;
	memcpy(ip + 12, from->bytes, 4);
	memcpy(ip + 16, to->bytes, 4);
	put_16(ip + 10, folded(sum_of(ip, V4_BYTES)));
	return ip + V4_BYTES;
}

/* What follows the ports; returns where the checksum goes. */
static uint8_t *put_transport(const struct packet_what *what, size_t bytes, uint8_t *at)
{
	static const uint8_t segment_size[] = {2, 4, 0x05, 0xb4};
	put_16(at, what->from_port);
	put_16(at + 2, what->to_port);
	if (what->kind == PACKET_UDP) {
		put_16(at + 4, bytes);
		return at + UDP_SUM_AT;
	}
	put_16(at + 4, what->sequence >> 16);
	put_16(at + 6, what->sequence & 0xffff);
	at[12] = TCP_BYTES / 4 << 4;
	at[13] = 2; /* SYN */
	put_16(at + 14, 64240);
	memcpy(at + 20, segment_size, sizeof(segment_size));
	return at + TCP_SUM_AT;
}

size_t packet_make(const struct packet_ends *ends, const struct packet_what *what, const struct host_address *from,
		   uint8_t frame[PACKET_BYTES])
{
	bool six = from->six;
	const struct host_address *to = &ends->to[six];
	uint8_t protocol = what->kind == PACKET_SYN ? PROTOCOL_TCP : PROTOCOL_UDP;
	size_t own = what->kind == PACKET_SYN ? TCP_BYTES : UDP_BYTES, network = six ? V6_BYTES : V4_BYTES;
	size_t address = six ? 16 : 4, bytes = what->bytes;
	bytes = bytes < network + own                ? network + own
		: bytes > PACKET_BYTES - ETHER_BYTES ? PACKET_BYTES - ETHER_BYTES
						     : bytes;
	memcpy(frame, ends->to_mac, MAC_BYTES);
	memcpy(frame + MAC_BYTES, ends->from_mac, MAC_BYTES);
	put_16(frame + 12, six ? 0x86dd : 0x0800);
	uint8_t *transport = put_network(frame + ETHER_BYTES, six, protocol, bytes, from, to);
	/* What a datagram carries is zeros, which add nothing to its checksum. */
	memset(transport, 0, bytes - network);
	uint8_t *checksum = put_transport(what, bytes - network, transport);
	uint32_t sum = sum_of(transport, own) + sum_of(from->bytes, address) + sum_of(to->bytes, address) + protocol +
		       (uint32_t)(bytes - network);
	uint16_t value = folded(sum);
	put_16(checksum, value == 0 && what->kind == PACKET_UDP ? 0xffff : value);
	return ETHER_BYTES + bytes;
}

size_t packet_transport_at(const struct host_address *from)
{
	return ETHER_BYTES + (from->six ? V6_BYTES : V4_BYTES);
}

size_t packet_checksum_at(enum packet_kind kind, const struct host_address *from)
{
	return packet_transport_at(from) + (kind == PACKET_UDP ? UDP_SUM_AT : TCP_SUM_AT);
}
