/*
 * The edge's pinned maps in the hands of a process: whoever owns the pins may use them, and needs no capability for it.
 * They outlive the process; the next one adopts them as they are, and what a kill left half done is mended.
 */
#ifndef GUIA_EDGE_EDGE_H
#define GUIA_EDGE_EDGE_H

#include "edge/ban_table.h"

/* In a file system of its own: systemd's at /sys/fs/bpf lets nobody but root pass. */
#define EDGE_DIRECTORY "/run/guia-edge/pins"

enum edge_map {
#define EDGE_MAP_SYMBOL(name) EDGE_MAP_##name,
	EDGE_MAPS(EDGE_MAP_SYMBOL) EDGE_MAP_COUNT,
};

enum {
	EDGE_FOREIGN = 1, /* what is pinned there is another version's, or not an edge */
	EDGE_RETIRED = 2, /* it is being detached */
};

struct edge {
	int fds[EDGE_MAP_COUNT];
	void *mapped[EDGE_MAP_COUNT]; /* NULL: that kind is not mapped */
	size_t mapped_bytes[EDGE_MAP_COUNT];
	struct ban_table table;
	uint64_t counters_ms; /* when those of mitigations that are over were last freed; CLOCK_BOOTTIME */
};

extern const char *const edge_map_names[EDGE_MAP_COUNT];

/* To read; who changes anything holds it first. 0, EDGE_FOREIGN, EDGE_RETIRED, -ENOENT: there is no edge; -EACCES: it
 * is another's; -errno. */
int edge_adopt(const char *directory, struct edge *ret_edge);
/* A closed one is allowed. */
void edge_close(struct edge *edge);

/* From file descriptors that the edge then owns, for the loader and for tests. As edge_adopt(), and closes on failure.
 */
int edge_map(const int fds[EDGE_MAP_COUNT], struct edge *ret_edge);

/*
 * One process at a time changes the maps: who, a number that is not 0, has to say so every now and then. False: another
 * does, or did less than EDGE_HELD_MS ago. Who holds it newly has to call ban_table_mend().
 */
enum { EDGE_HELD_MS = 3000 };
bool edge_hold(struct edge *edge, uint64_t who, uint64_t now_ms);

/*
 * Whether who we are may still use what is pinned there: root may have given it to another since it was adopted.
 */
bool edge_is_barred(const char *directory);

/* Whether it has been detached: then let go of it, for its maps live as long as anybody has them. */
bool edge_is_retired(const struct edge *edge);

/* CLOCK_BOOTTIME, in the ticks of words. */
uint32_t edge_now_ticks(void);

/* So many in a second, so many at once, on each processor; `per_s` 0: no bound. */
struct edge_budget edge_budget_make(uint32_t per_s, uint32_t burst);

struct edge_counts {
	uint64_t packets[EDGE_REASONS];
	uint64_t bytes[EDGE_REASONS];
};

extern const char *const edge_reason_texts[EDGE_REASONS];

/* Sums over processors since the attachment. 0 or -errno. */
int edge_count(const struct edge *edge, struct edge_counts *ret_counts);

/* The counter for a mitigation, found or taken; 0, which counts for all others, where all are taken. `id` is not 0. */
uint32_t edge_mitigation(struct edge *edge, uint32_t id);
/* Packets that bans of this mitigation dropped. 0, -ENOENT when it has no counter, or -errno. */
int edge_mitigation_hits(const struct edge *edge, uint32_t id, uint64_t *ret_hits);

#endif
