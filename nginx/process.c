/*
 * In which order a process's parts begin and end: the engine's workers, the outbox and what tells by it, counts, news,
 * admission. At the end slots are given back first, then logs are written, then the rest goes.
 */
#include "process.h"

#include "admission.h"
#include "admission_peer.h"
#include "connections.h"
#include "counts.h"
#include "events.h"
#include "load.h"
#include "news.h"
#include "profile.h"
#include "telling.h"
#include "writer.h"

#include <linux/magic.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* For one who supervises the master and would otherwise lose its workers, should both be killed. */
static void end_with_master(ngx_log_t *log)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) {
		ngx_log_error(NGX_LOG_ALERT, log, ngx_errno, "guia_end_with_master has no effect");
	} else if (getppid() != ngx_parent) {
		ngx_terminate = 1;
	}
}

/* The workers make files in it: they must own it, whoever reads this configuration. */
static void events_directory_make(ngx_cycle_t *cycle, const char *path)
{
	const ngx_core_conf_t *core = (ngx_core_conf_t *)ngx_get_conf(cycle->conf_ctx, ngx_core_module);
	struct statfs system;

	if (mkdir(path, 0750) == 0 && geteuid() == 0 && chown(path, core->user, core->group) != 0) {
		ngx_log_error(NGX_LOG_WARN, cycle->log, ngx_errno, "guia_events: chown of \"%s\" failed", path);
	}
	if (statfs(path, &system) != 0) {
		ngx_log_error(NGX_LOG_WARN, cycle->log, ngx_errno, "guia_events: \"%s\" cannot be used", path);
	} else if (system.f_type != TMPFS_MAGIC && system.f_type != RAMFS_MAGIC) {
		ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
			      "guia_events: \"%s\" is on a disk, which workers may have to wait for; better one in "
			      "memory, such as /run",
			      path);
	}
}

ngx_int_t gate_cycle_ready(ngx_cycle_t *cycle)
{
	if (cycle->conf_ctx[ngx_http_module.index] == NULL)
		return NGX_OK;
	const struct gate_main *main = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_guia_module);

	if (main->events.data != NULL)
		events_directory_make(cycle, (const char *)main->events.data);
	if (main->events.data != NULL || main->bans.data != NULL)
		gate_connections_watch(cycle);
	return NGX_OK;
}

static void news_come(struct gate_main *main)
{
	gate_connections_refuse();
	if (main->admission != NULL)
		gate_peers_refuse_unwanted(main->admission);
}

static void telling_start(const struct gate_main *main, ngx_log_t *log)
{
	gate_telling_start(main, log);
	struct outbox *outbox = gate_outbox();
	if (outbox == NULL)
		return;
	gate_events_start(main, outbox);
	gate_connections_start(main, outbox->connections, log);
}

/* A worker that cannot be made now is tried again by each request: guia_on_failure decides meanwhile. */
ngx_int_t gate_process_start(ngx_cycle_t *cycle)
{
	if (cycle->conf_ctx[ngx_http_module.index] == NULL)
		return NGX_OK;
	struct gate_main *main = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_guia_module);
	struct gate_profile **profiles = main->profiles.elts;

	if (main->end_with_master == 1 && ngx_process != NGX_PROCESS_SINGLE)
		end_with_master(cycle->log);
	for (ngx_uint_t i = 0; i < main->profiles.nelts; i++)
		(void)gate_profile_start(main, profiles[i], cycle->log);
	telling_start(main, cycle->log);
	gate_counts_start(main, cycle->log);
	gate_news_start(main, news_come, cycle->log);
	if (main->admission != NULL)
		gate_admission_process_start(main->admission, cycle->log);
	if (main->admission != NULL && gate_outbox() != NULL)
		gate_load_start(main->admission, gate_outbox(), cycle->log);
	return NGX_OK;
}

/* What is not yet in the logs is written first. */
void gate_process_end(ngx_cycle_t *cycle)
{
	if (cycle->conf_ctx[ngx_http_module.index] != NULL) {
		struct gate_main *main = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_guia_module);
		if (main->admission != NULL)
			gate_admission_process_end(main->admission);
	}
	gate_writer_stop();
	gate_news_stop();
	gate_connections_stop();
	gate_load_stop();
	gate_events_stop();
	gate_telling_stop();
	gate_counts_stop();
}
