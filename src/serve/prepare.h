/* From what the user wrote to a configuration that nginx has tested. */
#ifndef GUIA_SERVE_PREPARE_H
#define GUIA_SERVE_PREPARE_H

#include "serve/config.h"
#include "serve/notice.h"
#include "serve/run_dir.h"

enum {
	SERVE_FINE = 0,
	SERVE_USER = 2, /* what the user wrote is wrong */
	SERVE_ENVIRONMENT = 3,
};

/* What the command line says. Lists end with NULL. */
struct serve_options {
	const char *file; /* NULL if none */
	const char *const *sites;
	const char *const *listens;
	const char *run_dir;   /* NULL: the file's, or a fresh one */
	const char *cache_dir; /* NULL: the file's, or the usual place */
	bool gate_off;         /* the same nginx, and nothing is inspected: what a drill compares with */
};

/* The parts of the installation, for free() by parts_free. */
struct serve_parts {
	char *nginx;
	char *module;
	char *rules;
	char *cache;
};

/* All that follow return SERVE_FINE, or an exit code after saying why. */
int parts_find(const struct serve_options *options, const struct serve_config *config, const struct notice *notice,
	       struct serve_parts *ret_parts);
void parts_free(struct serve_parts *parts);

/* `config` is valid only with SERVE_FINE; config_free it. */
int prepare_config(const struct serve_options *options, const struct notice *notice, struct arena *arena,
		   struct serve_config *ret_config);

/* A file alone, and not what it names: for those who may not read all of that. The same. */
int prepare_parse(const char *file, const struct notice *notice, struct arena *arena, struct serve_config *ret_config);

/* Renders beside, has nginx test it, and puts it in place as RUN_DIR/nginx.conf. */
int prepare_nginx(const struct serve_config *config, const struct serve_parts *parts, const struct run_dir *dir,
		  const struct notice *notice);

/* Puts back what was in place before prepare_nginx(), for nginx did not take it. */
void prepare_nginx_undo(const struct run_dir *dir, const struct notice *notice);

/*
 * Whether every address can be listened at, but for those that `before` has already; it may be NULL. Who only checks
 * may find that guia itself has them: `may_be_in_use`.
 */
int prepare_ports(const struct serve_config *config, const struct serve_config *before, bool may_be_in_use,
		  const struct notice *notice);

/* Opens the run directory that options or configuration name. */
int prepare_run_dir(const struct serve_options *options, const struct serve_config *config, const struct notice *notice,
		    struct run_dir *ret_dir);

/* Says where there is too little room for the events of so many workers. */
void prepare_events_tell(const struct serve_config *config, const struct run_dir *dir, const struct notice *notice);

/* Whether this user could open it, and whether there is room for events; nothing is made. */
int prepare_run_dir_check(const struct serve_options *options, const struct serve_config *config,
			  const struct notice *notice);

#endif
