/*
 * What happened, as people speak of it: incidents. A flood begins with the first site that is attacked, or with packets
 * that flood the edge or the link, and takes in every other of these while it lasts or within an hour after it; each
 * second of it is summed up by site, what was done is written down in order, and it closes with its final figures. This
 * is the book of floods, of which one is on at a time; intrusions (casebook/intrusions.h) are incidents beside it, in
 * the same form.
 *
 * Pure: no clock, no file. Times are milliseconds since 1970, as read in the same second. What is to be kept of it is
 * in struct case_record, which whoever has the book takes copies of (casebook/store.h).
 */
#ifndef GUIA_CASEBOOK_CASEBOOK_H
#define GUIA_CASEBOOK_CASEBOOK_H

#include "casebook/phase.h"
#include "traffic/packet_flood.h"
#include "traffic/onset.h"

#include <stddef.h>
#include <stdint.h>

enum {
	CASE_SITES = 128,
	CASE_NAME_BYTES = 256,
	CASE_TEXT_BYTES = 512,
	CASE_MITIGATIONS = 64,
	CASE_PLACES_BYTES = 128,
	CASE_ENTRIES = 64,  /* not yet taken: beyond them the oldest are dropped, and counted */
	CASE_POINTS = 1024, /* likewise */
	CASE_EARLY = 32,
	CASE_EARLY_MS = 10 * 1000,
	CASE_REOPEN_MS = 60 * 60 * 1000,
	CASE_FALLING_MS = 5 * 1000,
	CASE_VISITORS_SECONDS = 10,
	CASE_VISITORS_TELL = 20, /* of fewer no share is told */
};

/* What addresses are called among what came most often. */
#define CASE_SOURCES "source"

/* Requests of one second at a site, by what became of them. */
struct case_requests {
	uint64_t passed;
	uint64_t copies; /* of those: a last good copy was the answer */
	uint64_t blocked;
	uint64_t limited;   /* by a limit or a ban */
	uint64_t signature; /* refused by one */
	uint64_t crowded_out;
	uint64_t other;
};

/* Of the last CASE_VISITORS_SECONDS, visitors alone. */
struct case_visitors {
	uint64_t asked;
	uint64_t answered;
};

/* Something of ours that is, or was, in force. */
struct case_mitigation {
	uint32_t id;
	uint16_t site; /* its number in the record */
	uint64_t since_ms;
	uint64_t until_ms; /* when it was in force last */
	uint64_t hits;     /* what it refused or closed */
	char kind[32];
	char what[CASE_TEXT_BYTES]; /* in words: what requests must have in common to be refused */
};

/* Packets that became no request: a flood of one kind, as it is now, and in a record as it has been so far. */
struct case_packets {
	bool on; /* now */
	bool held;
	uint64_t onset_ms; /* 0: there was none */
	uint64_t until_ms; /* when it was on last */
	uint64_t held_ms;  /* for the first time; 0: not yet */
	uint64_t packets;
	uint64_t earlier; /* of these: before it came back */
	double peak;      /* of a second */
	struct packet_traits traits;
};

/* One site in one second. */
struct case_sighting {
	const char *site;
	const struct case_mitigation *mitigations; /* in force now; their sites and ends are not read */
	size_t mitigation_count;
	bool attacked;
	bool held; /* something of ours is in force there */
	bool up;   /* as a visitor would find it */
	bool probed;
	enum traffic_nature nature;
	bool harmed;   /* now */
	unsigned harm; /* enum traffic_harm: so far */
	uint64_t onset_ms;
	struct case_requests requests;
	struct case_visitors visitors;
};

struct case_site {
	char name[CASE_NAME_BYTES];
	bool attacked; /* now */
	uint64_t onset_ms;
	uint64_t until_ms;          /* when it was attacked last */
	uint64_t held_ms;           /* when something of ours was in force first; 0: not yet */
	uint64_t restored_ms;       /* up again, held; 0: not yet */
	enum traffic_nature nature; /* the worst */
	unsigned harm;
	struct case_requests sums;
	struct case_visitors visitors; /* summed over seconds, each of CASE_VISITORS_SECONDS */
	double peak;                   /* requests of a second */
	unsigned worst_percent;        /* of visitors answered */
};

