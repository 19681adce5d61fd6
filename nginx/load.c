/*
 * A timer copies gauges to the outbox. Which origins a site asks is noted as its requests pass: a bit for an origin's
 * number.
 */
#include "load.h"

#include "context.h"

enum { LOOK_MS = 100 };

static struct {
	struct gate_admission *admission; /* NULL: nothing is told */
	struct outbox *outbox;
	ngx_event_t timer;
	ngx_connection_t nobody; /* for the timer */
} load;

static void look(ngx_event_t *event)
{
	const struct gate_origin *origins = load.admission->origins.elts;
	uint64_t now_us = gate_admission_clock_us();

	for (ngx_uint_t i = 0; i < load.admission->origins.nelts && i < LOAD_ORIGINS; i++) {
		struct origin_gauges *gauges = &load.outbox->load->origins[i];
		counter_set(&gauges->in_use, admission_in_flight(&origins[i].shared->admission));
		counter_set(&gauges->at_most, admission_limit(&origins[i].shared->admission, now_us));
		counter_set(&gauges->waiting, origins[i].queue.count);
	}
	ngx_add_timer(event, LOOK_MS);
}

void gate_load_start(struct gate_admission *admission, struct outbox *outbox, ngx_log_t *log)
{
	gate_load_stop();
	load.admission = admission;
	load.outbox = outbox;
	load.nobody.fd = (ngx_socket_t)-1;
	load.timer = (ngx_event_t){.handler = look, .data = &load.nobody, .log = log, .cancelable = 1};
	ngx_add_timer(&load.timer, LOOK_MS);
}

void gate_load_stop(void)
{
	if (load.timer.timer_set)
		ngx_del_timer(&load.timer);
	load.admission = NULL;
}

void gate_load_note(ngx_http_request_t *r, const struct gate_origin *origin)
{
	const struct gate_context *context = gate_context_find(r->main);

	if (load.admission == NULL || context == NULL || !context->passage.arrived)
		return;
	ngx_uint_t number = (ngx_uint_t)(origin - (const struct gate_origin *)load.admission->origins.elts);
	if (number >= LOAD_ORIGINS || context->passage.site >= OUTBOX_SITES)
		return;
	counter *asked = &load.outbox->load->origins_of[context->passage.site];
	counter_set(asked, counter_get(asked) | UINT64_C(1) << number);
}
