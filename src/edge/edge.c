/*
 * Adopting is checking: each map against what it must be, then the control against the sizes of the maps. Behind it who
 * holds the edge, counts that the kernel keeps by processor, and counters of mitigations.
 */
#include "edge/edge.h"

#include "base/clock.h"
#include "base/error.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME_OF(name) #name,
const char *const edge_map_names[EDGE_MAP_COUNT] = {EDGE_MAPS(NAME_OF)};

#define TEXT_OF(symbol, text) [symbol] = text,
const char *const edge_reason_texts[EDGE_REASONS] = {EDGE_PASSING(TEXT_OF) EDGE_DROPPING(TEXT_OF)
							     EDGE_ANSWERING(TEXT_OF)};

/* What a map must be; 0 entries: as the geometry says. */
struct form {
	enum bpf_map_type type;
	uint32_t key_bytes, value_bytes, entries;
	bool mapped;
};
static const struct form FORMS[EDGE_MAP_COUNT] = {
	[EDGE_MAP_control] = {BPF_MAP_TYPE_ARRAY, 4, sizeof(struct edge_control), 1, true},
	[EDGE_MAP_v4_32] = {BPF_MAP_TYPE_ARRAY, 4, sizeof(struct edge_bucket), 0, true},
	[EDGE_MAP_v4_24] = {BPF_MAP_TYPE_ARRAY, 4, sizeof(struct edge_bucket), 0, true},
	[EDGE_MAP_v4_16] = {BPF_MAP_TYPE_ARRAY, 4, sizeof(uint64_t), 1 << 16, true},
	[EDGE_MAP_v4_some] = {BPF_MAP_TYPE_ARRAY, 4, sizeof(uint64_t), 0, true},
	[EDGE_MAP_v6_128] = {BPF_MAP_TYPE_ARRAY, 4, sizeof(struct edge_128_bucket), 0, true},
	[EDGE_MAP_v6_net] = {BPF_MAP_TYPE_ARRAY, 4, sizeof(struct edge_net_bucket), 0, true},
	[EDGE_MAP_v6_some] = {BPF_MAP_TYPE_ARRAY, 4, sizeof(uint64_t), 0, true},
	[EDGE_MAP_seen] = {BPF_MAP_TYPE_ARRAY, 4, sizeof(uint64_t), EDGE_GENERATIONS << EDGE_SEEN_BITS, true},
	[EDGE_MAP_processor] = {BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(struct edge_processor), 1, false},
	[EDGE_MAP_slots] = {BPF_MAP_TYPE_ARRAY, 4, sizeof(struct edge_slot), 0, false},
	[EDGE_MAP_hits] = {BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(uint64_t), EDGE_MITIGATIONS, false},
	[EDGE_MAP_allows] = {BPF_MAP_TYPE_LPM_TRIE, sizeof(struct edge_allow_key), sizeof(struct edge_allow),
			     EDGE_ALLOWS, false},
	[EDGE_MAP_samples] = {BPF_MAP_TYPE_RINGBUF, 0, 0, EDGE_RING_BYTES, false},
};

/* 0, EDGE_FOREIGN or -errno. */
static int map_check(struct edge *edge, enum edge_map map)
{
	const struct form *form = &FORMS[map];
	struct bpf_map_info info = {0};
	uint32_t bytes = sizeof(info);
	if (bpf_obj_get_info_by_fd(edge->fds[map], &info, &bytes) != 0)
		return errno == EINVAL ? EDGE_FOREIGN : -errno;
	if (info.type != form->type || info.key_size != form->key_bytes || info.value_size != form->value_bytes ||
	    (form->entries != 0 && info.max_entries != form->entries) ||
	    (form->mapped && (info.map_flags & BPF_F_MMAPABLE) == 0))
		return EDGE_FOREIGN;
	if (!form->mapped)
		return 0;
	edge->mapped_bytes[map] = ((size_t)info.max_entries * info.value_size + 4095) / 4096 * 4096;
	void *at = mmap(NULL, edge->mapped_bytes[map], PROT_READ | PROT_WRITE, MAP_SHARED, edge->fds[map], 0);
	if (at == MAP_FAILED)
		return -errno;
	edge->mapped[map] = at;
	return 0;
}

/* Of a table whose keys have so many bits, and of them so many stored: the others are told by bucket and spill. */
static bool shape_sound(const struct edge_shape *shape, unsigned key_bits, unsigned stored_bits)
{
	return shape->bucket_bits < key_bits && shape->spill_bits + stored_bits >= key_bits &&
	       shape->bucket_bits <= 24 && shape->bucket_bits >= 8 && shape->spill_bits >= 1 &&
	       shape->spill_bits <= shape->bucket_bits;
}

