#include "bans.h"

#include "events.h"
#include "gate.h"
#include "news.h"

#include "limit/ban_files.h"

#include <sys/socket.h>

static struct bans {
	struct gate_main *main; /* NULL: none are asked */
	struct ban_view view;
	char base_path[NGX_MAX_PATH];
	char delta_path[NGX_MAX_PATH];
	char word_path[NGX_MAX_PATH];
	uint8_t boot[IMAGE_BOOT_BYTES];
} bans;

struct address gate_address(const struct sockaddr *from)
{
	switch (from == NULL ? AF_UNSPEC : from->sa_family) {
	case AF_INET:
		return address_from_v4((const uint8_t *)&((const struct sockaddr_in *)from)->sin_addr);
	case AF_INET6:
		return address_from_v6((const uint8_t *)&((const struct sockaddr_in6 *)from)->sin6_addr);
	default:
		return (struct address){0};
	}
}

struct ban_answer gate_bans_of(const struct address *source)
{
	if (bans.main == NULL)
		return (struct ban_answer){.kind = BAN_NONE};
	return ban_view_lookup(&bans.view, source, gate_now_ns() / 1000000);
}

bool gate_is_proxy(const struct sockaddr *peer)
{
	const struct gate_main *main = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_guia_module);
	ngx_array_t *trusted = main->trusted_proxies;

	return trusted != NULL && ngx_cidr_match((struct sockaddr *)peer, trusted) == NGX_OK;
}

bool gate_source_bounded(const struct sockaddr *from)
{
	static const struct address none;
	struct address source = gate_address(from);

	return !address_equal(&source, &none) && gate_bans_of(&source).kind != BAN_ALLOW && !gate_is_proxy(from);
}

struct ban_answer gate_bans_of_peer(const struct sockaddr *peer)
{
	struct address source = gate_address(peer);
	struct ban_answer answer = gate_bans_of(&source);
	if (answer.kind == BAN_REFUSE && gate_is_proxy(peer))
		answer.kind = BAN_NONE;
	return answer;
}

/* Only those whom a header names come so far: others were closed when they were accepted. */
ngx_int_t gate_bans_handler(ngx_http_request_t *r)
{
	struct gate_context *context;

	if (bans.main == NULL || r != r->main)
		return NGX_DECLINED;
	struct address source = gate_address(r->connection->sockaddr);
	struct ban_answer answer = gate_bans_of(&source);
	if (answer.kind != BAN_REFUSE || gate_is_proxy(r->connection->sockaddr) ||
	    (context = gate_context_get(r)) == NULL)
		return NGX_DECLINED;
	context->banned_by = answer.id;
	r->keepalive = 0;
	gate_events_hit(answer.id);
	return NGX_HTTP_FORBIDDEN;
}

/* ---- news ---- */

bool gate_bans_look(ngx_log_t *log)
{
	uint64_t word;

	if (!image_word_read(bans.word_path, &word))
		return false;
	switch (ban_view_look(&bans.view, bans.base_path, bans.delta_path, &word, bans.boot)) {
	case BAN_VIEW_NEW:
		return true;
	case BAN_VIEW_BAD:
		gate_news_tell(bans.view.path, -bans.view.error, bans.view.fault, log);
		return false;
	default:
		return false;
	}
}

void gate_bans_start(struct gate_main *main, const uint8_t boot[IMAGE_BOOT_BYTES])
{
	gate_news_path(bans.base_path, main->bans, BAN_BASE_FILE);
	gate_news_path(bans.delta_path, main->bans, BAN_DELTA_FILE);
	gate_news_path(bans.word_path, main->bans, BAN_WORD_FILE);
	ngx_memcpy(bans.boot, boot, sizeof(bans.boot));
	bans.main = main;
}

void gate_bans_stop(void)
{
	ban_view_close(&bans.view);
	bans.main = NULL;
}
