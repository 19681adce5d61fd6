/*
 * Origins stand in a list of the zone, found by name over reloads; where there is no room for another, one that no site
 * asks any more takes its name. Each process has a place of its own to count in; whoever starts clears those of
 * processes that are gone.
 */
#include "admission_zone.h"

#include <signal.h>
#include <stdatomic.h>

#define SEEN_MS  (UINT64_C(7) * 24 * 3600 * 1000)
#define TRIAL_MS (UINT64_C(10) * 60 * 1000)

uint64_t gate_admission_clock_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

struct gate_admission *gate_admission_of(ngx_http_request_t *r)
{
	struct gate_main *main = ngx_http_get_module_main_conf(r, ngx_http_guia_module);
	return main->admission;
}

enum seen gate_admission_seen(const struct gate_admission *admission, const struct address *source)
{
	const struct seen_sources *seen = admission->shared->seen;
	return seen_sources_ask(seen, seen_sources_key(seen, source));
}

static void process_forget(struct shared_part *shared, size_t place)
{
	for (struct shared_origin *o = shared->first; o != NULL; o = o->next)
		admission_forget(&o->admission, place);
}

static bool is_gone(pid_t process)
{
	return kill(process, 0) != 0 && errno == ESRCH;
}

/* Whether it was nobody's, or that of one who is no more: then what he had in flight is forgotten, and it is ours. */
static bool place_take(struct shared_part *shared, size_t place, pid_t owner)
{
	if ((owner != 0 && !is_gone(owner)) ||
	    !atomic_compare_exchange_strong(&shared->processes[place], &owner, ngx_pid))
		return false;
	process_forget(shared, place);
	return true;
}

/*
 * The first place that can be had. All are looked at: who is no more need not have had the first, for processes of
 * nginx that ask no origin have places too, and whoever starts first takes the first.
 */
void gate_admission_join(struct gate_admission *admission, ngx_log_t *log)
{
	struct shared_part *shared = admission->shared;

	for (size_t i = 0; i < ADMISSION_PROCESSES; i++) {
		pid_t owner = atomic_load(&shared->processes[i]);
		bool has_one = admission->process != ADMISSION_PROCESSES;
		if ((owner == 0 && has_one) || !place_take(shared, i, owner))
			continue;
		if (has_one)
			atomic_store(&shared->processes[i], 0);
		else
			admission->process = i;
	}
	if (admission->process == ADMISSION_PROCESSES)
		ngx_log_error(NGX_LOG_WARN, log, 0,
			      "guia_admission: more than %d processes: this one admits everything",
			      ADMISSION_PROCESSES);
}

void gate_admission_part(struct gate_admission *admission)
{
	if (admission->process == ADMISSION_PROCESSES)
		return;
	process_forget(admission->shared, admission->process);
	atomic_store(&admission->shared->processes[admission->process], 0);
}

static bool is_called(const struct shared_origin *o, const ngx_str_t *name)
{
	size_t len = ngx_min(name->len, ADMISSION_NAME_BYTES - 1);
	return ngx_strncmp(o->name, name->data, len) == 0 && o->name[len] == '\0';
}

static bool is_asked(const struct gate_admission *admission, const struct shared_origin *o)
{
	const struct gate_origin *origins = admission->origins.elts;
	for (ngx_uint_t i = 0; i < admission->origins.nelts; i++)
		if (is_called(o, &origins[i].name))
			return true;
	return false;
}

/*
 * Over reloads there may be more names than the zone has room for. One that no site has any more is another's from then
 * on; what older workers still do there counts with it until it ends.
 */
static struct shared_origin *shared_origin_reuse(const struct gate_admission *admission)
{
	struct shared_origin *o = admission->shared->first;
	while (o != NULL && is_asked(admission, o))
		o = o->next;
	return o;
}

