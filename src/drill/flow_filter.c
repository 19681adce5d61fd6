/*
 * A rule becomes a row of tests, each a load, a mask and two comparisons, that jump to the next rule where they fail;
 * behind the last of them the packet is dropped. TESTS_MOST keeps jumps within their 8 bits.
 */
#include "drill/flow_filter.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <linux/filter.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>

enum {
	RULES_MOST = 64,
	CODE_MOST = 2048,
	TESTS_MOST = 8,
	TRAFFIC_RATE = 6, /* the extended community's subtype */
	COMMUNITIES = 16, /* the attribute's type */
};

/* Offsets from the network header on. */
#define AT(offset)  ((uint32_t)SKF_NET_OFF + (uint32_t)(offset))
#define PROTOCOL_AT ((uint32_t)SKF_AD_OFF + (uint32_t)SKF_AD_PROTOCOL)

/* A value that must lie within bounds. */
struct test {
	uint16_t load;
	uint32_t at;
	uint32_t mask;
	uint32_t least, most;
};

struct rule {
	struct test tests[TESTS_MOST];
	size_t count;
};

static void add(struct rule *rule, struct test test)
{
	if (rule->count < TESTS_MOST)
		rule->tests[rule->count++] = test;
}

static bool read_network(const char *text, uint32_t at, struct rule *rule)
{
	char address[INET_ADDRSTRLEN];
	unsigned bits;
	struct in_addr parsed;
	if (sscanf(text, "%15[0-9.]/%u", address, &bits) != 2 || bits > 32 || inet_pton(AF_INET, address, &parsed) != 1)
		return false;
	uint32_t mask = bits == 0 ? 0 : ~0u << (32 - bits), value = ntohl(parsed.s_addr) & mask;
	add(rule, (struct test){BPF_LD | BPF_W | BPF_ABS, AT(at), mask, value, value});
	return true;
}

static bool read_protocol(const char *text, struct rule *rule)
{
	static const struct {
		const char *name;
		uint32_t number;
	} names[] = {{"==udp", 17}, {"==icmp", 1}, {"==tcp", 6}};
	uint32_t number = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i].name) == 0)
			number = names[i].number;
	if (number == 0 && (sscanf(text, "==%u", &number) != 1 || number > 255))
		return false;
	add(rule, (struct test){BPF_LD | BPF_B | BPF_ABS, AT(9), 0xff, number, number});
	return true;
}

/* "==53", or ">=1344&<=1407". */
static bool read_range(const char *text, uint32_t at, struct rule *rule)
{
	uint32_t least, most;
	char rest;
	if (sscanf(text, "==%u%c", &least, &rest) == 1)
		most = least;
	else if (sscanf(text, ">=%u&<=%u%c", &least, &most, &rest) != 2)
		return false;
	add(rule, (struct test){BPF_LD | BPF_H | BPF_ABS, AT(at), 0xffff, least, most});
	return true;
}

static bool read_port(const char *text, uint32_t at, struct rule *rule)
{
	/* Ports are in a first fragment, behind a header without options. */
	add(rule, (struct test){BPF_LD | BPF_B | BPF_ABS, AT(0), 0xff, 0x45, 0x45});
	add(rule, (struct test){BPF_LD | BPF_H | BPF_ABS, AT(6), 0x1fff, 0, 0});
	return read_range(text, at, rule);
}

static bool read_component(const char *name, const char *text, struct rule *rule)
{
	if (strcmp(name, "destination") == 0)
		return read_network(text, 16, rule);
	if (strcmp(name, "source") == 0)
		return read_network(text, 12, rule);
	if (strcmp(name, "protocol") == 0)
		return read_protocol(text, rule);
	if (strcmp(name, "packet-length") == 0)
		return read_range(text, 2, rule);
	if (strcmp(name, "source-port") == 0)
		return read_port(text, 20, rule);
	return strcmp(name, "destination-port") == 0 && read_port(text, 22, rule);
}

/* "[destination: 192.0.2.10/32][protocol: ==udp]" */
static bool read_match(const char *match, struct rule *rule)
{
	char name[32], value[64];
	int used;
	add(rule, (struct test){BPF_LD | BPF_H | BPF_ABS, PROTOCOL_AT, 0xffff, 0x0800, 0x0800});
	for (; *match != '\0'; match += used) {
		used = 0;
		if (sscanf(match, "[%31[a-z-]: %63[^]]]%n", name, value, &used) != 2 || used == 0 ||
		    !read_component(name, value, rule))
			return false;
	}
	return rule->count > 1 && rule->count < TESTS_MOST;
}

static bool discards(const json_t *paths)
{
	const json_t *path, *attribute, *community;
	size_t i, j, k;
	json_array_foreach(paths, i, path) json_array_foreach(json_object_get(path, "attrs"), j, attribute)
		json_array_foreach(
			json_object_get(attribute, "value"), k,
			community) if (json_integer_value(json_object_get(attribute, "type")) == COMMUNITIES &&
				       json_integer_value(json_object_get(community, "subtype")) == TRAFFIC_RATE &&
				       json_number_value(json_object_get(community, "rate")) == 0) return true;
	return false;
}

/* A rule's tests, each of which goes on to the next rule where it fails; then the packet is dropped. */
static size_t put_rule(const struct rule *rule, struct sock_filter *code)
{
	size_t count = 0, each = 4, all = rule->count * each + 1;
	for (size_t i = 0; i < rule->count; i++) {
		const struct test *t = &rule->tests[i];
		code[count++] = (struct sock_filter){t->load, 0, 0, t->at};
		code[count++] = (struct sock_filter){BPF_ALU | BPF_AND | BPF_K, 0, 0, t->mask};
		code[count] = (struct sock_filter){BPF_JMP | BPF_JGE | BPF_K, 0, (uint8_t)(all - count - 1), t->least};
		count++;
		code[count] = (struct sock_filter){BPF_JMP | BPF_JGT | BPF_K, (uint8_t)(all - count - 1), 0, t->most};
		count++;
	}
	code[count++] = (struct sock_filter){BPF_RET | BPF_K, 0, 0, TC_ACT_SHOT};
	return count;
}

static void write_code(const struct sock_filter *code, size_t count, struct buffer *out)
{
	buffer_printf(out, "%zu", count);
	for (size_t i = 0; i < count; i++)
		buffer_printf(out, ",%u %u %u %u", code[i].code, code[i].jt, code[i].jf, code[i].k);
}

int flow_filter_make(struct slice table, struct buffer *out, size_t *ret_left)
{
	struct sock_filter code[CODE_MOST + 1];
	json_t *json = json_loadb((const char *)table.ptr, table.len, 0, NULL), *paths;
	const char *match;
	size_t count = 0, left = 0;
	int rules = 0;
	if (!json_is_object(json)) {
		json_decref(json);
		return -EPROTO;
	}
	json_object_foreach(json, match, paths)
	{
		struct rule rule = {.count = 0};
		if (!discards(paths) || !read_match(match, &rule) || rules == RULES_MOST ||
		    count + TESTS_MOST * 4 + 1 > CODE_MOST) {
			left++;
			continue;
		}
		count += put_rule(&rule, code + count);
		rules++;
	}
	json_decref(json);
	code[count++] = (struct sock_filter){BPF_RET | BPF_K, 0, 0, (uint32_t)TC_ACT_UNSPEC};
	write_code(code, count, out);
	*ret_left = left;
	return out->error != 0 ? out->error : rules;
}
