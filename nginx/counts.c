/*
 * The zone, the limits, and whom they are for; counting itself is limit/connection_counts.c. A worker's name there is
 * its process number with the time at which it began, from /proc: a number that is given again is another's.
 */
#include "counts.h"

#include "bans.h"
#include "source.h"

#include <signal.h>
#include <stdio.h>

enum {
	SHARE_CONNECTIONS = 9000, /* that the table holds for a worker */
	SHARES_MOST = 1024,       /* workers, those that end during a reload among them */
	SLAB_PART = 16,           /* the slab's own part of a zone is less than one in so many */
	SOURCE_PART = 4,          /* of all connections that workers have, where nothing else is said */
	NETWORK_PART = 2,
	OVERRUN = 2,      /* times the limit */
	START_FIELD = 22, /* of /proc/PID/stat: proc(5) */
};

struct gate_counts {
	void *memory; /* in the zone */
	size_t bytes;
	uint32_t shares;
	struct connection_counts table;    /* this process's handle */
	ngx_int_t most[CONNECTION_LEVELS]; /* 0: any number; NGX_CONF_UNSET: a part of all */
};

static struct counting {
	struct gate_counts *counts; /* NULL: nothing is counted */
	uint32_t most[CONNECTION_LEVELS];
} counting;

/* When a process began, in the kernel's ticks since boot; 0: there is none. Its name, in brackets, holds anything. */
static uint64_t began_at(pid_t pid)
{
	char path[64], text[512];
	unsigned long long began = 0;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd != -1)
		(void)close(fd);
	if (len <= 0)
		return 0;
	text[len] = '\0';
	const char *at = strrchr(text, ')');
	for (int field = 3; at != NULL && field <= START_FIELD; field++)
		at = strchr(at + 1, ' ');
	return at != NULL && sscanf(at, "%llu", &began) == 1 ? began : 0;
}

/* A process number alone may be another's by now. */
static uint64_t owner_name(pid_t pid)
{
	uint64_t began = began_at(pid);
	return began == 0 ? 0 : (uint64_t)(uint32_t)pid << 32 | (uint32_t)began;
}

static bool owner_alive(uint64_t owner, void *context)
{
	(void)context;
	return owner_name((pid_t)(owner >> 32)) == owner;
}

/* Where no number is given: a part of the connections of all workers. */
static uint32_t most_of(ngx_int_t said, ngx_uint_t part)
{
	const ngx_core_conf_t *core = (const ngx_core_conf_t *)ngx_get_conf(ngx_cycle->conf_ctx, ngx_core_module);
	ngx_uint_t workers = core->worker_processes > 0 ? (ngx_uint_t)core->worker_processes : 1;

	if (said != NGX_CONF_UNSET)
		return (uint32_t)said;
	return part == 0 ? 0 : (uint32_t)ngx_max(ngx_cycle->connection_n * workers / part, 1);
}

void gate_counts_start(struct gate_main *main, ngx_log_t *log)
{
	struct gate_counts *counts = main->counts;

	if (counts == NULL || ngx_process == NGX_PROCESS_HELPER)
		return;
	connection_counts_bury(&counts->table, owner_alive, NULL);
	uint64_t owner = owner_name(ngx_pid);
	if (owner == 0 || connection_counts_join(&counts->table, owner, owner_alive, NULL) != 0) {
		ngx_log_error(NGX_LOG_WARN, log, 0,
			      "guia_connections: no room for another worker: this one counts none; give more memory");
		return;
	}
	counting.most[0] = most_of(counts->most[0], SOURCE_PART);
	counting.most[1] = most_of(counts->most[1], NETWORK_PART);
	counting.most[2] = most_of(counts->most[2], 0);
	counting.counts = counts;
}

void gate_counts_stop(void)
{
	if (counting.counts != NULL)
		connection_counts_leave(&counting.counts->table);
	counting.counts = NULL;
}

enum gate_crowd gate_counts_enter(const struct sockaddr *peer, struct connection_ticket *ticket,
				  struct prefix *ret_crowd)
{
	struct address source = gate_address(peer);
	enum gate_crowd crowd = GATE_CROWD_NONE;

