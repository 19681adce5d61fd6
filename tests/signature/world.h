/*
 * Worlds in which signatures are sought: a site, its visitors and their browsers, and either an attack or a crowd, all
 * drawn from one seed. Written as an adversary would: attackers copy visitors' headers, whole or in mixes, and give
 * themselves away by one or two tells only, of which some visitors have each one too.
 */
#ifndef TESTS_SIGNATURE_WORLD_H
#define TESTS_SIGNATURE_WORLD_H

#include "traffic/signature.h"

enum world_kind {
	WORLD_ATTACK,
	WORLD_CROWD,
};

struct world;

/* Aborts when there is no memory. */
struct world *world_new(uint64_t seed, enum world_kind kind);
void world_free(struct world *world);

/* A request of a visitor who came anyway, of the attack (or crowd), or of both as they came. */
struct signature_request world_visitor(struct world *world);
struct signature_request world_intruder(struct world *world);

/* What of requests in the attack's time are visitors who came anyway: in truth, and as a baseline would guess it. */
double world_normal_share(const struct world *world);
double world_normal_guess(const struct world *world);

/* "one url, tells: order, pace; mixed 40 %; 300 bots in 20 networks": for whom a case fails. */
const char *world_text(const struct world *world);

uint64_t world_random(struct world *world, uint64_t below);

#endif
