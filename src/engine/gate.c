/*
 * Sleepers are listed by the slot that wakes them, with a counting sort: counted, summed up, put in place. A gate that
 * settled rules may open is never slept behind, as nobody is told of what they write.
 */
#include "engine/gate.h"

#include "engine/operator_kind.h"
#include "engine/probe.h"

#include <errno.h>

static bool lets_through(const struct course_gate *gate, int64_t number)
{
	return !gate->compares || operator_compare_numbers(gate->relation, number, gate->number) != gate->negated;
}

bool gate_is_open(const struct tx_collection *tx, const struct course_gate *gate)
{
	if (gate->composed && tx->dynamic_count > 0)
		return true;
	for (size_t i = 0; i < gate->slot_count; i++) {
		struct tx_entry *entry = tx_get(tx, (int)gate->slots[i]);
		if (entry != NULL)
			return lets_through(gate, tx_number(entry));
	}
	return false;
}

static bool has_slot(const struct course_gate *gate, int slot)
{
	for (size_t i = 0; i < gate->slot_count; i++)
		if (gate->slots[i] == (uint32_t)slot)
			return true;
	return false;
}

/* Whether settled rules, of which no write is told, may open it. */
static bool opens_by_itself(const struct plan *plan, const struct course_gate *gate)
{
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		const struct course *course = &plan->courses.phases[phase];
		for (size_t i = 0; i < course->count; i++) {
			const struct course_settled *settled = course->steps[i].settled;
			for (size_t k = 0; settled != NULL && k < settled->write_count; k++)
				if (!settled->writes[k].unset && has_slot(gate, settled->writes[k].slot) &&
				    lets_through(gate, settled->writes[k].number))
					return true;
		}
	}
	return false;
}

/* The gate that keeps a step asleep; NULL: it does not sleep. */
static const struct course_gate *sleeps_by(const struct plan *plan, const struct course_step *step, bool lean)
{
	if (step->gate != NULL && !opens_by_itself(plan, step->gate))
		return step->gate;
	return lean && step->link_gate != NULL && !opens_by_itself(plan, step->link_gate) ? step->link_gate : NULL;
}

typedef void sleeper_visit(void *context, const struct course_gate *gate, size_t bit);

static void visit_sleepers(const struct plan *plan, bool lean, sleeper_visit *visit, void *context)
{
	for (unsigned phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		const struct course *course = &plan->courses.phases[phase];
		for (size_t i = 0; i < course->count; i++) {
			const struct course_gate *gate = sleeps_by(plan, &course->steps[i], lean);
			if (gate != NULL)
				visit(context, gate, course->first_bit + i);
		}
	}
}

static void put_to_sleep(void *context, const struct course_gate *gate, size_t bit)
{
	uint64_t *candidates = context;
	(void)gate;
	candidates[bit / 64] &= ~((uint64_t)1 << bit % 64);
}

void gate_put_to_sleep(const struct plan *plan, uint64_t *candidates, bool lean)
{
	visit_sleepers(plan, lean, put_to_sleep, candidates);
}

/* Those that wait for each slot: first counted, then put where their slot's begin. */
struct listing {
	size_t slots;
	uint32_t *first;
	struct gate_sleeper *items;
};

static void count_sleeper(void *context, const struct course_gate *gate, size_t bit)
{
	struct listing *listing = context;
	(void)bit;
	for (size_t i = 0; i < gate->slot_count; i++)
		listing->first[gate->slots[i] + 1]++;
	listing->first[listing->slots + 1] += gate->composed;
}

static void list_sleeper(void *context, const struct course_gate *gate, size_t bit)
{
	struct listing *listing = context;
	struct gate_sleeper sleeper = {gate, (uint32_t)bit};
	for (size_t i = 0; i < gate->slot_count; i++)
		listing->items[listing->first[gate->slots[i]]++] = sleeper;
	if (gate->composed)
		listing->items[listing->first[listing->slots]++] = sleeper;
}

int gate_list_sleepers(struct plan *plan, struct gate_sleepers *ret_sleepers)
{
	size_t slots = plan->ruleset->tx_slot_count;
	struct listing listing = {.slots = slots, .first = arena_zalloc(&plan->arena, slots + 2, sizeof(uint32_t))};
	if (listing.first == NULL)
		return -ENOMEM;
	visit_sleepers(plan, true, count_sleeper, &listing);
	for (size_t i = 0; i <= slots; i++)
		listing.first[i + 1] += listing.first[i];
	listing.items = arena_zalloc(&plan->arena, listing.first[slots + 1] + 1, sizeof(*listing.items));
	if (listing.items == NULL)
		return -ENOMEM;
	visit_sleepers(plan, true, list_sleeper, &listing);
	/* Each slot's first has moved to where the next slot's was. */
	memmove(listing.first + 1, listing.first, (slots + 1) * sizeof(*listing.first));
	listing.first[0] = 0;
	*ret_sleepers = (struct gate_sleepers){listing.items, listing.first};
	return 0;
}

void gate_wake(struct tx_collection *tx, int handle)
{
	const struct gate_sleepers *sleepers = &tx->plan->probes->sleepers;
	size_t slots = tx->plan->ruleset->tx_slot_count;
	size_t slot = (size_t)handle < slots ? (size_t)handle : slots;
	for (uint32_t i = sleepers->first[slot]; i < sleepers->first[slot + 1]; i++)
		if (gate_is_open(tx, sleepers->items[i].gate))
			tx->candidates[sleepers->items[i].bit / 64] |= (uint64_t)1 << sleepers->items[i].bit % 64;
}

void gate_wake_all(struct tx_collection *tx)
{
	for (size_t slot = 0; slot <= tx->plan->ruleset->tx_slot_count; slot++)
		gate_wake(tx, (int)slot);
}