static struct shared_origin *shared_origin_get(ngx_slab_pool_t *slab, const struct gate_admission *admission,
					       const ngx_str_t *name)
{
	struct shared_part *shared = admission->shared;
	struct shared_origin *o;
	for (o = shared->first; o != NULL; o = o->next) {
		if (is_called(o, name))
			return o;
	}
	o = ngx_slab_calloc(slab, sizeof(*o));
	if (o != NULL) {
		o->next = shared->first;
		shared->first = o;
	} else if ((o = shared_origin_reuse(admission)) == NULL)
		return NULL;
	ngx_memzero(o->name, sizeof(o->name));
	ngx_memcpy(o->name, name->data, ngx_min(name->len, ADMISSION_NAME_BYTES - 1));
	return o;
}

static struct shared_part *shared_part_make(ngx_slab_pool_t *slab, const struct gate_admission *admission)
{
	struct shared_part *shared = ngx_slab_calloc(slab, sizeof(*shared));
	size_t words, bytes = seen_sources_bytes(admission->sources, &words);
	if (shared == NULL || (shared->seen = ngx_slab_calloc(slab, bytes)) == NULL ||
	    (shared->debts = ngx_slab_calloc(slab, admission->debts_bytes)) == NULL)
		return NULL;
	shared->seen->words = words;
	shared->seen->generation_ms = SEEN_MS;
	shared->seen->trial_ms = TRIAL_MS;
	shared->seen->secret = hash_key_random();
	return shared;
}

static ngx_int_t zone_init(ngx_shm_zone_t *zone, void *data)
{
	struct gate_admission *admission = zone->data, *before = data;
	struct gate_origin *origins = admission->origins.elts;
	ngx_slab_pool_t *slab = (ngx_slab_pool_t *)zone->shm.addr;

	admission->shared = before != NULL ? before->shared : shared_part_make(slab, admission);
	for (ngx_uint_t i = 0; admission->shared != NULL && i < admission->origins.nelts; i++) {
		origins[i].shared = shared_origin_get(slab, admission, &origins[i].name);
		if (origins[i].shared == NULL)
			admission->shared = NULL;
	}
	if (admission->shared != NULL &&
	    rate_table_attach(&admission->debts, admission->shared->debts, admission->debts_bytes) >= 0)
		return NGX_OK;
	ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
		      "guia_admission: \"%V\" has no room for %ui upstreams: give more", &zone->shm.name,
		      admission->origins.nelts);
	return NGX_ERROR;
}

struct gate_admission *gate_admission_add(ngx_conf_t *cf, size_t bytes)
{
	static ngx_str_t name = ngx_string("guia_admission");
	struct gate_admission *admission = ngx_pcalloc(cf->pool, sizeof(*admission));
	ngx_shm_zone_t *zone = ngx_shared_memory_add(cf, &name, bytes, &ngx_http_guia_module);
	size_t words;

	if (admission == NULL || zone == NULL ||
	    ngx_array_init(&admission->origins, cf->pool, 8, sizeof(struct gate_origin)) != NGX_OK)
		return NULL;
	/* A quarter for sources, a quarter for their debts, the rest for origins. */
	for (admission->sources = 256; seen_sources_bytes(2 * admission->sources, &words) <= bytes / 4;)
		admission->sources *= 2;
	admission->debts_bytes = bytes / 4 / ngx_pagesize * ngx_pagesize;
	admission->process = ADMISSION_PROCESSES;
	zone->init = zone_init;
	zone->data = admission;
	return admission;
}

ngx_int_t gate_admission_origin_add(struct gate_admission *admission, ngx_http_upstream_srv_conf_t *upstream,
				    ngx_http_upstream_init_peer_pt peer_init)
{
	struct gate_origin *origin = ngx_array_push(&admission->origins);
	if (origin == NULL)
		return NGX_ERROR;
	*origin = (struct gate_origin){.upstream = upstream,
				       .name = upstream->host,
				       .peer_init = upstream->peer.init,
				       .crowded_out = {.capacity = SIZE_MAX}};
	upstream->peer.init = peer_init;
	return NGX_OK;
}
