/*
 * Legal holds: what was kept between two times is not deleted, for as long as an incident is held. In the log's folder,
 * a line each, "INCIDENT FROM TO" in UTC milliseconds; the log has a record of each change besides.
 */
#ifndef GUIA_EVIDENCE_HOLDS_H
#define GUIA_EVIDENCE_HOLDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOLDS_FILE "holds"

enum { HOLDS_MOST = 1024, HOLDS_FULL = 1, HOLDS_DAMAGED = 2, HOLDS_NONE = 3 };

struct hold {
	uint64_t incident;
	uint64_t from_ms;
	uint64_t to_ms;
};

struct holds {
	size_t count;
	struct hold holds[HOLDS_MOST];
};

/* 0, HOLDS_DAMAGED: then nothing may be deleted; or -errno. No file is no hold. */
int holds_load(const char *folder, struct holds *ret_holds);

/* Whether the incident can be held, or released, as the file is. 0, or what holds_put() or holds_lift() would say. */
int holds_check(const char *folder, uint64_t incident, bool held);

/* Takes the place of the incident's hold, if there is one. 0, HOLDS_FULL, HOLDS_DAMAGED or -errno. */
int holds_put(const char *folder, const struct hold *hold);
/* 0, HOLDS_NONE: it is not held, HOLDS_DAMAGED or -errno. */
int holds_lift(const char *folder, uint64_t incident);

bool holds_cover(const struct holds *holds, uint64_t from_ms, uint64_t to_ms);

#endif
