/* Incidents of all kinds, each time that one opens, moves on or ends; what opens and what ends is timestamped. */
#include "watch/witness_inside.h"

static struct witness_incident *place_of(struct witness *witness, uint64_t id)
{
	struct witness_incident *place = NULL;
	for (size_t i = 0; i < WITNESS_INCIDENTS; i++) {
		if (witness->incidents[i].id == id)
			return &witness->incidents[i];
		if (place == NULL && witness->incidents[i].id == 0)
			place = &witness->incidents[i];
	}
	return place;
}

static const char *change_of(const struct witness_incident *was, const struct case_glance *is)
{
	if (was->id == 0)
		return "opened";
	if (was->phase == CASE_OVER && is->phase != CASE_OVER)
		return "opened again";
	if (was->phase != is->phase)
		return is->phase == CASE_OVER ? "closed" : case_phase_name(is->phase);
	return was->kind != is->kind ? "called so from now on" : NULL;
}

static void note(struct witness *witness, struct witness_incident *place, const struct case_glance *glance)
{
	*place = (struct witness_incident){glance->id, glance->kind, glance->phase, witness->look};
}

static void see(void *context, const struct case_glance *glance)
{
	struct witness *witness = context;
	struct witness_incident *place = place_of(witness, glance->id);
	if (place == NULL)
		return;
	const char *change = change_of(place, glance);
	bool ends = place->id == 0 || (place->phase == CASE_OVER) != (glance->phase == CASE_OVER);
	note(witness, place, glance);
	if (change == NULL)
		return;
	witness_incident_put(witness, glance, change);
	if (ends)
		writer_stamp(witness->writer);
}

void witness_incidents_second(struct witness *witness)
{
	witness->look++;
	cases_each(witness->cases, see, witness);
	for (size_t i = 0; i < WITNESS_INCIDENTS; i++)
		if (witness->incidents[i].look != witness->look)
			witness->incidents[i].id = 0;
}

/* The log of a watch that was killed need not have the last that happened to it. */
static void know(void *context, const struct case_glance *glance)
{
	struct witness *witness = context;
	struct witness_incident *place = place_of(witness, glance->id);
	if (place == NULL)
		return;
	note(witness, place, glance);
	if (glance->phase != CASE_OVER)
		witness_incident_put(witness, glance, "gone on with");
}

void witness_cases(struct witness *witness, const struct cases *cases)
{
	if (witness == NULL)
		return;
	witness->cases = cases;
	cases_each(cases, know, witness);
}
