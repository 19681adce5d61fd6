/*
 * Turns what happens into records of the evidence log (evidence/writer.h), which a thread of its own writes: nothing
 * here waits for a disk. What the gate told before this watch began is recorded unless the log has it
 * (evidence/recent.h).
 *
 * Of requests that inspection blocked, or would have, the first WITNESS_EACH of a second are a record each, and of
 * those beyond every WITNESS_ONE_OF-th, which says so. How many there were is exact in the refusals of that second.
 */
#ifndef GUIA_WATCH_WITNESS_H
#define GUIA_WATCH_WITNESS_H

#include "evidence/retention.h"
#include "evidence/writer.h"
#include "incident/defence.h"
#include "mitigate/edge_bans.h"
#include "watch/cases.h"
#include "watch/places.h"
#include "watch/sites.h"
#include "watch/upstream_news.h"
#include "wire/edge_layout.h"

enum { WITNESS_EACH = 5000, WITNESS_ONE_OF = 64 };

/* Something that decides what is done, by its digest: "rules", "/etc/guia/rules.conf". */
struct witness_digest {
	struct slice of;
	struct slice name;
	uint8_t sha256[32];
};

struct witness_options {
	const char *folder;      /* NULL: no evidence is kept */
	const char *authority;   /* of timestamps; NULL: none */
	const char *certificate; /* of the export key that messages are sealed to; NULL: none are kept */
	struct retention_policy retention;
	const struct witness_digest *digests;
	size_t digest_count;
};

struct witness;

/* All is copied. 0, with NULL where no evidence is kept; -ENOMEM or -errno. NULL is allowed in all that follows. */
int witness_begin(const struct witness_options *options, uint64_t now_ns, struct witness **ret_witness);
/* What was said is sealed and signed, and that this is the end. */
void witness_end(struct witness *witness);

/* Whose incidents are recorded from now on, and named where something belongs to one. They outlive the witness. */
void witness_cases(struct witness *witness, const struct cases *cases);

void witness_events(struct witness *witness, const struct sites *sites, unsigned box, const struct event *events,
		    size_t count);

/* Something was decided; a source was banned for it; a person asked for something and was answered. */
void witness_decided(struct witness *witness, const struct defence_news *news);
void witness_banned(struct witness *witness, const struct prefix *prefix, uint32_t id, uint64_t until_ms);
void witness_upstream(struct witness *witness, const struct upstream_news *news);
void witness_ordered(struct witness *witness, uid_t who, struct slice question, struct slice answer);

/* `incident` is the number of the one that it belongs to; 0: of none. */
void witness_finding(struct witness *witness, const struct sites *sites, unsigned box, const struct finding *finding,
		     uint64_t incident);

/* With every turn of the loop, once rings were read. */
void witness_step(struct witness *witness);

/* Each second. */
struct witness_sight {
	const struct intake *intake;
	const struct sites *sites;
	const struct edge_bans *edge;
	const struct places *places;
	uint64_t wall_ms;
};
void witness_second(struct witness *witness, const struct witness_sight *sight);

/* A packet that the edge sampled: its head is kept, sealed, where messages are. */
void witness_packet(struct witness *witness, const struct edge_sample *sample);

/* What a person asks of the evidence (witness_asked.c); false: the question is none of these. */
bool witness_answer(struct witness *witness, uid_t who, struct slice question, struct buffer *out);

/* "evidence" of `status`. */
void witness_report(struct witness *witness, struct buffer *out);

#endif
