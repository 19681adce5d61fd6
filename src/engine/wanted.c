#include "engine/wanted.h"

#include "engine/worker.h"

/* The last nodes that were asked for stay: values are mostly changed in the same few ways. */
static struct worker_wanted *wanted_place(struct worker *worker, const struct probe_scan *scan, unsigned view,
					  uint64_t nodes)
{
	uint64_t mixed = (nodes ^ scan->id) * HASH_SPREAD;
	return &worker->wanted[view][mixed >> 32 & (WORKER_WANTED - 1)];
}

const uint64_t *wanted_slots(struct worker *worker, const struct probe_scan *scan, unsigned view, uint64_t nodes)
{
	if ((scan->nodes & ~nodes) == 0)
		return scan->all_slots;
	uint64_t *slots = worker->scan_slots[view];
	nodes &= scan->nodes;
	if (scan->slot_words <= WORKER_WANTED_WORDS) {
		struct worker_wanted *place = wanted_place(worker, scan, view, nodes);
		slots = place->slots;
		if (place->scan == scan->id && place->nodes == nodes)
			return slots;
		place->scan = scan->id;
		place->nodes = nodes;
	}
	memset(slots, 0, scan->slot_words * sizeof(*slots));
	for (uint64_t left = nodes; left != 0; left &= left - 1) {
		const uint64_t *of_node = scan->slots + (size_t)__builtin_ctzll(left) * scan->slot_words;
		for (size_t i = 0; i < scan->slot_words; i++)
			slots[i] |= of_node[i];
	}
	return slots;
}