struct case_record {
	uint64_t id; /* 0: there is none */
	enum case_kind kind;
	enum case_phase phase;
	uint64_t onset_ms;    /* as far as figures tell */
	uint64_t opened_ms;   /* when it was told */
	uint64_t held_ms;     /* all sites were, for the first time */
	uint64_t restored_ms; /* all sites were up again, for the first time */
	uint64_t over_ms;     /* 0: it is not */
	uint32_t reopened;
	double peak; /* requests of a second, all sites */
	uint64_t below_since_ms;
	size_t site_count;
	struct case_site sites[CASE_SITES];
	size_t mitigation_count;
	struct case_mitigation mitigations[CASE_MITIGATIONS]; /* of more the first are known by the timeline only */
	struct case_packets packets[PACKET_FLOODS];
	char places[CASE_PLACES_BYTES]; /* whose data says what network and country an address is of; "": nobody's */
};

/* What is known of an intrusion's actor beside its record. */
struct case_actor {
	uint64_t sources; /* addresses, estimated where they are many */
	uint64_t paths;
	uint64_t findings; /* requests of note */
	uint64_t missing;  /* asked for, and not there */
	uint32_t kinds;    /* a bit for each that it came to */
	uint32_t classes;  /* of attack: enum finding_class */
	uint64_t agent;    /* by which it is known again after a restart: the tool's hash, ... */
	uint64_t shape;    /* ... the order of headers, ... */
	uint64_t asked;    /* ... and what was asked for last */
};

enum case_entry_kind {
	CASE_ENTRY_PHASE,  /* of the incident */
	CASE_ENTRY_ACTION, /* Guia did something */
	CASE_ENTRY_ORDER,  /* a person did */
	CASE_ENTRY_KINDS,
};

const char *case_entry_kind_name(enum case_entry_kind kind);

/* A line of the timeline. */
struct case_entry {
	uint64_t incident;
	uint64_t at_ms;
	enum case_entry_kind kind;
	char text[CASE_TEXT_BYTES];
};

/* A second of one of its sites, for a plot. */
struct case_point {
	uint64_t incident;
	uint64_t at_ms;
	uint16_t site; /* its number in the record */
	struct case_requests requests;
	struct case_visitors visitors;
};

struct casebook {
	struct case_record now; /* the latest */
	uint64_t last_id;       /* of all kinds */
	bool changed;           /* since it was taken */
	size_t entry_count;
	uint64_t entries_lost;
	struct case_entry entries[CASE_ENTRIES];
	size_t early_count;
	struct case_entry
		early[CASE_EARLY]; /* noted while none was on: what has just been done may belong to the next */
	size_t point_count;
	uint64_t points_lost;
	struct case_point points[CASE_POINTS];
};

/* With what is kept of the latest flood (NULL: nothing), and the highest number that any incident has. */
void casebook_begin(struct casebook *book, const struct case_record *latest, uint64_t last_id);

/* What was seen in a second: every site, and packets by their kinds. */
struct case_second {
	const struct case_sighting *sightings;
	size_t count;
	struct case_packets packets[PACKET_FLOODS];
};

/* Opens an incident, where none is on and anything is attacked, without waiting for the second to be over. */
void casebook_onset(struct casebook *book, const struct case_second *second, uint64_t now_ms);

/* A second has passed. */
void casebook_second(struct casebook *book, const struct case_second *second, uint64_t now_ms);

/* Whose data says where addresses are, and of which date. */
void casebook_places(struct casebook *book, const char *places);

/* Something was done: of the incident that is on, or of one that begins within CASE_EARLY_MS. */
void casebook_note(struct casebook *book, enum case_entry_kind kind, const char *text, uint64_t now_ms);

bool casebook_is_on(const struct casebook *book);

/* An incident in short, of whichever kind. Names are the book's, until it changes. */
struct case_glance {
	uint64_t id;
	enum case_kind kind;
	enum case_phase phase;
	uint64_t onset_ms;
	struct case_requests requests;
	struct case_visitors visitors;
	size_t site_count;
	const char *sites[CASE_SITES];
};
typedef void case_glance_fn(void *context, const struct case_glance *glance);

struct case_glance case_record_glance(const struct case_record *record);

/* The number of the incident that is on and has to do with a site ("": with those of no site); 0: there is none. */
uint64_t casebook_incident_at(const struct casebook *book, const char *site);

/* Sums over its sites. */
struct case_requests case_record_sums(const struct case_record *record);
struct case_visitors case_record_visitors(const struct case_record *record);
uint64_t case_requests_all(const struct case_requests *requests);
uint64_t case_requests_refused(const struct case_requests *requests);

#endif
