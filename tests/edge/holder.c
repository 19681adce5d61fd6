/*
 * What the watch will be to the edge, for tests: a process that holds the pinned maps and changes them.
 *
 *     holder DIR ban|allow|unban PREFIX [MS]     DIR churn PREFIX     DIR check     DIR age     DIR fill
 *     holder DIR samples COUNT                   prints what so many sampled packets were
 *     holder - pass INTERFACE                    attaches a program that passes everything
 *     holder - relay INTERFACE OTHER             attaches one that sends everything on from the other
 *     holder - frame INTERFACE HEX               sends an Ethernet frame
 *     holder - flood ADDRESS PORT COUNT FROM N   SYNs that say they are from N addresses in turn, in bursts
 */
#include "edge/bans.h"
#include "edge/sample_ring.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FLOOD_BURST = 128, FLOOD_PAUSE_US = 500 }; /* half of what a veth's ring holds */

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct ban_entry entry_of(const char *text, enum ban_kind kind, enum ban_rank rank, const char *ms)
{
	struct prefix prefix;
	if (!prefix_parse(slice_from_string(text), &prefix))
		exit(2);
	uint64_t expires_ms = ms == NULL ? BAN_FOR_EVER : now_ms() + strtoull(ms, NULL, 10);
	return (struct ban_entry){prefix.address, expires_ms, 7, prefix.bits, (uint8_t)kind, (uint8_t)rank, 0};
}

static int say(struct edge *edge, const char *word, const char *prefix, const char *ms)
{
	static const struct {
		const char *word;
		enum ban_kind kind;
		enum ban_rank rank;
	} words[] = {{"ban", BAN_REFUSE, BAN_AUTOMATIC},
		     {"allow", BAN_ALLOW, BAN_LISTED},
		     {"unban", BAN_LIFTED, BAN_AUTOMATIC}};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, word) != 0)
			continue;
		struct ban_entry entry = entry_of(prefix, words[i].kind, words[i].rank, ms);
		return edge_say(edge, &entry, now_ms()) == 0 ? 0 : 1;
	}
	return 2;
}

/* Bans and lifts neighbours of an address until it is killed. */
static _Noreturn void churn(struct edge *edge, const char *prefix)
{
	struct ban_entry entry = entry_of(prefix, BAN_REFUSE, BAN_AUTOMATIC, NULL);
	uint64_t first = address_low(&entry.address);
	puts("churning");
	fflush(stdout);
	for (uint64_t i = 0;; i = (i + 1) % 5000) {
		entry.address = address_from_words(0, first + i);
		entry.kind = entry.kind == BAN_REFUSE && i == 0 ? BAN_LIFTED : i == 0 ? BAN_REFUSE : entry.kind;
		edge_say(edge, &entry, now_ms());
	}
}

/* Whether counts are those of the bans that are found. */
static int check(const struct edge *edge)
{
	uint32_t counts[EDGE_LENGTHS] = {0};
	struct ban_place ban;
	for (size_t at = 0; ban_table_next(&edge->table, &at, &ban); at++) {
		counts[ban.length]++;
		if (ban_table_find(&edge->table, ban.length, &ban.address) != ban.word)
			return 1;
	}
	return memcmp(counts, edge->table.control->bans, sizeof(counts)) != 0;
}

static int fill(struct edge *edge)
{
	struct ban_entry entry = entry_of("11.0.0.0", BAN_REFUSE, BAN_AUTOMATIC, NULL);
	for (uint64_t i = 0; i < 10 * 1000 * 1000; i++) {
		entry.address = address_from_words(0, 0xffff0b000000 + i);
		if (edge_say(edge, &entry, now_ms()) == EDGE_FULL) {
			puts("full");
			return 0;
		}
	}
	return 1;
}

static bool sample_print(void *context, const struct edge_sample *sample)
{
	unsigned *left = context;
	printf("%s, %u of %u bytes\n", edge_reason_texts[sample->reason], sample->head_bytes, sample->packet_bytes);
	return --*left > 0;
}

static int samples(const struct edge *edge, const char *count)
{
	struct sample_ring *ring;
	unsigned left = (unsigned)strtoul(count, NULL, 10);
	if (sample_ring_open(edge, &ring) != 0)
		return 1;
	struct pollfd ready = {.fd = sample_ring_fd(ring), .events = POLLIN};
	while (left > 0 && poll(&ready, 1, 3000) > 0 && sample_ring_drain(ring, sample_print, &left) == 0)
		;
	sample_ring_close(ring);
	return left != 0;
}