static bool some_sound(uint32_t some_bits, size_t mapped_bytes)
{
	return some_bits >= 1 && some_bits <= EDGE_SOME_MOST && sizeof(uint64_t) << some_bits <= mapped_bytes;
}

/* What the control says is hostile until it agrees with what the kernel says of the maps. */
static int control_check(const struct edge *edge)
{
	const struct edge_control *control = edge->mapped[EDGE_MAP_control];
	const struct edge_geometry *g = &control->geometry;
	const struct {
		enum edge_map map;
		const struct edge_shape *shape;
		unsigned bits, stored_bits, spill_buckets;
	} tables[] = {{EDGE_MAP_v4_32, &g->v4_32, 32, EDGE_REST_BITS, EDGE_SPILL_BUCKETS},
		      {EDGE_MAP_v4_24, &g->v4_24, 24, EDGE_REST_BITS, EDGE_SPILL_BUCKETS},
		      {EDGE_MAP_v6_128, &g->v6_128, 128, 128, EDGE_SPILL_BUCKETS},
		      {EDGE_MAP_v6_net, &g->v6_net, 64, 64 - EDGE_NET_NAMED_BITS, EDGE_NET_SPILL_BUCKETS}};
	if (memcmp(control->magic, EDGE_MAGIC, sizeof(control->magic)) != 0 || control->version != EDGE_VERSION ||
	    control->bytes != sizeof(*control))
		return EDGE_FOREIGN;
	if ((g->seeds[0] & g->seeds[1] & 1) == 0)
		return EDGE_FOREIGN;
	for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (!shape_sound(tables[i].shape, tables[i].bits, tables[i].stored_bits))
			return EDGE_FOREIGN;
		size_t entries = edge_spilled_entries(tables[i].shape, tables[i].spill_buckets);
		if (entries * sizeof(struct edge_bucket) > edge->mapped_bytes[tables[i].map])
			return EDGE_FOREIGN;
	}
	if (!some_sound(g->v4_some_bits, edge->mapped_bytes[EDGE_MAP_v4_some]) ||
	    !some_sound(g->v6_some_bits, edge->mapped_bytes[EDGE_MAP_v6_some]))
		return EDGE_FOREIGN;
	return control->retired ? EDGE_RETIRED : 0;
}

int edge_map(const int fds[EDGE_MAP_COUNT], struct edge *ret_edge)
{
	struct edge edge = {0};
	int outcome = 0;
	memcpy(edge.fds, fds, sizeof(edge.fds));
	for (unsigned map = 0; map < EDGE_MAP_COUNT && outcome == 0; map++)
		outcome = map_check(&edge, (enum edge_map)map);
	edge.table = (struct ban_table){
		.control = edge.mapped[EDGE_MAP_control],
		.v4_32 = edge.mapped[EDGE_MAP_v4_32],
		.v4_24 = edge.mapped[EDGE_MAP_v4_24],
		.v4_16 = edge.mapped[EDGE_MAP_v4_16],
		.v4_some = edge.mapped[EDGE_MAP_v4_some],
		.v6_128 = edge.mapped[EDGE_MAP_v6_128],
		.v6_net = edge.mapped[EDGE_MAP_v6_net],
		.v6_some = edge.mapped[EDGE_MAP_v6_some],
	};
	outcome = outcome != 0 ? outcome : control_check(&edge);
	if (outcome != 0) {
		edge_close(&edge);
		return outcome;
	}
	*ret_edge = edge;
	return 0;
}

int edge_adopt(const char *directory, struct edge *ret_edge)
{
	int fds[EDGE_MAP_COUNT], outcome = 0;
	unsigned have = 0;
	for (; have < EDGE_MAP_COUNT && outcome == 0; have++) {
		char path[4096];
		int length = snprintf(path, sizeof(path), "%s/%s", directory, edge_map_names[have]);
		fds[have] = length < (int)sizeof(path) ? bpf_obj_get(path) : -1;
		if (fds[have] < 0)
			outcome = length >= (int)sizeof(path) ? -ENAMETOOLONG : -errno;
	}
	if (outcome != 0) {
		while (have-- > 0)
			if (fds[have] >= 0)
				close(fds[have]);
		return outcome;
	}
	return edge_map(fds, ret_edge);
}

bool edge_hold(struct edge *edge, uint64_t who, uint64_t now_ms)
{
	struct edge_control *control = edge->table.control;
	uint64_t held_ms = __atomic_load_n(&control->held_ms, __ATOMIC_ACQUIRE);
	bool stale = held_ms + EDGE_HELD_MS < now_ms || held_ms > now_ms;
	if (__atomic_load_n(&control->holder, __ATOMIC_ACQUIRE) != who && !stale)
		return false;
	__atomic_store_n(&control->holder, who, __ATOMIC_RELEASE);
	__atomic_store_n(&control->held_ms, now_ms, __ATOMIC_RELEASE);
	return true;
}

