/*
 * Gates: what must hold of TX for a step's head, or its second link, to match (course.h). A step whose gate is shut by
 * all that settled rules leave behind sleeps: it is no candidate until a rule that was evaluated, or the engine, writes
 * one of the gate's names so that the gate stands open. Exact: a gate can open by such a write only, and a step whose
 * gate is shut when its turn comes is passed over without a trace. (By the second link's gate only workers that keep
 * nothing but verdicts pass over a step: for others it does not sleep.)
 */
#ifndef GUIA_ENGINE_GATE_H
#define GUIA_ENGINE_GATE_H

#include "engine/tx.h"

/* A step that waits for a name. */
struct gate_sleeper {
	const struct course_gate *gate;
	uint32_t bit; /* of the step, among the candidates */
};

struct gate_sleepers {
	const struct gate_sleeper *items; /* by the slot they wait for; behind the last slot those for composed names */
	const uint32_t *first;            /* of a slot's; two more than there are slots */
};

/* False if the link surely does not match. */
bool gate_is_open(const struct tx_collection *tx, const struct course_gate *gate);

/* At load: takes the steps that sleep from the candidates of every request; `lean` as of a worker with verdicts_only.
 */
void gate_put_to_sleep(const struct plan *plan, uint64_t *candidates, bool lean);
/* Those that sleep in any worker. 0 or -ENOMEM. */
int gate_list_sleepers(struct plan *plan, struct gate_sleepers *ret_sleepers);

/* After a name of TX was written: the steps whose gates stand open now become candidates. */
void gate_wake(struct tx_collection *tx, int handle);
/* The same of all names, for candidates that were not there when they were written. */
void gate_wake_all(struct tx_collection *tx);

#endif
