/* The maps, as src/wire/edge_layout.h tells, and the constants that the loader sets before the program is verified. */
#ifndef GUIA_EDGE_MAPS_H
#define GUIA_EDGE_MAPS_H

#include "wire/edge_layout.h"

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define INLINE static __attribute__((always_inline)) inline

/* A map's keys are 32-bit indices; sizes of 1 stand until the loader has set them. */
#define ARRAY_MAP(name, map_type, value_type, entries, flags)                                                          \
	struct {                                                                                                       \
		__uint(type, map_type);                                                                                \
		__uint(max_entries, entries);                                                                          \
		__uint(map_flags, flags);                                                                              \
		__type(key, uint32_t);                                                                                 \
		__type(value, value_type);                                                                             \
	} name SEC(".maps")

ARRAY_MAP(control, BPF_MAP_TYPE_ARRAY, struct edge_control, 1, BPF_F_MMAPABLE);
ARRAY_MAP(v4_32, BPF_MAP_TYPE_ARRAY, struct edge_bucket, 1, BPF_F_MMAPABLE);
ARRAY_MAP(v4_24, BPF_MAP_TYPE_ARRAY, struct edge_bucket, 1, BPF_F_MMAPABLE);
ARRAY_MAP(v4_16, BPF_MAP_TYPE_ARRAY, uint64_t, 1 << 16, BPF_F_MMAPABLE);
ARRAY_MAP(v4_some, BPF_MAP_TYPE_ARRAY, uint64_t, 1, BPF_F_MMAPABLE);
ARRAY_MAP(v6_128, BPF_MAP_TYPE_ARRAY, struct edge_128_bucket, 1, BPF_F_MMAPABLE);
ARRAY_MAP(v6_net, BPF_MAP_TYPE_ARRAY, struct edge_net_bucket, 1, BPF_F_MMAPABLE);
ARRAY_MAP(v6_some, BPF_MAP_TYPE_ARRAY, uint64_t, 1, BPF_F_MMAPABLE);
ARRAY_MAP(seen, BPF_MAP_TYPE_ARRAY, uint64_t, EDGE_GENERATIONS << EDGE_SEEN_BITS, BPF_F_MMAPABLE);
ARRAY_MAP(processor, BPF_MAP_TYPE_PERCPU_ARRAY, struct edge_processor, 1, 0);
ARRAY_MAP(slots, BPF_MAP_TYPE_ARRAY, struct edge_slot, 1, 0);
ARRAY_MAP(hits, BPF_MAP_TYPE_PERCPU_ARRAY, uint64_t, EDGE_MITIGATIONS, 0);

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, EDGE_ALLOWS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct edge_allow_key);
	__type(value, struct edge_allow);
} allows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EDGE_RING_BYTES);
} samples SEC(".maps");

/* Constants to the verifier, so that masks and shifts cost what immediates cost. */
const volatile struct edge_geometry geometry;

INLINE void seeds_get(uint64_t seeds[2])
{
	seeds[0] = geometry.seeds[0];
	seeds[1] = geometry.seeds[1];
}

#endif
