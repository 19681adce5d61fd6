/* The configuration as nginx's: a text without side effects, made of values that have passed serve/valid.h. */
#ifndef GUIA_SERVE_RENDER_H
#define GUIA_SERVE_RENDER_H

#include "serve/config.h"

enum {
	RENDER_HEADER_BYTES = 16 * 1024, /* the longest line of a request's head */
};

/* Where things are, and who nginx runs as. Paths are absolute and have passed valid_path. */
struct render_places {
	const char *run_dir;    /* configuration, pid, logs */
	const char *worker_dir; /* cache and temporary files, of the workers' user */
	const char *events_dir; /* "" if none */
	const char *bans_dir;   /* "" if none */
	const char *module;
	const char *recommended_rules;
	const char *cache_dir; /* of compiled patterns; "" if none */
	const char *user;      /* "" if nginx is not started by root */
	long open_files;       /* how many a process may have; 0: unknown */
	/* Per site: whether its origin's name is known; an unknown name would keep nginx from starting. NULL: all are.
	 */
	const bool *resolvable;
};

/* 0 or -ENOMEM. */
int render_nginx(const struct serve_config *config, const struct render_places *places, struct buffer *out);

#endif
