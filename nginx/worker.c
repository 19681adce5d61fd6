/* Each process's workers: made after the fork, one for each distinct set of options that some location asks for. */
#include "counts.h"
#include "gate.h"
#include "news.h"
#include "writer.h"

#include <linux/magic.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

struct gate_profile *gate_profile_find(ngx_conf_t *cf, struct gate_main *main, const struct gate_location *location)
{
	struct gate_profile **known = main->profiles.elts, **slot, *profile;

	for (ngx_uint_t i = 0; i < main->profiles.nelts; i++) {
		if (known[i]->on_request == location->on_request && known[i]->on_response == location->on_response &&
		    known[i]->memory == location->memory)
			return known[i];
	}
	profile = ngx_pcalloc(cf->pool, sizeof(*profile));
	slot = ngx_array_push(&main->profiles);
	if (profile == NULL || slot == NULL)
		return NULL;
	profile->on_request = (enum guia_failure_policy)location->on_request;
	profile->on_response = (enum guia_failure_policy)location->on_response;
	profile->memory = location->memory;
	*slot = profile;
	return profile;
}

static int worker_prepare(const struct gate_main *main, struct guia_worker *worker)
{
	struct gate_ruleset **rulesets = main->rulesets.elts;

	for (ngx_uint_t i = 0; i < main->rulesets.nelts; i++) {
		int r = guia_worker_prepare(worker, rulesets[i]->rules);
		if (r != 0)
			return r;
	}
	return 0;
}

static int worker_make(const struct gate_main *main, const struct gate_profile *profile,
		       const struct guia_collection_store *store, struct guia_worker **ret_worker)
{
	struct guia_worker_options options = {
		.transaction_memory_bytes = profile->memory,
		.on_request_failure = profile->on_request,
		.on_response_failure = profile->on_response,
		.store = store,
		.verdicts_only = true,
	};
	struct guia_worker *worker;
	int r = guia_worker_new(&options, &worker);

	if (r == 0 && (r = worker_prepare(main, worker)) != 0)
		guia_worker_free(worker);
	if (r == 0)
		*ret_worker = worker;
	return r;
}

ngx_int_t gate_profile_start(struct gate_main *main, struct gate_profile *profile, ngx_log_t *log)
{
	int r = worker_make(main, profile, gate_collections_store(main->collections), &profile->worker);

	if (r == 0)
		return NGX_OK;
	ngx_log_error(NGX_LOG_CRIT, log, (ngx_err_t)-r, "guia has no worker");
	return NGX_ERROR;
}

struct guia_worker *gate_profile_judge(struct gate_main *main, struct gate_profile *profile)
{
	if (profile->judge == NULL && worker_make(main, profile, NULL, &profile->judge) != 0)
		return NULL;
	return profile->judge;
}

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
		gate_admission_refuse_unwanted(main->admission);
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
	gate_events_start(cycle, main);
	gate_counts_start(main, cycle->log);
	gate_news_start(main, news_come, cycle->log);
	if (main->admission != NULL)
		gate_admission_process_start(main->admission, cycle->log);
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
	gate_events_stop();
	gate_counts_stop();
}
