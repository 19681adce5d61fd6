/*
 * What a defence was told, as bytes from which it can be told again: a head, then chunks, each with its kind and
 * length. They hold addresses, and the key under which events are hashed: nobody else's to read.
 */
#ifndef GUIA_INCIDENT_RECORDING_H
#define GUIA_INCIDENT_RECORDING_H

#include "incident/defence.h"

enum recording_kind {
	RECORDING_BEGIN = 1, /* the key and the time, once */
	RECORDING_MEMORY,    /* what had been learned: traffic/memory.h */
	RECORDING_SITE,
	RECORDING_STANDS,
	RECORDING_TIME,
	RECORDING_EVENTS,  /* their sites by our numbers */
	RECORDING_PACKETS, /* struct defence_packets */
	RECORDING_SPARED,  /* prefixes as of defence_spare(), right after the beginning */
};

enum {
	RECORDING_BAD = 1, /* these are no bytes of a recording of this version */
	RECORDING_CHUNK_MOST = TRAFFIC_MEMORY_BYTES,
};

struct recording_head {
	uint8_t magic[8];
	uint32_t version;
	uint32_t event_bytes;
};

struct recording_chunk {
	uint32_t kind;
	uint32_t bytes; /* of what follows */
};

/* ---- writing: all of these append ---- */

void recording_begin(const struct hash_key *key, struct defence_time now, struct slice memory, struct buffer *out);
void recording_spared(const struct prefix *spared, size_t count, struct buffer *out);
void recording_site(uint16_t number, const char *name, struct buffer *out);
void recording_stands(uint16_t number, const struct defence_standing *standing, struct buffer *out);
void recording_packets(const struct defence_packets *packets, struct buffer *out);
void recording_time(struct defence_time now, struct buffer *out);
/* `sites` as of defence_events(). */
void recording_events(const uint16_t *sites, const struct event *events, size_t count, struct buffer *out);

/* ---- telling it again ---- */

/* Whether a head is one that can be read. */
bool recording_is_ours(const struct recording_head *head);

struct recording_player {
	struct defence *defence; /* NULL before RECORDING_BEGIN */
	uint64_t second;
	/* Who is told what would have been done. */
	defence_say_fn *say;
	void *context;
};

/* One chunk; searches are run at once. 0, RECORDING_BAD or -ENOMEM. */
int recording_play(struct recording_player *player, uint32_t kind, struct slice bytes);
void recording_player_end(struct recording_player *player);

#endif
