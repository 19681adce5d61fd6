/*
 * Profiles are few and compared one by one. Both workers of one are made alike, but that the judge has no collections.
 */
#include "profile.h"

#include "collections.h"

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
