/*
 * Who is refused was decided before; here it is counted as a hit and answered. A ban gets nginx's own 403 and loses the
 * connection; a signature's match gets a page of ours, ready-made, and keeps it.
 */
#include "refusal.h"

#include "bans.h"
#include "context.h"
#include "source.h"
#include "telling.h"

/* As it was found when the request arrived, where events are told. */
static struct ban_answer ban_of(ngx_http_request_t *r)
{
	const struct gate_context *context = gate_context_find(r);
	const struct sockaddr *from = r->connection->sockaddr;

	if (context != NULL && context->passage.from == from && from != NULL)
		return context->passage.ban;
	struct address source = gate_address(from);
	return gate_bans_of(&source);
}

ngx_int_t gate_refuse_banned(ngx_http_request_t *r)
{
	struct gate_context *context;

	if (r != r->main)
		return NGX_DECLINED;
	struct ban_answer answer = ban_of(r);
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

static void head_set(ngx_http_request_t *r)
{
	r->headers_out.status = NGX_HTTP_FORBIDDEN;
	r->headers_out.content_length_n = sizeof(page) - 1;
	ngx_str_set(&r->headers_out.content_type, "text/html; charset=utf-8");
	r->headers_out.content_type_len = sizeof("text/html") - 1;
}

/*
 * In a flood this answer goes out more often than any page. So what nginx's filters would make of it is kept, whole,
 * and made anew each second, for the date is in it. `add_header` adds nothing to it.
 */
struct whole {
	time_t made; /* 0: not yet */
	size_t head;
	size_t len;
	u_char text[512 + sizeof(page)];
};

/* NULL: for this request nginx makes the answer, in HTTP/2's frames or with something that is not in what is kept. */
static const struct whole *whole_of(const ngx_http_request_t *r)
{
	static struct whole kept[2][2];
	const ngx_http_core_loc_conf_t *core = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
	const char *server = core->server_tokens == NGX_HTTP_SERVER_TOKENS_OFF ? "nginx" : NGINX_VER;

	if (r->http_version != NGX_HTTP_VERSION_11 || r->method == NGX_HTTP_HEAD ||
	    core->server_tokens == NGX_HTTP_SERVER_TOKENS_BUILD || (r->keepalive && core->keepalive_header != 0))
		return NULL;
	struct whole *whole = &kept[core->server_tokens == NGX_HTTP_SERVER_TOKENS_OFF][r->keepalive];
	if (whole->made != ngx_time()) {
		u_char *end = ngx_snprintf(whole->text, sizeof(whole->text) - sizeof(page),
					   "HTTP/1.1 403 Forbidden" CRLF "Server: %s" CRLF "Date: %V" CRLF
					   "Content-Type: text/html; charset=utf-8" CRLF "Content-Length: %uz" CRLF
					   "Connection: %s" CRLF "Cache-Control: no-store" CRLF CRLF,
					   server, &ngx_cached_http_time, sizeof(page) - 1,
					   r->keepalive ? "keep-alive" : "close");
		whole->head = (size_t)(end - whole->text);
		whole->len = (size_t)(ngx_cpymem(end, page, sizeof(page) - 1) - whole->text);
		whole->made = ngx_time();
	}
	return whole;
}

/* What cannot be sent now is copied: by the time it can be, what is kept may be another second's. */
static ngx_int_t rest_send(ngx_http_request_t *r, const u_char *bytes, size_t len)
{
	ngx_buf_t *buf = ngx_create_temp_buf(r->pool, len);

	if (buf == NULL)
		return NGX_ERROR;
	buf->last = ngx_cpymem(buf->last, bytes, len);
	buf->last_buf = 1;
	return ngx_http_write_filter(r, &(ngx_chain_t){buf, NULL});
}

static ngx_int_t whole_send(ngx_http_request_t *r, const struct whole *whole)
{
	ngx_connection_t *c = r->connection;
	ssize_t sent = 0;

	r->header_sent = 1;
	r->header_size = whole->head;
	/* TLS may want the same bytes again, at the same place. */
	if (c->send == ngx_send && c->write->ready && !c->buffered && r->out == NULL)
		sent = c->send(c, (u_char *)whole->text, whole->len);
	if (sent == NGX_ERROR) {
		c->error = 1;
		return NGX_ERROR;
	}
	sent = ngx_max(sent, 0);
	return (size_t)sent == whole->len ? NGX_OK : rest_send(r, whole->text + sent, whole->len - (size_t)sent);
}

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
	const struct whole *whole;
	ngx_int_t rc = ngx_http_discard_request_body(r);

	if (rc != NGX_OK)
		return rc;
	head_set(r);
	if ((whole = whole_of(r)) != NULL)
		return whole_send(r, whole);
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
