/* Statuses that nginx has no page for become 403, or 302 where they redirect; to drop is to close the connection. */
#include "verdict.h"

static ngx_int_t redirect(ngx_http_request_t *r, struct guia_slice to)
{
	u_char *value = ngx_pnalloc(r->pool, to.len);

	ngx_http_clear_location(r);
	/* What is in the list is sent, so it comes last. */
	ngx_table_elt_t *location = value == NULL ? NULL : ngx_list_push(&r->headers_out.headers);
	if (location == NULL)
		return NGX_ERROR;
	ngx_memcpy(value, to.ptr, to.len);
	ngx_memzero(location, sizeof(*location));
	location->hash = 1;
	ngx_str_set(&location->key, "Location");
	location->value = (ngx_str_t){to.len, value};
	r->headers_out.location = location;
	return NGX_OK;
}

ngx_int_t gate_verdict_status(ngx_http_request_t *r, const struct guia_verdict *verdict)
{
	switch (verdict->action) {
	case GUIA_PASS:
		return NGX_OK;
	case GUIA_DROP:
		return NGX_HTTP_CLOSE;
	case GUIA_REDIRECT:
		if (redirect(r, verdict->redirect_to) != NGX_OK)
			return NGX_HTTP_INTERNAL_SERVER_ERROR;
		return verdict->status >= 301 && verdict->status <= 308 ? verdict->status : NGX_HTTP_MOVED_TEMPORARILY;
	case GUIA_DENY:
		break;
	}
	/* nginx has no page for an answer that means success. */
	return verdict->status >= NGX_HTTP_SPECIAL_RESPONSE && verdict->status < 600 ? verdict->status
										     : NGX_HTTP_FORBIDDEN;
}