	if (counting.counts == NULL || !gate_source_bounded(peer))
		return GATE_CROWD_NONE;
	struct connection_counts *table = &counting.counts->table;
	if (connection_counts_open(table, &source, ticket) != 0)
		return GATE_CROWD_NONE;
	struct connection_count count = connection_counts_of(table, &source);
	/* The narrowest that is too many: its neighbours need not pay. */
	for (size_t level = CONNECTION_LEVELS; level-- > 0;) {
		uint32_t most = counting.most[level];
		if (most == 0 || count.open[level] <= most)
			continue;
		*ret_crowd = address_prefix(&source, source_level_bits(&source)[level]);
		crowd = count.open[level] > OVERRUN * most ? GATE_OVERRUN : ngx_max(crowd, GATE_CROWDED);
	}
	return crowd;
}

void gate_counts_leave(struct connection_ticket *ticket)
{
	if (counting.counts != NULL)
		connection_counts_close(&counting.counts->table, ticket);
}

static ngx_int_t zone_init(ngx_shm_zone_t *zone, void *data)
{
	struct gate_counts *counts = zone->data, *before = data;
	ngx_slab_pool_t *slab = (ngx_slab_pool_t *)zone->shm.addr;

	/* Fresh memory is all zero, and what no worker needs is never touched. */
	counts->memory = before != NULL ? before->memory : ngx_slab_alloc(slab, counts->bytes);
	if (counts->memory != NULL && connection_counts_attach(&counts->table, counts->memory, counts->bytes,
							       counts->shares, SHARE_CONNECTIONS) >= 0)
		return NGX_OK;
	ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0, "guia_connections: \"%V\" is too small", &zone->shm.name);
	return NGX_ERROR;
}

/* "source=100" */
static bool limit_parse(ngx_str_t word, struct gate_counts *counts)
{
	for (size_t i = 0; i < CONNECTION_LEVELS; i++) {
		if (word.len <= gate_level_words[i].len ||
		    ngx_strncmp(word.data, gate_level_words[i].data, gate_level_words[i].len) != 0)
			continue;
		counts->most[i] = ngx_atoi(word.data + gate_level_words[i].len, word.len - gate_level_words[i].len);
		return counts->most[i] >= 0 && counts->most[i] <= INT32_MAX / OVERRUN;
	}
	return false;
}

static void shares_fit(struct gate_counts *counts, size_t bytes)
{
	while (counts->shares < SHARES_MOST &&
	       connection_counts_bytes(counts->shares + 1, SHARE_CONNECTIONS) + ngx_pagesize <
		       bytes - bytes / SLAB_PART)
		counts->shares++;
	counts->bytes = connection_counts_bytes(counts->shares, SHARE_CONNECTIONS);
}

struct gate_counts *gate_counts_add(ngx_conf_t *cf, ngx_str_t *arguments, ngx_uint_t count)
{
	static ngx_str_t name = ngx_string("guia_connections");
	struct gate_counts *counts = ngx_pcalloc(cf->pool, sizeof(*counts));
	ssize_t bytes = ngx_parse_size(&arguments[0]);

	if (bytes == NGX_ERROR || bytes < COUNTS_MIN_BYTES) {
		ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" is no size of 4m or more", &arguments[0]);
		return NULL;
	}
	ngx_shm_zone_t *zone = ngx_shared_memory_add(cf, &name, (size_t)bytes, &ngx_http_guia_module);
	if (counts == NULL || zone == NULL)
		return NULL;
	for (size_t i = 0; i < CONNECTION_LEVELS; i++)
		counts->most[i] = NGX_CONF_UNSET;
	for (ngx_uint_t i = 1; i < count; i++) {
		if (limit_parse(arguments[i], counts))
			continue;
		ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
				   "\"%V\" is none of source=NUMBER, network=NUMBER, region=NUMBER (0: any number)",
				   &arguments[i]);
		return NULL;
	}
	shares_fit(counts, (size_t)bytes);
	zone->init = zone_init;
	zone->data = counts;
	return counts;
}
