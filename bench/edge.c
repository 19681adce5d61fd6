/*
 * What the edge's program costs a packet with a million different bans: BPF_PROG_TEST_RUN on a build of it that takes
 * another source each time. The same with nothing but the choice of a source and parsing stands beside each figure and
 * is subtracted; rounds of both take turns, and the figure is the median of their differences. What one dependent read
 * of that many bytes costs here and now stands beside it, for a banned packet cannot cost less than one. And how fast
 * user space sets and lifts bans, and the memory of the maps.
 *
 *     edge [--json] [--quick]
 */
#include "edge/bans.h"
#include "measure.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion" /* bpftool's code is what it is */
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "guia-edge-bench-skeleton.h"
#pragma GCC diagnostic pop

enum {
	SOURCES = 1 << 20, /* as edge/source.h has them */
	BANS = 1000000,
	ROUNDS = 21,
	LINE_BYTES = 64,
};

static const uint8_t V4[] = {2, 0, 0,  0, 0, 1, 2,    0,  0, 0, 0,   2, 8,   0, 0x45, 0,    0, 40,   0, 1,
			     0, 0, 64, 6, 0, 0, 10,   0,  0, 1, 203, 0, 113, 1, 0x9c, 0x40, 1, 0xbb, 0, 0,
			     0, 1, 0,  0, 0, 0, 0x50, 16, 4, 0, 0,   0, 0,   0, 0,    0,    0, 0,    0, 0};
static const uint8_t V6[] = {2,    0, 0,   0,    0, 1,   2,    0, 0, 0,    0,  2, 0x86, 0xdd, 0x60, 0, 0,    0,    0,
			     20,   6, 64,  0x20, 1, 0xd, 0xb8, 0, 0, 0,    0,  0, 0,    0,    0,    0, 0,    0,    1,
			     0x20, 1, 0xd, 0xb8, 0, 0,   0,    0, 0, 0,    0,  0, 0,    0,    0,    2, 0x9c, 0x40, 1,
			     0xbb, 0, 0,   0,    1, 0,   0,    0, 0, 0x50, 16, 4, 0,    0,    0,    0, 0};

static const struct row {
	const char *name;
	const uint8_t *frame;
	uint32_t frame_bytes;
	bool banned;
	double aim_ns;
} ROWS[] = {
	{"IPv4, unbanned", V4, sizeof(V4), false, 50},
	{"IPv4, banned", V4, sizeof(V4), true, 130},
	{"IPv6, unbanned", V6, sizeof(V6), false, 50},
	{"IPv6, banned", V6, sizeof(V6), true, 130},
};

static int fail(const char *what, int error)
{
	fprintf(stderr, "edge: %s: %s\n", what, strerror(error));
	return 3;
}

static int program_load(const struct edge_geometry *geometry, bool parse_only, struct edge_bench **ret_program)
{
	struct edge_bench *program = edge_bench__open();
	struct edge_control control = {
		.magic = EDGE_MAGIC, .version = EDGE_VERSION, .bytes = sizeof(control), .geometry = *geometry};
	uint32_t zero = 0;
	if (program == NULL)
		return -ENOMEM;
	memcpy(&program->rodata->geometry, geometry, sizeof(*geometry));
	program->rodata->bench_parse_only = parse_only;
	bpf_map__set_max_entries(program->maps.v4_32, edge_shape_entries(&geometry->v4_32));
	bpf_map__set_max_entries(program->maps.v4_24, edge_shape_entries(&geometry->v4_24));
	bpf_map__set_max_entries(program->maps.v6_128, edge_shape_entries(&geometry->v6_128));
	bpf_map__set_max_entries(program->maps.v6_net, edge_net_entries(&geometry->v6_net));
	bpf_map__set_max_entries(program->maps.v4_some, 1u << geometry->v4_some_bits);
	bpf_map__set_max_entries(program->maps.v6_some, 1u << geometry->v6_some_bits);
	bpf_map__set_max_entries(program->maps.slots, (uint32_t)libbpf_num_possible_cpus() * EDGE_SLOTS);
	int error = edge_bench__load(program);
	if (error == 0)
		error = bpf_map__update_elem(program->maps.control, &zero, sizeof(zero), &control, sizeof(control),
					     BPF_ANY);
	*ret_program = program;
	return error;
}

static int edge_of(const struct edge_bench *program, struct edge *ret_edge)
{
	const struct bpf_map *maps[EDGE_MAP_COUNT];
	int fds[EDGE_MAP_COUNT];
#define MAP_OF(name) maps[EDGE_MAP_##name] = program->maps.name;
	EDGE_MAPS(MAP_OF)
	for (unsigned i = 0; i < EDGE_MAP_COUNT; i++)
		fds[i] = dup(bpf_map__fd(maps[i]));
	return edge_map(fds, ret_edge);
}

static struct ban_entry entry_of(uint32_t number, bool v6, enum ban_kind kind)
{
	uint32_t spread = number * 2654435769u;
	struct ban_entry entry = {
		.expires_ms = BAN_FOR_EVER, .id = 1 + number % 100, .kind = (uint8_t)kind, .bits = 128};
	entry.address = address_from_words(0, 0xffff00000000 | spread);
	if (v6) {
		entry.address = address_from_words(0x2000000000000000 | (uint64_t)spread << 16, 0);
		entry.bits = 64;
	}
	return entry;
}

