#include "telling.h"

#include "clock.h"

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

void gate_telling_start(const struct gate_main *main, ngx_log_t *log)
{
	static const struct outbox_sizes sizes = {OUTBOX_EVENTS, OUTBOX_HEADS, OUTBOX_FINDINGS};
	const char *directory = (const char *)main->events.data;

	if (directory == NULL || ngx_process == NGX_PROCESS_HELPER)
		return;
	int r = outbox_open(directory, &sizes, gate_now_ns(), &outbox);
	if (r < 0)
		ngx_log_error(NGX_LOG_WARN, log, (ngx_err_t)-r,
			      "guia_events: \"%s\" cannot be used; this worker serves without telling events",
			      directory);
	if (r == OUTBOX_REPLACED)
		ngx_log_error(NGX_LOG_WARN, log, 0,
			      "guia_events: \"%s/worker-%ui\" was of another version or broken; it begins afresh",
			      directory, (ngx_uint_t)outbox.file);
}

void gate_telling_stop(void)
{
	outbox_close(&outbox);
}
