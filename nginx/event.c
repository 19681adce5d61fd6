/*
 * What all events of a request say alike, most of it kept in its passage since it arrived; events.c adds what one of
 * them says alone.
 */
#include "event.h"

#include "source.h"

struct address gate_event_source(const struct sockaddr *from)
{
	return from != NULL && gate_is_proxy(from) ? (struct address){0} : gate_address(from);
}

static void source_set(const struct sockaddr *from, const struct gate_passage *passage, struct event *event)
{
	struct address source = from != NULL && from == passage->from ? passage->source : gate_event_source(from);

	ngx_memcpy(event->source, source.bytes, sizeof(event->source));
	event->port = from == NULL ? 0 : ngx_inet_get_port((struct sockaddr *)from);
}

static uint8_t method_of(const ngx_http_request_t *r)
{
	switch (r->method) {
	case NGX_HTTP_GET:
		return EVENT_GET;
	case NGX_HTTP_HEAD:
		return EVENT_HEAD;
	case NGX_HTTP_POST:
		return EVENT_POST;
	case NGX_HTTP_PUT:
		return EVENT_PUT;
	case NGX_HTTP_DELETE:
		return EVENT_DELETE;
	case NGX_HTTP_OPTIONS:
		return EVENT_OPTIONS;
	case NGX_HTTP_PATCH:
		return EVENT_PATCH;
	default:
		return EVENT_OTHER_METHOD;
	}
}

void gate_event_fill(struct event *event, ngx_http_request_t *r, const struct gate_passage *passage, uint64_t now_ns)
{
	const ngx_time_t *wall = ngx_timeofday();

	event->at_ns = now_ns;
	event->wall_ms = (uint64_t)wall->sec * 1000 + wall->msec;
	event->request = passage->request;
	event->connection =
		passage->connection != NULL ? passage->connection->connection->number : r->connection->number;
	source_set(r->connection->sockaddr, passage, event);
	event->site = passage->site;
	event->method = method_of(r);
	event->path = passage->path;
	event->agent = passage->agent;
	event->shape = passage->shape;
}

void gate_event_arrival(struct event *event, ngx_http_request_t *r, const struct gate_passage *passage)
{
	gate_event_fill(event, r, passage, passage->at_ns);
	event->kind = EVENT_ARRIVAL;
	event->flags = passage->flags;
	event->arrival = passage->arrival;
}
