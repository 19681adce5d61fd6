/* Intrusions that a watch before this one had on record. */
#include "casebook/intrusions_inside.h"

#include <stdio.h>

void intrusions_resume(struct intrusions *intrusions, const struct case_record *record, const struct case_actor *known)
{
	struct intrusion *in = intrusions_place(intrusions, CASE_SHELL);
	struct actor *actor = actors_place(&intrusions->actors);
	uint64_t last_ms = record->over_ms;
	if (in == NULL || actor == NULL || record->kind == CASE_FLOOD)
		return;
	const struct actor_sight sight = {.at_ms = record->onset_ms};
	actor_begin(actor, &sight);
	*in = (struct intrusion){.id = record->id,
				 .actor = (uint32_t)(actor - intrusions->actors.list),
				 .kind = record->kind,
				 .phase = record->phase,
				 .kinds = known->kinds,
				 .onset_ms = record->onset_ms,
				 .opened_ms = record->opened_ms,
				 .held_ms = record->held_ms,
				 .over_ms = record->over_ms,
				 .reopened = record->reopened,
				 .peak = record->peak};
	actor->incident = (uint32_t)(in - intrusions->list) + 1;
	for (size_t i = 0; i < record->site_count && i < ACTOR_SITES; i++) {
		const struct case_site *from = &record->sites[i];
		struct actor_site *site = &actor->sites[actor->site_count++];
		*site = (struct actor_site){.onset_ms = from->onset_ms,
					    .until_ms = from->until_ms,
					    .blocked = from->sums.blocked,
					    .passed = from->sums.passed,
					    .blocked_told = from->sums.blocked,
					    .passed_told = from->sums.passed,
					    .peak = from->peak};
		snprintf(site->name, sizeof(site->name), "%s", from->name);
		last_ms = from->until_ms > last_ms ? from->until_ms : last_ms;
	}
	actor->last_ms = actor->known_ms = record->over_ms != 0 ? record->over_ms : last_ms;
	actor->findings = (uint32_t)known->findings;
	actor->missing = (uint32_t)known->missing;
	actor->classes = known->classes;
	actor->shapes[0] = known->shape;
	actor->asked[0] = known->asked;
	if (known->agent != 0)
		actor_item_of(actor, ACTOR_AGENT, known->agent, SLICE("(before a restart)"))->count = 1;
	actor_told(actor);
}

void intrusions_resume_source(struct intrusions *intrusions, uint64_t id, const char *address)
{
	struct prefix prefix;
	if (!prefix_parse(slice_from_string(address), &prefix) || prefix.bits != ADDRESS_BITS)
		return;
	for (size_t i = 0; i < INTRUSIONS_MOST; i++) {
		struct actor *actor = &intrusions->actors.list[intrusions->list[i].actor];
		if (intrusions->list[i].id != id)
			continue;
		actor_add_source(actor, &prefix.address);
		actor_told(actor);
		actors_bind(&intrusions->actors, &prefix.address, actor, actor->last_ms);
	}
}
