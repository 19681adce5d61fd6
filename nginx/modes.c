/*
 * Whom a mode keeps out is asked where a peer is chosen (admission_peer.c), so not of what nginx's cache answers. Modes
 * are in the image of signatures; who is no stranger is known by admission.
 */
#include "modes.h"

#include "admission_zone.h"
#include "bans.h"
#include "clock.h"
#include "context.h"
#include "origin.h"
#include "signatures.h"
#include "source.h"
#include "telling.h"

#include "limit/signature_image.h"

enum {
	NS_A_MS = 1000000,
	GUARDED_US = 1000000, /* of the origin's time a stranger may have had; a tenth is forgiven each second */
};

static const struct site_mode_rule *mode_of(ngx_http_request_t *r)
{
	const struct signature_image *image = gate_published();
	const struct gate_location *location = ngx_http_get_module_loc_conf(r, ngx_http_guia_module);

	if (image == NULL || image->mode_count == 0)
		return NULL;
	const struct site_mode_rule *rule =
		signature_image_mode_of(image, (struct slice){location->site.data, location->site.len});
	return rule != NULL && rule->expires_ms > gate_now_ns() / NS_A_MS ? rule : NULL;
}

static bool has_older_copy(const ngx_http_request_t *r)
{
#if (NGX_HTTP_CACHE)
	return r->upstream->cache_status == NGX_HTTP_CACHE_EXPIRED;
#else
	return false;
#endif
}

static bool keeps_out(const struct site_mode_rule *rule, ngx_http_request_t *r, uint64_t used_us)
{
	struct address source = gate_address(r->connection->sockaddr);

	if (rule->mode == SITE_OPEN || gate_bans_of(&source).kind == BAN_ALLOW)
		return false;
	if (rule->mode == SITE_LOCAL)
		return !site_mode_is_home(rule, &source);
	if (gate_admission_seen(gate_admission_of(r), &source) == SEEN_KNOWN)
		return false;
	return has_older_copy(r) || (used_us > GUARDED_US && !gate_is_proxy(r->connection->sockaddr));
}

bool gate_mode_keeps_out(ngx_http_request_t *r, uint64_t used_us)
{
	const struct site_mode_rule *rule = mode_of(r);
	struct gate_context *context = gate_context_get(r);

	if (context == NULL || rule == NULL || !keeps_out(rule, r, used_us))
		return false;
	/* Once a request, however many ways to an answer are tried. */
	if (context->kept_out_by == 0)
		gate_hit_tell(rule->id);
	context->kept_out_by = rule->id;
	return true;
}

ngx_int_t gate_mode_mark(ngx_http_request_t *r)
{
#if (NGX_HTTP_CACHE)
	const struct gate_context *context = gate_context_find(r);
	static const ngx_str_t name = ngx_string("X-Guia-Copy");

	if (context == NULL || context->kept_out_by == 0 || r != r->main || r->cache == NULL || !gate_answer_is_copy(r))
		return NGX_OK;
	u_char *date = ngx_pnalloc(r->pool, sizeof("Mon, 28 Sep 1970 06:00:00 GMT"));
	ngx_table_elt_t *header = date == NULL ? NULL : ngx_list_push(&r->headers_out.headers);
	if (header == NULL)
		return NGX_ERROR;
	ngx_memzero(header, sizeof(*header));
	header->hash = 1;
	header->key = name;
	header->value = (ngx_str_t){(size_t)(ngx_http_time(date, r->cache->date) - date), date};
#endif
	return NGX_OK;
}
