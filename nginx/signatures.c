/*
 * The image is read into this process's memory whenever its word changes. Which of its rules are for which site is
 * worked out once for each image and configuration, as a mask; a request is asked of its site's rules alone.
 */
#include "signatures.h"

#include "bans.h"
#include "clock.h"
#include "event.h"
#include "news_file.h"
#include "source.h"
#include "telling.h"

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

/* Of its source as it is told: nobody that could be told from others is allowed by the address of a proxy. */
static bool is_allowed(const struct gate_context *context, const struct address *source, uint64_t now_ns)
{
	const struct gate_passage *passage = &context->passage;
	struct address from = gate_address(passage->from);

	if (passage->at_ns == now_ns && address_equal(&from, source))
		return passage->ban.kind == BAN_ALLOW;
	return gate_bans_at(source, now_ns).kind == BAN_ALLOW;
}

static uint32_t match(const struct gate_context *context, const struct event *arrival, uint64_t now_ns)
{
	uint64_t rules = rules_of(context->request);

	if (rules == 0)
		return 0;
	struct signature_request request = signature_request_from(arrival, context->passage.since_ms, false);
	const struct signature_rule *rule = signature_image_match(signatures.image, rules, &request, now_ns / NS_A_MS);
	return rule == NULL || is_allowed(context, &request.source, now_ns) ? 0 : rule->id;
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
	context->matched_by = match(context, arrival, arrival->at_ns);
}

bool gate_signatures_cancel(struct gate_context *context)
{
	struct event arrival = {0};

	if (signatures.image == NULL || !context->passage.arrived)
		return false;
	gate_event_arrival(&arrival, context->request, &context->passage);
	context->refused_by = match(context, &arrival, gate_now_ns());
	if (context->refused_by == 0)
		return false;
	gate_hit_tell(context->refused_by);
	return true;
}

const struct signature_image *gate_published(void)
{
	return signatures.image;
}

bool gate_signatures_look(ngx_log_t *log)
{
	struct signature_image *image = NULL;
	enum image_fault fault = IMAGE_GOOD;
	uint64_t word;

	if (signatures.main == NULL || !image_word_read(signatures.word_path, &word) || word == signatures.seen)
		return false;
	int r = signature_image_read(signatures.image_path, signatures.boot, &image, &fault);
	if (!image_error_passes(r))
		signatures.seen = word;
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
