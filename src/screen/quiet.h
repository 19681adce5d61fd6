/*
 * What is usual when nothing is under attack: of each kind of key the means, over some minutes, of those that come
 * most. Pure.
 */
#ifndef GUIA_SCREEN_QUIET_H
#define GUIA_SCREEN_QUIET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	QUIET_KINDS = 8,
	QUIET_KEYS = 64,
	QUIET_KEY_BYTES = 320,
	QUIET_LEAST_SAMPLES = 10, /* of fewer nothing is told */
};

struct quiet_key {
	char text[QUIET_KEY_BYTES];
	double per_s; /* 0: there is none */
};

struct quiet {
	uint32_t samples;
	struct quiet_key keys[QUIET_KINDS][QUIET_KEYS];
};

/* A second of quiet: what is not seen in it sinks, and what is seen is put right by quiet_see. */
void quiet_second(struct quiet *quiet);
void quiet_see(struct quiet *quiet, unsigned kind, const char *key, double per_s);

/* False: too little was seen of quiet times. A key that is none of those is 0. */
bool quiet_rate(const struct quiet *quiet, unsigned kind, const char *key, double *ret_per_s);

#endif