static int frame(const char *interface, const char *hex)
{
	uint8_t bytes[2048];
	size_t length = strlen(hex) / 2;
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	for (size_t i = 0; i < length && i < sizeof(bytes); i++) {
		int high = byte_hex_value((uint8_t)hex[2 * i]), low = byte_hex_value((uint8_t)hex[2 * i + 1]);
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	bool sent = fd >= 0 && length <= sizeof(bytes) &&
		    sendto(fd, bytes, length, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)length;
	return sent ? 0 : 1;
}

static int program_attach(const char *interface, const struct bpf_insn *code, size_t count)
{
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "holder", "GPL", code, count, NULL);
	return fd < 0 || bpf_xdp_attach((int)if_nametoindex(interface), fd, XDP_FLAGS_DRV_MODE, NULL) != 0;
}

/* A veth gives the kernel what its peer's program sends back only where it has a program itself. */
static int pass(const char *interface)
{
	static const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	return program_attach(interface, code, sizeof(code) / sizeof(code[0]));
}

/* What is sent on so reaches the other's peer as frames in pages, as a card's driver has them, not as a sender's. */
static int relay(const char *interface, const char *other)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = (int)if_nametoindex(other)},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect},
		{.code = BPF_JMP | BPF_EXIT},
	};
	return program_attach(interface, code, sizeof(code) / sizeof(code[0]));
}

static int flood(const char *address, const char *port, const char *count, const char *first, const char *sources)
{
	static uint8_t packet[40] = {0x45, 0, 0, 40, [8] = 64, 6, [32] = 0x50, 2, 4};
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct in_addr from_first;
	uint32_t from_count = (uint32_t)strtoul(sources, NULL, 10);
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	uint16_t to_port = htons((uint16_t)strtoul(port, NULL, 10));
	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 || inet_pton(AF_INET, first, &from_first) != 1 ||
	    from_count == 0)
		return 2;
	memcpy(packet + 16, &to.sin_addr, 4);
	memcpy(packet + 22, &to_port, 2);
	for (uint32_t i = 0, n = (uint32_t)strtoul(count, NULL, 10); i < n; i++) {
		uint32_t from = htonl(ntohl(from_first.s_addr) + i % from_count), sum = 6 + 20;
		memcpy(packet + 12, &from, 4);
		packet[20] = (uint8_t)(64 + i % 128);
		packet[36] = packet[37] = 0;
		for (unsigned at = 12; at < 40; at += 2)
			sum += (uint32_t)packet[at] << 8 | packet[at + 1];
		sum = (sum & 0xffff) + (sum >> 16);
		sum = ~((sum & 0xffff) + (sum >> 16));
		packet[36] = (uint8_t)(sum >> 8);
		packet[37] = (uint8_t)sum;
		if (sendto(fd, packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			return 1;
		if (i % FLOOD_BURST == FLOOD_BURST - 1)
			usleep(FLOOD_PAUSE_US);
	}
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	struct edge edge;
	if (argc < 3)
		return 2;
	if (strcmp(argv[2], "pass") == 0)
		return argc == 4 ? pass(argv[3]) : 2;
	if (strcmp(argv[2], "relay") == 0)
		return argc == 5 ? relay(argv[3], argv[4]) : 2;
	if (strcmp(argv[2], "frame") == 0)
		return argc == 5 ? frame(argv[3], argv[4]) : 2;
	if (strcmp(argv[2], "flood") == 0)
		return argc == 8 ? flood(argv[3], argv[4], argv[5], argv[6], argv[7]) : 2;
	if (edge_adopt(argv[1], &edge) != 0)
		return 1;
	ban_table_mend(&edge.table);
	if (strcmp(argv[2], "check") == 0)
		return check(&edge);
	if (strcmp(argv[2], "fill") == 0)
		return fill(&edge);
	if (strcmp(argv[2], "age") == 0) {
		edge.table.control->version++;
		return 0;
	}
	if (argc < 4)
		return 2;
	if (strcmp(argv[2], "samples") == 0)
		return samples(&edge, argv[3]);
	if (strcmp(argv[2], "churn") == 0)
		churn(&edge, argv[3]);
	return say(&edge, argv[2], argv[3], argc > 4 ? argv[4] : NULL);
}
