/*
 * In the machine's own byte order, of which the section's head tells. A section block, an interface block, and for each
 * packet an enhanced packet block with one option.
 */
#include "evidence/pcapng.h"

enum {
	SECTION = 0x0a0d0d0a,
	INTERFACE = 1,
	PACKET = 6,
	BYTE_ORDER = 0x1a2b3c4d,
	LINK_ETHERNET = 1,
	OPTION_VERDICT = 7,
	VERDICT_XDP = 2,
	VERDICT_BYTES = 9,
	BLOCK_FRAME = 12, /* type, and length before and behind */
};

static void add_16(struct buffer *out, uint16_t value)
{
	buffer_add(out, slice_make(&value, sizeof(value)));
}

static void add_32(struct buffer *out, uint32_t value)
{
	buffer_add(out, slice_make(&value, sizeof(value)));
}

static void add_64(struct buffer *out, uint64_t value)
{
	buffer_add(out, slice_make(&value, sizeof(value)));
}

static uint32_t padded(size_t bytes)
{
	return (uint32_t)((bytes + 3) / 4 * 4);
}

static void add_padding(struct buffer *out, size_t bytes)
{
	for (size_t i = bytes; i < padded(bytes); i++)
		buffer_byte(out, 0);
}

void pcapng_begin(uint32_t head_bytes_most, struct buffer *out)
{
	const uint32_t section_bytes = BLOCK_FRAME + 16, interface_bytes = BLOCK_FRAME + 8;
	add_32(out, SECTION);
	add_32(out, section_bytes);
	add_32(out, BYTE_ORDER);
	add_16(out, 1); /* version 1.0 */
	add_16(out, 0);
	add_64(out, UINT64_MAX); /* of a length that is not told */
	add_32(out, section_bytes);
	add_32(out, INTERFACE);
	add_32(out, interface_bytes);
	add_16(out, LINK_ETHERNET);
	add_16(out, 0);
	add_32(out, head_bytes_most);
	add_32(out, interface_bytes);
}

void pcapng_add(const struct pcapng_packet *packet, struct buffer *out)
{
	const uint32_t option_bytes = 4 + padded(VERDICT_BYTES) + 4;
	const uint32_t bytes = BLOCK_FRAME + 20 + padded(packet->head.len) + option_bytes;
	add_32(out, PACKET);
	add_32(out, bytes);
	add_32(out, 0); /* the interface */
	add_32(out, (uint32_t)(packet->at_us >> 32));
	add_32(out, (uint32_t)packet->at_us);
	add_32(out, (uint32_t)packet->head.len);
	add_32(out, packet->bytes);
	buffer_add(out, packet->head);
	add_padding(out, packet->head.len);
	add_16(out, OPTION_VERDICT);
	add_16(out, VERDICT_BYTES);
	buffer_byte(out, VERDICT_XDP);
	add_64(out, packet->verdict);
	add_padding(out, VERDICT_BYTES);
	add_32(out, 0); /* the end of options */
	add_32(out, bytes);
}
