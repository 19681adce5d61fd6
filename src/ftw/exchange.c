/*
 * A verdict that blocks ends the feeding of what would come next; phase 5 follows in either case. A body for which
 * there was no memory is no error here: the verdict is asked for all the same.
 */
#include "ftw/exchange.h"

#include "base/error.h"

struct guia_connection exchange_connection(struct slice host)
{
	return (struct guia_connection){
		.client_address = exchange_out(SLICE("127.0.0.1")),
		.client_port = 50000,
		.server_address = exchange_out(SLICE("127.0.0.1")),
		.server_port = 80,
		.server_name = exchange_out(host),
	};
}

struct request_parser_options exchange_parser_permissive(void)
{
	struct request_parser_options options = request_parser_defaults();
	options.underscores_in_headers = true;
	options.ignore_invalid_headers = false;
	options.large_buffer_bytes = 1 << 20;
	options.body_limit_bytes = 0;
	return options;
}

static bool blocks(struct guia_verdict verdict)
{
	return verdict.action != GUIA_PASS;
}

/* What the client sees; a dropped connection has no status. */
static unsigned status_of(struct guia_verdict verdict)
{
	return verdict.action == GUIA_DROP ? 0 : verdict.status;
}

static int feed_request(struct guia_transaction *t, const struct request *request, struct guia_verdict *verdict)
{
	int r = guia_request_line(t, exchange_out(request->method), exchange_out(request->unparsed_uri),
				  exchange_out(request->protocol));
	for (size_t i = 0; i < request->headers.count && r == 0; i++)
		r = guia_request_header(t, exchange_out(request->headers.items[i].name),
					exchange_out(request->headers.items[i].value));
	if (r != 0)
		return r;
	*verdict = guia_request_headers_done(t);
	if (blocks(*verdict))
		return 0;
	if (request->body.len > 0 && guia_request_body_wanted(t))
		r = guia_request_body(t, exchange_out(request->body), true);
	if (r < 0 && r != -ENOMEM)
		return r;
	*verdict = guia_request_body_done(t);
	return 0;
}

static int feed_response(struct guia_transaction *t, const struct ftw_answer *answer, struct guia_verdict *verdict)
{
	int r = 0;
	for (size_t i = 0; i < answer->headers.count && r == 0; i++)
		r = guia_response_header(t, exchange_out(answer->headers.items[i].name),
					 exchange_out(answer->headers.items[i].value));
	if (r != 0)
		return r;
	*verdict = guia_response_headers_done(t, (uint16_t)answer->status, exchange_out(SLICE("HTTP/1.1")));
	if (blocks(*verdict))
		return 0;
	if (answer->body.len > 0 && guia_response_body_wanted(t))
		r = guia_response_body(t, exchange_out(answer->body), true);
	if (r < 0 && r != -ENOMEM)
		return r;
	*verdict = guia_response_body_done(t);
	return 0;
}

int exchange_run(struct guia_transaction *t, const struct exchange *exchange, unsigned *ret_status)
{
	struct ftw_answer answer = {.status = 200, .headers = field_list_make(exchange->arena)};
	struct guia_verdict verdict = {0};
	int r = feed_request(t, exchange->request, &verdict);
	if (r == 0 && !blocks(verdict)) {
		if (exchange->origin != NULL)
			r = exchange->origin(exchange->context, exchange->request, exchange->arena, &answer);
		if (r == 0)
			r = feed_response(t, &answer, &verdict);
	}
	if (r != 0)
		return r;
	unsigned status = blocks(verdict) ? status_of(verdict) : answer.status;
	guia_transaction_log(t, (uint16_t)status, blocks(verdict) ? 0 : answer.body.len);
	*ret_status = status;
	return 0;
}
