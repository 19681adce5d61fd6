/* Nothing is counted before somebody asks: then values are sorted as bytes, and runs of equal ones by their length. */
#include "traffic/packet_sample.h"

#include "base/buffer.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	NETWORK_V4_BITS = ADDRESS_V4_BITS + 16,
	NETWORK_V6_BITS = 32,
	PORT_PERCENT_LEAST = 10,
};

/* A trait's value as bytes that are equal where it is. */
struct value {
	struct prefix address;
	uint8_t protocol;
	uint8_t fragment;
	uint16_t port;
};

enum trait { TRAIT_DESTINATION, TRAIT_PORT, TRAIT_FROM_PORT, TRAIT_NETWORK };

static struct value value_of(const struct packet_head *head, enum trait trait)
{
	struct value value;
	memset(&value, 0, sizeof(value));
	if (trait == TRAIT_DESTINATION) {
		value.address = (struct prefix){head->destination, ADDRESS_BITS};
	} else if (trait == TRAIT_NETWORK) {
		unsigned bits = address_is_v4(&head->source) ? (unsigned)NETWORK_V4_BITS : (unsigned)NETWORK_V6_BITS;
		value.address = address_prefix(&head->source, bits);
	} else {
		value.protocol = head->protocol;
		value.fragment = head->fragment;
		value.port = trait == TRAIT_PORT ? head->destination_port : head->source_port;
	}
	return value;
}

static int by_bytes(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct value));
}

struct counted {
	struct value value;
	size_t count;
};

static int by_count(const void *left, const void *right)
{
	const struct counted *a = left, *b = right;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return by_bytes(&a->value, &b->value);
}

/* Values to runs of equal ones, the most frequent first. Returns how many. */
static size_t runs_of(struct value *values, size_t count, struct counted *runs)
{
	size_t found = 0;
	qsort(values, count, sizeof(*values), by_bytes);
	for (size_t i = 0; i < count; i++) {
		if (found == 0 || by_bytes(&runs[found - 1].value, &values[i]) != 0)
			runs[found++] = (struct counted){values[i], 0};
		runs[found - 1].count++;
	}
	qsort(runs, found, sizeof(*runs), by_count);
	return found;
}

static void add_protocol(struct buffer *out, unsigned protocol)
{
	static const struct {
		unsigned number;
		const char *name;
	} names[] = {{IPPROTO_ICMP, "icmp"}, {IPPROTO_TCP, "tcp"}, {IPPROTO_UDP, "udp"},
		     {IPPROTO_GRE, "gre"},   {IPPROTO_ESP, "esp"}, {IPPROTO_ICMPV6, "icmpv6"}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == protocol) {
			buffer_text(out, names[i].name);
			return;
		}
	buffer_printf(out, "protocol %u", protocol);
}

static void add_value(struct buffer *out, const struct value *value, enum trait trait, bool many)
{
	char text[ADDRESS_TEXT_BYTES];
	if (trait == TRAIT_DESTINATION || trait == TRAIT_NETWORK) {
		buffer_text(out, prefix_format(&value->address, text));
		return;
	}
	add_protocol(out, value->protocol);
	if (value->fragment)
		buffer_text(out, "/fragment");
	else if (many)
		buffer_text(out, "/*");
	else if (value->protocol == IPPROTO_UDP || value->protocol == IPPROTO_TCP)
		buffer_printf(out, "/%u", value->port);
}

/* As much of the list as there is room for, whole items only. */
static void list(struct value *values, struct counted *runs, size_t count, enum trait trait,
		 char text[PACKET_TRAITS_BYTES], uint32_t *ret_found)
{
	size_t found = runs_of(values, count, runs), at = 0;
	bool is_port = trait == TRAIT_PORT || trait == TRAIT_FROM_PORT;
	*ret_found = (uint32_t)found;
	text[0] = '\0';
	for (size_t i = 0; i < found && i < PACKET_TRAITS_LISTED; i++) {
		struct buffer item = buffer_make(NULL);
		unsigned percent = (unsigned)(runs[i].count * 100 / count);
		bool few = is_port && percent < PORT_PERCENT_LEAST;
		if (few && i > 0)
			break;
		add_value(&item, &runs[i].value, trait, few);
		if (!few)
			buffer_printf(&item, " %u %%", percent);
		if (item.error == 0 && at + item.len + 3 < PACKET_TRAITS_BYTES)
			at += (size_t)snprintf(text + at, PACKET_TRAITS_BYTES - at, "%s%.*s", i > 0 ? ", " : "",
					       SLICE_ARG(buffer_slice(&item)));
		buffer_free(&item);
	}
}

void packet_sample_add(struct packet_sample *sample, const struct packet_head *head, uint8_t kind)
{
	size_t at = sample->count++ % PACKET_SAMPLE_KEPT;
	sample->heads[at] = *head;
	sample->kinds[at] = kind;
}

static size_t gather(const struct packet_sample *sample, uint8_t kind, uint64_t now_ms, enum trait trait,
		     struct value *values)
{
	size_t have = sample->count < PACKET_SAMPLE_KEPT ? sample->count : PACKET_SAMPLE_KEPT, count = 0;
	for (size_t i = 0; i < have; i++) {
		bool old = now_ms > sample->heads[i].at_ms + PACKET_SAMPLE_MS;
		if (!old && (kind == PACKET_SAMPLE_ANY || sample->kinds[i] == kind))
			values[count++] = value_of(&sample->heads[i], trait);
	}
	return count;
}

void packet_sample_traits(const struct packet_sample *sample, uint8_t kind, uint64_t now_ms,
			  struct packet_traits *ret_traits)
{
	struct value *values = malloc(PACKET_SAMPLE_KEPT * sizeof(*values));
	struct counted *runs = malloc(PACKET_SAMPLE_KEPT * sizeof(*runs));
	char *const texts[] = {ret_traits->destinations, ret_traits->ports, ret_traits->from_ports,
			       ret_traits->networks};
	memset(ret_traits, 0, sizeof(*ret_traits));
	for (enum trait trait = TRAIT_DESTINATION; trait <= TRAIT_NETWORK && values != NULL && runs != NULL; trait++) {
		size_t count = gather(sample, kind, now_ms, trait, values);
		ret_traits->sampled = (uint32_t)count;
		if (count > 0)
			list(values, runs, count, trait, texts[trait], &ret_traits->network_count);
	}
	free(runs);
	free(values);
}
