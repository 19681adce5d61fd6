/*
 * Ethernet, up to two VLAN tags (IEEE 802.1Q and 802.1ad), IPv4 (RFC 791) or IPv6 (RFC 8200), the ports of UDP and TCP.
 * Of IPv6's extension headers only a fragment's is read, and that where it is the first.
 */
#include "traffic/packet_head.h"

#include "base/reader.h"

#include <netinet/in.h>

enum {
	ETHER_IPV4 = 0x0800,
	ETHER_IPV6 = 0x86dd,
	ETHER_VLAN = 0x8100,
	ETHER_QINQ = 0x88a8,
	IPV6_FRAGMENT = 44,
};

static unsigned read_16(struct reader *r)
{
	unsigned high = reader_byte(r);
	return high << 8 | reader_byte(r);
}

static void read_ports(struct reader *r, struct packet_head *p)
{
	if (p->fragment || (p->protocol != IPPROTO_UDP && p->protocol != IPPROTO_TCP))
		return;
	p->source_port = (uint16_t)read_16(r);
	p->destination_port = (uint16_t)read_16(r);
}

static bool read_v4(struct reader *r, struct packet_head *p)
{
	unsigned first = reader_byte(r), words = first & 0xf;
	reader_skip(r, 1);
	p->length = (uint16_t)read_16(r);
	reader_skip(r, 2);
	unsigned fragment = read_16(r);
	reader_skip(r, 1);
	p->protocol = reader_byte(r);
	reader_skip(r, 2);
	struct slice from = reader_take(r, 4), to = reader_take(r, 4);
	if (r->overrun || first >> 4 != 4 || words < 5)
		return false;
	p->source = address_from_v4(from.ptr);
	p->destination = address_from_v4(to.ptr);
	p->fragment = (fragment & 0x3fff) != 0; /* more follow, or it is not the first */
	reader_skip(r, (words - 5) * 4);
	read_ports(r, p);
	return true;
}

static bool read_v6(struct reader *r, struct packet_head *p)
{
	unsigned first = reader_byte(r);
	reader_skip(r, 3);
	unsigned payload = read_16(r);
	p->protocol = reader_byte(r);
	reader_skip(r, 1);
	struct slice from = reader_take(r, ADDRESS_BYTES), to = reader_take(r, ADDRESS_BYTES);
	if (r->overrun || first >> 4 != 6)
		return false;
	p->length = (uint16_t)(payload + 40 > 0xffff ? 0xffff : payload + 40);
	p->source = address_from_v6(from.ptr);
	p->destination = address_from_v6(to.ptr);
	if (p->protocol == IPV6_FRAGMENT) {
		p->fragment = true;
		p->protocol = reader_byte(r);
	}
	read_ports(r, p);
	return true;
}

bool packet_head_read(struct slice head, struct packet_head *ret_packet)
{
	struct packet_head packet = {.protocol = 0};
	struct reader r = reader_make(head);
	reader_skip(&r, 12);
	unsigned type = read_16(&r);
	for (unsigned tags = 0; tags < 2 && (type == ETHER_VLAN || type == ETHER_QINQ); tags++) {
		reader_skip(&r, 2);
		type = read_16(&r);
	}
	if (r.overrun || !(type == ETHER_IPV4 ? read_v4(&r, &packet) : type == ETHER_IPV6 && read_v6(&r, &packet)))
		return false;
	if (r.overrun) /* the sample ends before the ports */
		packet.source_port = packet.destination_port = 0;
	*ret_packet = packet;
	return true;
}
