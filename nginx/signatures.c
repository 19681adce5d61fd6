#include "signatures.h"

#include "bans.h"
#include "events.h"
#include "gate.h"
#include "news.h"

#include "limit/signature_image.h"
#include "limit/source_pace.h"

enum {
	PACE_BYTES = 4 * 1024 * 1024,
	PACE_SOURCES = 256 * 1024,
	NS_A_MS = 1000000,
};

struct gate_pace {
	struct source_pace *table; /* in the zone */
};

static struct signatures {
	struct gate_main *main;        /* NULL: none are asked */
	struct signature_image *image; /* NULL: there was none yet */
	uint64_t seen;                 /* the word, when it was last looked at */
	uint8_t boot[IMAGE_BOOT_BYTES];
	char image_path[NGX_MAX_PATH];
	char word_path[NGX_MAX_PATH];
	const struct gate_main *of; /* whose sites `rules` are for; NULL: they are to be found */
	uint64_t rules[OUTBOX_SITES];
} signatures;

/* ---- the answer ---- */

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

/* The connection is kept where the client keeps it: another one would cost a handshake, and of TLS a hundred times what
 * this answer does. */
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

ngx_int_t gate_signatures_handler(ngx_http_request_t *r)
{
	struct gate_context *context = gate_context_find(r);

	if (r != r->main || context == NULL || context->matched_by == 0 || context->refused_by != 0)
		return NGX_DECLINED;
	context->refused_by = context->matched_by;
	gate_events_hit(context->refused_by);
	ngx_http_finalize_request(r, answer(r));
	return NGX_DONE;
}

/* ---- requests ---- */

/* Whichever configuration a process without a master serves now, and whenever there is a new image. */
static void rules_map(const struct gate_main *main)
{
	const ngx_str_t *names = main->sites.elts;

	for (ngx_uint_t i = 0; i < main->sites.nelts && i < OUTBOX_SITES; i++)
		signatures.rules[i] =
			signature_image_rules_of(signatures.image, (struct slice){names[i].data, names[i].len});
	signatures.of = main;
}

static uint64_t rules_of(ngx_http_request_t *r)
{
	const struct gate_main *main = ngx_http_get_module_main_conf(r, ngx_http_guia_module);
	const struct gate_location *location = ngx_http_get_module_loc_conf(r, ngx_http_guia_module);

	if (main != signatures.of)
		rules_map(main);
	if (location->site_number < OUTBOX_SITES)
		return signatures.rules[location->site_number];
	return signature_image_rules_of(signatures.image, (struct slice){location->site.data, location->site.len});
}

static uint32_t match(const struct gate_context *context, const struct event *arrival)
{
	uint64_t rules = rules_of(context->request);

	if (rules == 0)
		return 0;
	struct signature_request request = signature_request_from(arrival, context->passage.since_ms, false);
	const struct signature_rule *rule =
		signature_image_match(signatures.image, rules, &request, gate_now_ns() / NS_A_MS);
	if (rule == NULL || gate_bans_of(&request.source).kind == BAN_ALLOW)
		return 0;
	return rule->id;
}

static uint32_t pace_meet(const struct gate_context *context, const struct event *arrival)
{
	const struct gate_main *main = ngx_http_get_module_main_conf(context->request, ngx_http_guia_module);
	struct address source = address_from_v6(arrival->source);

	return (uint32_t)source_pace_meet(main->pace->table, &source, arrival->at_ns / NS_A_MS);
}

void gate_signatures_ask(struct gate_context *context, const struct event *arrival)
{
	if (signatures.image == NULL || signatures.image->rule_count == 0)
		return;
	if (signatures.image->asks_pace)
		context->passage.since_ms = pace_meet(context, arrival);
	context->matched_by = match(context, arrival);
}

bool gate_signatures_cancel(struct gate_context *context)
{
	struct event arrival;

	if (signatures.image == NULL || !context->passage.arrived)
		return false;
	gate_events_arrival(context, &arrival);
	context->refused_by = match(context, &arrival);
	if (context->refused_by == 0)
		return false;
	gate_events_hit(context->refused_by);
	return true;
}

const struct signature_image *gate_published(void)
{
	return signatures.image;
}

/* ---- news ---- */

bool gate_signatures_look(ngx_log_t *log)
{
	struct signature_image *image = NULL;
	enum image_fault fault = IMAGE_GOOD;
	uint64_t word;

	if (signatures.main == NULL || !image_word_read(signatures.word_path, &word) || word == signatures.seen)
		return false;
	signatures.seen = word;
	int r = signature_image_read(signatures.image_path, signatures.boot, &image, &fault);
	if (r != 0) {
		gate_news_tell(signatures.image_path, r < 0 ? -r : 0, fault, log);
		return false;
	}
	signature_image_free(signatures.image);
	signatures.image = image;
	signatures.of = NULL;
	return true;
}

void gate_signatures_start(struct gate_main *main, const uint8_t boot[IMAGE_BOOT_BYTES])
{
	if (main->pace == NULL)
		return;
	gate_news_path(signatures.image_path, main->bans, SIGNATURE_IMAGE_FILE);
	gate_news_path(signatures.word_path, main->bans, SIGNATURE_WORD_FILE);
	ngx_memcpy(signatures.boot, boot, sizeof(signatures.boot));
	signatures.main = main;
}

void gate_signatures_stop(void)
{
	signature_image_free(signatures.image);
	signatures.image = NULL;
	signatures.main = NULL;
}

/* ---- memory ---- */

static ngx_int_t zone_init(ngx_shm_zone_t *zone, void *data)
{
	struct gate_pace *pace = zone->data, *before = data;
	ngx_slab_pool_t *slab = (ngx_slab_pool_t *)zone->shm.addr;

	if (before != NULL) {
		pace->table = before->table;
		return NGX_OK;
	}
	/* Fresh memory is all zero, and is not touched before a signature asks. */
	pace->table = ngx_slab_alloc(slab, source_pace_bytes(PACE_SOURCES));
	if (pace->table == NULL)
		return NGX_ERROR;
	source_pace_init(pace->table, PACE_SOURCES);
	return NGX_OK;
}

struct gate_pace *gate_pace_add(ngx_conf_t *cf)
{
	static ngx_str_t name = ngx_string("guia_pace");
	struct gate_pace *pace = ngx_pcalloc(cf->pool, sizeof(*pace));
	ngx_shm_zone_t *zone = ngx_shared_memory_add(cf, &name, PACE_BYTES, &ngx_http_guia_module);

	if (pace == NULL || zone == NULL)
		return NULL;
	zone->init = zone_init;
	zone->data = pace;
	return pace;
}
