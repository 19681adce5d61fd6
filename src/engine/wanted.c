/*
 * A union of what each node needs, kept in a direct-mapped table by scan and nodes. Where all nodes of a scan are
 * asked, the union made at load serves; one of too many slots for the table is made each time.
 */
#include "engine/wanted.h"

#include "engine/worker.h"

/* The last nodes that were asked for stay: values are mostly changed in the same few ways. */
static struct worker_wanted *wanted_place(struct worker *worker, const struct probe_scan *scan, unsigned view,
					  uint64_t nodes)
{
	uint64_t mixed = (nodes ^ scan->id) * HASH_SPREAD;
	return &worker->wanted[view][mixed >> 32 & (WORKER_WANTED - 1)];
}

static void unite(const struct probe_scan *scan, uint64_t nodes, uint64_t *slots, struct scan_signs *signs)
{
	memset(slots, 0, scan->slot_words * sizeof(*slots));
	*signs = (struct scan_signs){0};
	for (uint64_t left = nodes; left != 0; left &= left - 1) {
		size_t node = (size_t)__builtin_ctzll(left);
		for (size_t i = 0; i < scan->slot_words; i++)
			slots[i] |= scan->slots[node * scan->slot_words + i];
		scan_signs_unite(signs, &scan->signs[node]);
	}
}

void wanted_view(struct worker *worker, const struct probe_scan *scan, unsigned number, uint64_t nodes,
		 struct scan_view *ret_view)
{
	ret_view->ret_bits = worker->scan_words[number];
	ret_view->slots = scan->all_slots;
	ret_view->signs = scan->all_signs;
	if ((scan->nodes & ~nodes) == 0)
		return;
	nodes &= scan->nodes;
	struct worker_wanted *place = wanted_place(worker, scan, number, nodes);
	bool fits = scan->slot_words <= WORKER_WANTED_WORDS;
	uint64_t *slots = fits ? place->slots : worker->scan_slots[number];
	if (!fits || place->scan != scan->id || place->nodes != nodes) {
		unite(scan, nodes, slots, &place->signs);
		place->scan = fits ? scan->id : 0;
		place->nodes = nodes;
	}
	ret_view->slots = slots;
	ret_view->signs = &place->signs;
}
