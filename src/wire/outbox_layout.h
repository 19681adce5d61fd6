/*
 * The inside of an outbox: one file for each worker at work, in the events directory. For outbox.c, inbox.c and tests.
 *
 *   header      what the file is; never changes; checked by both sides
 *   control     who writes, the rings' heads, the connections' counters, the table of sites with theirs,
 *               how often mitigations hit, how origins are
 *   events      a ring of struct event
 *   heads       a ring of struct head
 *   findings    a ring of struct parcel_slot
 */
#ifndef GUIA_WIRE_OUTBOX_LAYOUT_H
#define GUIA_WIRE_OUTBOX_LAYOUT_H

#include "wire/outbox.h"

enum {
	OUTBOX_VERSION = 8,
	OUTBOX_NAME_BYTES = 254,
	OUTBOX_SLOTS_MAX = 1 << 22,
	OUTBOX_KEY_BYTES = 16,
};

#define OUTBOX_MAGIC      "guiaOUT" /* eight bytes with the NUL */
#define OUTBOX_PREFIX     "worker-"
#define OUTBOX_KEY_FILE   "key"
#define OUTBOX_NEW_SUFFIX ".new"

struct outbox_header {
	char magic[8];
	uint32_t version;
	uint32_t header_bytes;
	uint64_t bytes; /* of the whole file */
	uint32_t event_slots;
	uint32_t event_bytes;
	uint32_t head_slots;
	uint32_t head_bytes;
	uint32_t finding_slots;
	uint32_t finding_bytes;
	uint32_t sites;
	uint32_t verdicts;
	uint32_t reasons;
	uint32_t states;
	uint64_t check; /* of all above */
};

struct outbox_site {
	_Atomic uint32_t length; /* of the name; set last */
	char name[OUTBOX_NAME_BYTES + 2];
	struct site_counters counters;
};

struct outbox_control {
	_Atomic uint64_t pid; /* 0: nobody */
	counter lives;        /* workers that have used it */
	counter began_ns;     /* this one's beginning, CLOCK_BOOTTIME */
	struct ring_control events;
	struct ring_control heads;
	struct ring_control findings;
	_Alignas(64) struct connection_counters connections;
	_Alignas(64) _Atomic uint32_t site_count; /* those of the table that stand */
	_Alignas(64) struct outbox_site sites[OUTBOX_SITES];
	_Alignas(64) struct hit_table hits;
	_Alignas(64) struct load_gauges load;
};

enum {
	OUTBOX_HEADER_BYTES = 4096,
	OUTBOX_CONTROL_BYTES = (sizeof(struct outbox_control) + 4095) / 4096 * 4096,
};

static inline uint64_t outbox_events_at(void)
{
	return OUTBOX_HEADER_BYTES + OUTBOX_CONTROL_BYTES;
}

static inline uint64_t outbox_heads_at(const struct outbox_sizes *sizes)
{
	return outbox_events_at() + (uint64_t)sizes->event_slots * sizeof(struct event);
}

static inline uint64_t outbox_findings_at(const struct outbox_sizes *sizes)
{
	return outbox_heads_at(sizes) + (uint64_t)sizes->head_slots * sizeof(struct head);
}

static inline uint64_t outbox_bytes(const struct outbox_sizes *sizes)
{
	return outbox_findings_at(sizes) + (uint64_t)sizes->finding_slots * PARCEL_SLOT_BYTES;
}

/* The header of a file with so many slots. */
void outbox_header_make(const struct outbox_sizes *sizes, struct outbox_header *ret_header);

/* Whether a header is one of this version, for a file of `file_bytes`. */
bool outbox_header_sound(const struct outbox_header *header, uint64_t file_bytes);

static inline struct outbox_sizes outbox_header_sizes(const struct outbox_header *header)
{
	return (struct outbox_sizes){header->event_slots, header->head_slots, header->finding_slots};
}

#endif
