#include "refusal.h"

#include "bans.h"
#include "context.h"
#include "source.h"
#include "telling.h"

ngx_int_t gate_refuse_banned(ngx_http_request_t *r)
{
	struct gate_context *context;

	if (r != r->main)
		return NGX_DECLINED;
	struct address source = gate_address(r->connection->sockaddr);
	struct ban_answer answer = gate_bans_of(&source);
	if (answer.kind != BAN_REFUSE || gate_is_proxy(r->connection->sockaddr) ||
	    (context = gate_context_get(r)) == NULL)
		return NGX_DECLINED;
	context->banned_by = answer.id;
	r->keepalive = 0;
	gate_hit_tell(answer.id);
	return NGX_HTTP_FORBIDDEN;
}

/*
 * 403: a client that behaves does not ask again, no cache keeps it, and no proxy between takes it for an origin that is
 * down and tries another. A person who gets it has been mistaken for the attack, which the page says.
 */
static const char page[] =
	"<!doctype html><html lang=\"zh-Hant\"><head><meta charset=\"utf-8\"><title>403</title></head><body>"
	"<p>本網站正受到攻擊，您的請求與攻擊相似，因此未獲處理。請稍後再試。</p>"
	"<p lang=\"pt\">O sítio está sob ataque e este pedido assemelha-se aos do ataque, pelo que não foi atendido. "
	"Tente novamente dentro de momentos.</p>"
	"<p lang=\"en\">The site is under attack and this request looks like those of the attack, so it was not "
	"served. Please try again in a moment.</p></body></html>\n";

static ngx_int_t answer_head(ngx_http_request_t *r)
{
	static const ngx_str_t name = ngx_string("Cache-Control"), value = ngx_string("no-store");
	ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);

	if (header == NULL)
		return NGX_HTTP_INTERNAL_SERVER_ERROR;
	ngx_memzero(header, sizeof(*header));
	header->hash = 1;
	header->key = name;
	header->value = value;
	r->headers_out.status = NGX_HTTP_FORBIDDEN;
	r->headers_out.content_length_n = sizeof(page) - 1;
	ngx_str_set(&r->headers_out.content_type, "text/html; charset=utf-8");
	r->headers_out.content_type_len = sizeof("text/html") - 1;
#if (NGX_HTTP_GZIP)
	/* Compressing costs more than it saves. */
	r->gzip_tested = 1;
	r->gzip_ok = 0;
#endif
	return ngx_http_send_header(r);
}

/*
 * The connection is kept where the client keeps it: another one would cost a handshake, and of TLS a hundred times what
 * this answer does.
 */
static ngx_int_t answer(ngx_http_request_t *r)
{
	ngx_buf_t *buf;
	ngx_chain_t out = {NULL, NULL};
	ngx_int_t rc = ngx_http_discard_request_body(r);

	if (rc != NGX_OK)
		return rc;
	rc = answer_head(r);
	if (rc != NGX_OK || r->header_only)
		return rc;
	if ((buf = ngx_calloc_buf(r->pool)) == NULL)
		return NGX_ERROR;
	buf->pos = buf->start = (u_char *)page;
	buf->last = buf->end = (u_char *)page + sizeof(page) - 1;
	buf->memory = 1;
	buf->last_buf = 1;
	out.buf = buf;
	return ngx_http_output_filter(r, &out);
}

ngx_int_t gate_refuse_matched(ngx_http_request_t *r)
{
	struct gate_context *context = gate_context_find(r);

	if (r != r->main || context == NULL || context->matched_by == 0 || context->refused_by != 0)
		return NGX_DECLINED;
	context->refused_by = context->matched_by;
	gate_hit_tell(context->refused_by);
	ngx_http_finalize_request(r, answer(r));
	return NGX_DONE;
}
