/* The head is written anew from nginx's headers_out: the origin's own bytes are no more. */
#include "answer.h"

#include "headers.h"

/* What does not fit is left out, header by header. */
struct head_text {
	u_char *at;
	const u_char *last;
};

static int line_add(void *context, struct guia_slice name, struct guia_slice value)
{
	struct head_text *text = context;

	if (name.len + value.len + sizeof(": \r\n") - 1 > (size_t)(text->last - text->at))
		return 0;
	text->at = ngx_cpymem(text->at, name.ptr, name.len);
	*text->at++ = ':';
	*text->at++ = ' ';
	text->at = ngx_cpymem(text->at, value.ptr, value.len);
	*text->at++ = '\r';
	*text->at++ = '\n';
	return 0;
}

static struct guia_slice head_of(const ngx_http_request_t *r, u_char *bytes)
{
	struct head_text text = {bytes, bytes + GATE_ANSWER_HEAD_BYTES - 2};

	text.at = r->headers_out.status_line.len > 0
			  ? ngx_slprintf(text.at, (u_char *)text.last, "HTTP/1.1 %V\r\n", &r->headers_out.status_line)
			  : ngx_slprintf(text.at, (u_char *)text.last, "HTTP/1.1 %ui\r\n", r->headers_out.status);
	(void)gate_response_headers_each(r, line_add, &text);
	*text.at++ = '\r';
	*text.at++ = '\n';
	return (struct guia_slice){bytes, (size_t)(text.at - bytes)};
}

void gate_answer_keep(struct gate_context *context, struct guia_slice body)
{
	const ngx_http_request_t *r = context->request;
	size_t len = ngx_min(body.len, GATE_ANSWER_BODY_BYTES);
	struct gate_answer *answer = ngx_palloc(r->pool, sizeof(*answer));
	u_char *head = ngx_pnalloc(r->pool, GATE_ANSWER_HEAD_BYTES), *bytes = ngx_pnalloc(r->pool, len + 1);
	uint64_t announced = r->headers_out.content_length_n > 0 ? (uint64_t)r->headers_out.content_length_n : 0;

	if (answer == NULL || head == NULL || bytes == NULL)
		return;
	if (len > 0)
		ngx_memcpy(bytes, body.ptr, len);
	*answer = (struct gate_answer){head_of(r, head), {bytes, len}, ngx_max(announced, body.len)};
	context->answer = answer;
}