void edge_close(struct edge *edge)
{
	for (unsigned map = 0; map < EDGE_MAP_COUNT; map++) {
		if (edge->mapped[map] != NULL)
			munmap(edge->mapped[map], edge->mapped_bytes[map]);
		if (edge->fds[map] > 0)
			close(edge->fds[map]);
	}
	*edge = (struct edge){0};
}

bool edge_is_barred(const char *directory)
{
	char path[4096];
	int length = snprintf(path, sizeof(path), "%s/%s", directory, edge_map_names[EDGE_MAP_control]);
	return length < (int)sizeof(path) && faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0 && errno == EACCES;
}

bool edge_is_retired(const struct edge *edge)
{
	return __atomic_load_n(&edge->table.control->retired, __ATOMIC_RELAXED) != 0;
}

uint32_t edge_now_ticks(void)
{
	return edge_ticks((uint64_t)clock_ns(CLOCK_BOOTTIME));
}

struct edge_budget edge_budget_make(uint32_t per_s, uint32_t burst)
{
	uint64_t cost_ns = per_s == 0 ? 0 : 1000000000 / per_s;
	cost_ns = per_s != 0 && cost_ns == 0 ? 1 : cost_ns;
	return (struct edge_budget){cost_ns, burst == 0 ? 0 : cost_ns * (burst - 1)};
}

/* The kernel gives an element of each processor, each at a multiple of eight bytes. */
static int percpu_read(int fd, uint32_t key, size_t value_bytes, int (*each)(void *context, const void *value),
		       void *context)
{
	int processors = libbpf_num_possible_cpus(), outcome = 0;
	if (processors < 0)
		return processors;
	uint8_t *values = calloc((size_t)processors, value_bytes);
	if (values == NULL)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &key, values) != 0)
		outcome = -errno;
	for (int i = 0; i < processors && outcome == 0; i++)
		outcome = each(context, values + (size_t)i * value_bytes);
	free(values);
	return outcome;
}

static int add_processor(void *context, const void *value)
{
	struct edge_counts *counts = context;
	const struct edge_processor *processor = value;
	for (unsigned reason = 0; reason < EDGE_REASONS; reason++) {
		counts->packets[reason] += processor->counters[reason];
		counts->bytes[reason] += processor->bytes[reason];
	}
	return 0;
}

int edge_count(const struct edge *edge, struct edge_counts *ret_counts)
{
	struct edge_counts counts = {0};
	int outcome =
		percpu_read(edge->fds[EDGE_MAP_processor], 0, sizeof(struct edge_processor), add_processor, &counts);
	if (outcome == 0)
		*ret_counts = counts;
	return outcome;
}

/* ---- mitigations: a table of ids by their lower bits; a search ends after a run, not at a free place ---- */

enum { RUN = 32 };

/* 0, which counts for all others, where it has no counter of its own. */
static uint32_t mitigation_find(const struct edge_control *control, uint32_t id)
{
	for (uint32_t i = 0; id != 0 && i < RUN; i++) {
		uint32_t at = (id + i) % EDGE_MITIGATIONS;
		if (at != 0 && control->mitigations[at] == id)
			return at;
	}
	return 0;
}

static int hits_clear(const struct edge *edge, uint32_t at)
{
	int processors = libbpf_num_possible_cpus();
	uint64_t *zeroes = processors < 0 ? NULL : calloc((size_t)processors, sizeof(*zeroes));
	int outcome = zeroes == NULL ? -ENOMEM : bpf_map_update_elem(edge->fds[EDGE_MAP_hits], &at, zeroes, BPF_ANY);
	free(zeroes);
	return outcome;
}

uint32_t edge_mitigation(struct edge *edge, uint32_t id)
{
	struct edge_control *control = edge->table.control;
	uint32_t at = mitigation_find(control, id);
	for (uint32_t i = 0; at == 0 && id != 0 && i < RUN; i++) {
		uint32_t tried = (id + i) % EDGE_MITIGATIONS;
		if (tried == 0 || control->mitigations[tried] != 0)
			continue;
		if (hits_clear(edge, tried) != 0)
			return 0;
		control->mitigations[tried] = id;
		at = tried;
	}
	return at;
}

static int add_hits(void *context, const void *value)
{
	uint64_t hits;
	memcpy(&hits, value, sizeof(hits));
	*(uint64_t *)context += hits;
	return 0;
}

int edge_mitigation_hits(const struct edge *edge, uint32_t id, uint64_t *ret_hits)
{
	uint32_t at = mitigation_find(edge->table.control, id);
	uint64_t hits = 0;
	if (at == 0 && id != 0)
		return -ENOENT;
	int outcome = percpu_read(edge->fds[EDGE_MAP_hits], at, sizeof(uint64_t), add_hits, &hits);
	if (outcome == 0)
		*ret_hits = hits;
	return outcome;
}
