/* What a witness's files share: only witness.c, witness_asked.c and witness_leaves.c see it. */
#ifndef GUIA_WATCH_WITNESS_INSIDE_H
#define GUIA_WATCH_WITNESS_INSIDE_H

#include "watch/hit_ledger.h"
#include "watch/tally.h"
#include "watch/witness.h"

#include <time.h>

/* An event of the time before this watch, until it is known what the log has of it. */
struct witness_early {
	unsigned box;
	uint16_t site;
	struct event event;
};

struct witness {
	struct writer *writer;
	char *folder;
	bool has_authority;
	uint64_t began_ns;
	const struct sites *sites; /* of the last look */

	struct witness_early *early; /* NULL: none, or they have been taken */
	size_t early_count, early_room;
	bool early_taken;

	struct tally *tally;
	struct hit_ledger *hits;
	time_t block_second;
	uint64_t blocks; /* of that second, so far */

	uint64_t incident;
	enum case_phase phase;
	bool places_told;
	uint64_t events_lost, heads_lost, broken;
	unsigned lost_seconds; /* for so many more what events do not tell is looked for */
	uint64_t shed[SHED_KINDS];
	uint64_t edge_packets[EDGE_REASONS];
	bool counted; /* the sums above are of the second before */

	bool open_told; /* what was last said on stderr */
	int fault_told, error_told, stamp_told;
	uint64_t lost_told;
};

/* witness_leaves.c */
void witness_digest_put(struct witness *witness, struct slice of, struct slice name, const uint8_t sha256[32]);
void witness_refusals_put(struct witness *witness, const char *site, const char *rule, uint64_t second, uint64_t total);
void witness_loss_put(struct witness *witness, const char *ring, uint64_t lost);
void witness_incident_put(struct witness *witness, const struct case_record *incident, const char *change);

#endif
