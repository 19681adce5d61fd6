/* What a witness's files share: only witness.c, witness_asked.c and witness_leaves.c see it. */
#ifndef GUIA_WATCH_WITNESS_INSIDE_H
#define GUIA_WATCH_WITNESS_INSIDE_H

#include "casebook/intrusions.h"
#include "evidence/body_store.h"
#include "watch/custodian.h"
#include "watch/hit_ledger.h"
#include "watch/pairing.h"
#include "watch/tally.h"
#include "watch/witness.h"

enum { WITNESS_INCIDENTS = INTRUSIONS_MOST + 2 };

/* How an incident stood when it was recorded. */
struct witness_incident {
	uint64_t id; /* 0: the place is free */
	enum case_kind kind;
	enum case_phase phase;
	uint64_t look; /* when it was there last */
};

struct witness {
	struct writer *writer;
	char *folder;
	bool has_authority;
	struct buffer packets; /* of this second, as a pcapng file */
	uint64_t packet_count;
	struct custodian *custodian;
	uint64_t began_ns;
	const struct sites *sites; /* of the last look */

	/* Events of the time before us, until it is known what the log has of them; NULL: none, or they are taken. */
	struct pairing_event *early;
	size_t early_count, early_room;
	uint64_t early_lost;
	struct recent *recent; /* what the log has; NULL: it is not open, and they wait */
	struct recent nothing; /* for one that never was */

	struct pairing *pairing;
	char *certificate;         /* NULL: messages are not kept */
	struct body_store *bodies; /* NULL: not yet */
	int bodies_told;

	struct tally *tally;
	struct hit_ledger *hits;
	uint64_t block_second;
	uint64_t blocks; /* of that second, so far */

	const struct cases *cases; /* NULL: nobody keeps incidents */
	struct witness_incident incidents[WITNESS_INCIDENTS];
	uint64_t look; /* at them, its number */
	bool places_told;
	uint64_t events_lost, heads_lost, findings_lost, broken;
	unsigned lost_seconds; /* for so many more what events do not tell is looked for */
	uint64_t shed[SHED_KINDS];
	uint64_t edge_packets[EDGE_REASONS];
	bool counted; /* the sums above are of the second before */

	bool open_told; /* what was last said on stderr */
	int fault_told, error_told, stamp_told;
	uint64_t lost_told;
};

/* A request that inspection blocked, or would have. Slices of len 0 are not known. */
struct witness_block {
	const char *site;
	const uint8_t *source; /* 16 bytes, as in events */
	uint16_t port;
	uint64_t at_ms;
	const char *verdict;
	unsigned worker;
	uint64_t number;
	struct slice request, method, uri, agent, rules;
	uint16_t status;      /* 0: no answer */
	int32_t score;        /* below 0: not known */
	struct slice message; /* as it came; for the sealed store alone */
	uint64_t cut;         /* bytes of it that are not there */
	struct slice answer;  /* the same of the origin's answer, where that was blocked */
	uint64_t answer_cut;
	uint64_t incident; /* 0: of none */
};

/* witness_findings.c */
const char *witness_site_name(const struct witness *witness, uint16_t site);
void witness_event_alone(void *context, const struct pairing_event *told);

/* witness_packets.c */
void witness_packets_second(struct witness *witness, uint64_t wall_ms);

/* witness_leaves.c */
/* CLOCK_MONOTONIC_COARSE: asked for with each event. */
uint64_t witness_now_ms(void);
/* As records name it, also where it has none. */
const char *witness_name_of(const char *site);
void witness_block(struct witness *witness, const struct witness_block *block);
void witness_digest_put(struct witness *witness, struct slice of, struct slice name, const uint8_t sha256[32]);
void witness_refusals_put(struct witness *witness, const char *site, const char *rule, uint64_t second, uint64_t total);
void witness_loss_put(struct witness *witness, const char *ring, uint64_t lost);
void witness_incident_put(struct witness *witness, const struct case_glance *incident, const char *change);

/* witness_incidents.c */
void witness_incidents_second(struct witness *witness);

#endif
