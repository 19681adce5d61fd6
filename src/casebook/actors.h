/*
 * All actors of now, and which address was whose. As many as there is room for: a new one takes the place of who did
 * least, longest ago, never of one that an incident is about. Pure: memory is fixed, time an argument.
 */
#ifndef GUIA_CASEBOOK_ACTORS_H
#define GUIA_CASEBOOK_ACTORS_H

#include "base/hash.h"
#include "casebook/actor.h"

enum {
	ACTORS_MOST = 128,
	ACTORS_SETS = 1024,
	ACTORS_WAYS = 4,
	ACTORS_LINK_MS = CASE_WINDOW_MS, /* who was seen longer ago shares nothing with a new address */
};

struct actors_source {
	struct address address;
	uint32_t actor; /* its number and one; 0: none */
	uint64_t last_ms;
	uint64_t since_ms; /* of the actor: another may have taken its place */
};

struct actors {
	struct hash_key key;
	struct actor list[ACTORS_MOST];
	struct actors_source sources[ACTORS_SETS][ACTORS_WAYS];
	uint64_t unplaced; /* requests of note for which there was no room */
};

/* Whose it is: of the address's actor, of one that it is like enough, or of a new one. NULL: there is no room. */
struct actor *actors_take(struct actors *actors, const struct actor_sight *sight);

/* The same of who asks for what is not there. What it asks for is not added. */
struct actor *actors_take_missing(struct actors *actors, const struct actor_sight *sight);

/* The actor of an address, or NULL. */
struct actor *actors_find(struct actors *actors, const struct address *source);

/* From now on the address is this one's. */
void actors_bind(struct actors *actors, const struct address *source, const struct actor *actor, uint64_t now_ms);

/* A place for a new one, or NULL. */
struct actor *actors_place(struct actors *actors);

#endif