/* Bans a million, and some networks so that no table is asked for nothing. -> how many have no place */
static size_t bans_say(struct edge *edge, bool v6, enum ban_kind kind, double *ret_per_s)
{
	size_t refused = 0;
	double from = wall_ns();
	for (uint32_t i = 0; i < SOURCES; i++) {
		struct ban_entry entry = entry_of(i, v6, kind);
		refused += edge_say(edge, &entry, 1000) != 0;
	}
	*ret_per_s = SOURCES / ((wall_ns() - from) / 1e9);
	return refused;
}

static double run_ns(struct edge_bench *program, const struct row *row, uint32_t packets)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = row->frame, .data_size_in = row->frame_bytes,
		    .repeat = (int)packets);
	program->bss->bench_first = row->banned ? 0 : SOURCES;
	/* Of this process, not the kernel's own figure: that has what others had of the processor meanwhile in it. */
	double from = cpu_ns();
	if (bpf_prog_test_run_opts(bpf_program__fd(program->progs.guia_edge), &options) != 0)
		exit(fail("BPF_PROG_TEST_RUN", errno));
	return (cpu_ns() - from) / packets;
}

static void measure(struct edge_bench *whole, struct edge_bench *parse, const struct row *row, uint32_t packets,
		    bool json)
{
	double over[ROUNDS], parsing[ROUNDS];
	for (unsigned i = 0; i < ROUNDS; i++) {
		parsing[i] = run_ns(parse, row, packets);
		over[i] = run_ns(whole, row, packets) - parsing[i];
	}
	struct spread cost = spread_of(over, ROUNDS), base = spread_of(parsing, ROUNDS);
	if (json)
		printf("{\"figure\": \"%s\", \"row\": \"%s\", \"ns\": %.1f, \"parse_ns\": %.1f}\n",
		       row->banned ? "edge-banned" : "edge-unbanned", row->name, cost.median, base.median);
	else
		printf("%-16s %6.0f ns a packet [%.0f..%.0f] over a source and parsing, %.0f ns (aim %.0f)\n",
		       row->name, cost.median, cost.low, cost.high, base.median, row->aim_ns);
	fflush(stdout);
}

/* A chain of lines through as much memory, in pages of the size that the kernel has for its maps. */
static double line_ns(size_t bytes)
{
	size_t count = bytes / LINE_BYTES;
	uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	double best = 1e9;
	if (memory == MAP_FAILED || madvise(memory, bytes, MADV_NOHUGEPAGE) != 0)
		return 0;
	/* A full cycle through all lines: an odd step in numbers of which there is a power of two, scattered. */
	for (size_t i = 0; i < count; i++) {
		size_t next = (i * 6364136223846793005u + 1442695040888963407u) & (count - 1);
		memcpy(memory + i * LINE_BYTES, &next, sizeof(next));
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t at = 0;
		double from = cpu_ns();
		for (size_t i = 0; i < count; i++)
			memcpy(&at, memory + at * LINE_BYTES, sizeof(at));
		double one = (cpu_ns() - from) / (double)count;
		best = one < best && at < count ? one : best;
	}
	munmap(memory, bytes);
	return best;
}

static void print_memory(const struct edge *edge, const struct edge_geometry *geometry, bool json)
{
	size_t bytes = 0, table = ((size_t)1 << geometry->v4_32.bucket_bits) * sizeof(struct edge_bucket);
	for (unsigned map = 0; map < EDGE_MAP_COUNT; map++)
		bytes += edge->mapped_bytes[map];
	double line = line_ns(table);
	if (json)
		printf("{\"figure\": \"edge-memory\", \"row\": \"for a million bans of each family\", \"mb\": %.0f, "
		       "\"line_ns\": %.1f}\n",
		       (double)bytes / 1e6, line);
	else
		printf("%.0f MB for a million bans of each family; one read in %.0f MB costs %.0f ns here and now\n",
		       (double)bytes / 1e6, (double)table / 1e6, line);
}

static void print_rate(const char *name, double per_s, size_t refused, bool json)
{
	if (json)
		printf("{\"figure\": \"edge-updates\", \"row\": \"%s\", \"us\": %.3f, \"refused\": %zu}\n", name,
		       1e6 / per_s, refused);
	else
		printf("%-16s %10.0f a second, %zu without a place (aim 100000)\n", name, per_s, refused);
}

int main(int argc, char **argv)
{
	bool json = false, quick = false;
	for (int i = 1; i < argc; i++) {
		json |= strcmp(argv[i], "--json") == 0;
		quick |= strcmp(argv[i], "--quick") == 0;
	}
	struct edge_geometry geometry = edge_geometry_make(BANS);
	struct edge_bench *whole, *parse;
	struct edge edge;
	int error = program_load(&geometry, false, &whole);
	error = error != 0 ? error : program_load(&geometry, true, &parse);
	if (error == -EPERM) {
		fprintf(stderr, "edge: BPF is not allowed here: nothing is measured\n");
		return 0;
	}
	if (error != 0 || (error = edge_of(whole, &edge)) != 0)
		return fail("the program", -error);
	double per_s;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		size_t refused = bans_say(&edge, v6, BAN_REFUSE, &per_s);
		print_rate(v6 ? "ban IPv6 /64" : "ban IPv4", per_s, refused, json);
	}
	print_memory(&edge, &geometry, json);
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
		measure(whole, parse, &ROWS[i], quick ? 100000 : 4000000, json);
	for (unsigned v6 = 0; v6 < 2; v6++) {
		size_t refused = bans_say(&edge, v6, BAN_LIFTED, &per_s);
		print_rate(v6 ? "unban IPv6 /64" : "unban IPv4", per_s, refused, json);
	}
	edge_close(&edge);
	edge_bench__destroy(whole);
	edge_bench__destroy(parse);
	return 0;
}
