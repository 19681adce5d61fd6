/* What `guia serve` is told: from YAML, from --site, or both. Every text in it has passed serve/valid.h. */
#ifndef GUIA_SERVE_CONFIG_H
#define GUIA_SERVE_CONFIG_H

#include "serve/operators.h"
#include "serve/text_list.h"

/* Of who speaks to operators, unless the configuration says otherwise. */
#define UPSTREAM_DIR "/run/guia-upstream"

enum { LINK_MBIT_MOST = 10 * 1000 * 1000 };

struct site {
	struct text_list hosts; /* the first names the site in logs */
	struct slice origin;
	struct text_list rules; /* absolute paths, after the outer rules */
	struct text_list rules_before;
	struct slice certificate; /* absolute paths; empty: no TLS */
	struct slice key;
	bool detect;
	bool https_only;           /* plain HTTP is answered with a redirect; only with a certificate */
	struct source_place place; /* for later complaints; of the command line: none */
	struct source_place origin_place;
};

/* A file that is to be read, and where it is named. */
struct config_file {
	const char *path; /* absolute */
	const char *key;  /* "rules" */
	struct source_place place;
	struct config_file *next;
};

/* Empty: what is usual, or none. */
struct evidence_config {
	struct slice folder;
	struct slice authority;   /* of timestamps: http://HOST[:PORT][/PATH] */
	struct slice certificate; /* of the key that messages are sealed to */
};

/* Days; 0: for ever. */
struct retention_config {
	int64_t messages;
	int64_t records;
};

struct serve_config {
	struct arena *arena;
	const char *file;        /* "" if there is none */
	struct text_list listen; /* plain HTTP */
	struct text_list listen_tls;
	struct text_list trusted_proxies;
	struct text_list home_networks; /* who asks the origin of a site that is local, ... */
	struct text_list home_countries;
	struct text_list home_lists; /* files of networks */
	struct text_list rules;      /* empty: the recommended ones */
	struct text_list rules_before;
	struct slice certificate;
	struct slice key;
	struct slice run_dir;
	struct slice cache_dir;
	struct operator_list operators;
	struct text_list addresses;  /* that the sites are reached at from outside */
	struct slice upstream_dir;   /* the keeper's; empty: the usual one */
	int64_t link_mbit;           /* of the link that operators lead to; 0: nothing was said */
	struct slice link_interface; /* where it comes in; empty: that of the default route */
	struct evidence_config evidence;
	struct slice screen; /* where it listens; empty: at the usual port, or another that is free */
	bool screen_off;
	struct retention_config retention;
	bool detect;
	bool https_only;
	bool gate_off;                  /* nothing is inspected; not to be had by YAML */
	int64_t workers;                /* 0: one a processor */
	int64_t drain_seconds;          /* how long old workers may finish */
	int64_t body_limit_mb;          /* 0: nothing was said */
	struct config_file *first_file; /* in the order in which they are named */
	struct config_file *last_file;
	struct site *sites;
	size_t site_count;
	size_t site_capacity;
};

void config_init(struct serve_config *config, struct arena *arena);
void config_free(struct serve_config *config);

/* A site of which nothing has been said but what holds for all. */
void config_site_init(struct site *site, const struct serve_config *config);

/* Takes a copy; what it points to is of the configuration's arena. 0 or -ENOMEM. */
int config_site_add(struct serve_config *config, const struct site *site);

/* What was said, else the limit of the recommended rules. */
int64_t config_body_limit_mb(const struct serve_config *config);

/* What was said, else UPSTREAM_DIR. */
struct slice config_upstream_dir(const struct serve_config *config);

/* The site that answers to a host as nginx finds it: by its name, else by the longest `*.`. NULL if none does. */
const struct site *config_find_site(const struct serve_config *config, struct slice host);

#endif
