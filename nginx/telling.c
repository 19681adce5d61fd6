/* The process's one outbox lies here; events.c, connections.c and load.c are lent it when it is opened. */
#include "telling.h"

#include "clock.h"

enum { MEGABYTE = 1 << 20 };

static struct outbox outbox; /* map NULL: nothing is told */

struct outbox *gate_outbox(void)
{
	return outbox.map != NULL ? &outbox : NULL;
}

void gate_hit_tell(uint32_t mitigation)
{
	if (outbox.map != NULL && mitigation != 0)
		hit_table_add(outbox.hits, mitigation, 1);
}

/* The room is the caller's, for OUTBOX_SITES: of more nothing could be told. */
static struct outbox_names sites_of(const struct gate_main *main, struct slice *names)
{
	const ngx_str_t *sites = main->sites.elts;
	size_t count = ngx_min(main->sites.nelts, OUTBOX_SITES);

	for (size_t i = 0; i < count; i++)
		names[i] = (struct slice){sites[i].data, sites[i].len};
	return (struct outbox_names){names, count};
}

static void refusal_log(const char *directory, int error, ngx_log_t *log)
{
	const uint64_t bytes = outbox_file_bytes(&outbox_usual_sizes);

	if (error == -ENOSPC) {
		ngx_log_error(NGX_LOG_WARN, log, NGX_ENOSPC,
			      "guia_events: \"%s\" has no room for the %uL MB of this worker's file; it serves without "
			      "telling events",
			      directory, (bytes + MEGABYTE - 1) / MEGABYTE);
		return;
	}
	ngx_log_error(NGX_LOG_WARN, log, (ngx_err_t)-error,
		      "guia_events: \"%s\" cannot be used; this worker serves without telling events", directory);
}

void gate_telling_start(const struct gate_main *main, ngx_log_t *log)
{
	const char *directory = (const char *)main->events.data;
	struct slice names[OUTBOX_SITES];

	if (directory == NULL || ngx_process == NGX_PROCESS_HELPER)
		return;
	int r = outbox_open(directory, &outbox_usual_sizes, sites_of(main, names), gate_now_ns(), &outbox);
	if (r < 0)
		refusal_log(directory, r, log);
	if (r == OUTBOX_REPLACED)
		ngx_log_error(NGX_LOG_WARN, log, 0,
			      "guia_events: \"%s/worker-%ui\" was of another version or broken; it begins afresh",
			      directory, (ngx_uint_t)outbox.file);
}

void gate_telling_stop(void)
{
	outbox_close(&outbox);
}
