#include "bans.h"

#include "events.h"
#include "gate.h"

#include "limit/ban_files.h"

#include <sys/socket.h>

enum { LOOK_MS = 50, TELL_NS_APART = 1000000000 };

static struct bans {
	struct gate_main *main; /* NULL: none are asked */
	void (*changed)(struct gate_main *main);
	struct ban_view view;
	char base_path[NGX_MAX_PATH];
	char delta_path[NGX_MAX_PATH];
	char word_path[NGX_MAX_PATH];
	uint8_t boot[IMAGE_BOOT_BYTES];
	ngx_event_t timer;
	ngx_connection_t nobody; /* nginx's debug log wants a connection behind every event */
	uint64_t told_ns;
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

static bool is_trusted(const struct sockaddr *peer)
{
	ngx_array_t *trusted = bans.main->trusted_proxies;
	return trusted != NULL && ngx_cidr_match((struct sockaddr *)peer, trusted) == NGX_OK;
}

struct ban_answer gate_bans_of_peer(const struct sockaddr *peer)
{
	struct address source = gate_address(peer);
	struct ban_answer answer = gate_bans_of(&source);
	if (answer.kind == BAN_REFUSE && is_trusted(peer))
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
	if (answer.kind != BAN_REFUSE || is_trusted(r->connection->sockaddr) || (context = gate_context_get(r)) == NULL)
		return NGX_DECLINED;
	context->banned_by = answer.id;
	r->keepalive = 0;
	gate_events_hit(answer.id);
	return NGX_HTTP_FORBIDDEN;
}

/* ---- news ---- */

static void tell(ngx_log_t *log)
{
	uint64_t now_ns = gate_now_ns();

	if (now_ns - bans.told_ns < TELL_NS_APART)
		return;
	bans.told_ns = now_ns;
	ngx_log_error(NGX_LOG_WARN, log, (ngx_err_t)-bans.view.error,
		      "guia_bans: \"%s\" is not taken%s%s: what was there before holds", bans.view.path,
		      bans.view.error != 0 ? "" : ": ", bans.view.error != 0 ? "" : image_fault_text(bans.view.fault));
}

static void look(ngx_event_t *event)
{
	uint64_t word;

	if (image_word_read(bans.word_path, &word)) {
		switch (ban_view_look(&bans.view, bans.base_path, bans.delta_path, &word, bans.boot)) {
		case BAN_VIEW_NEW:
			bans.changed(bans.main);
			break;
		case BAN_VIEW_BAD:
			tell(event->log);
			break;
		default:
			break;
		}
	}
	if (!ngx_exiting)
		ngx_add_timer(event, LOOK_MS);
}

static bool boot_read(uint8_t boot[IMAGE_BOOT_BYTES], ngx_log_t *log)
{
	if (image_boot_read(boot) == 0)
		return true;
	ngx_log_error(NGX_LOG_WARN, log, ngx_errno, "guia_bans: which boot this is cannot be told: there are no bans");
	return false;
}

static void path_make(char path[NGX_MAX_PATH], ngx_str_t directory, const char *name)
{
	*ngx_snprintf((u_char *)path, NGX_MAX_PATH - 1, "%V/%s", &directory, name) = '\0';
}

void gate_bans_start(struct gate_main *main, void (*changed)(struct gate_main *main), ngx_log_t *log)
{
	if (main->bans.data == NULL || ngx_process == NGX_PROCESS_HELPER || !boot_read(bans.boot, log))
		return;
	path_make(bans.base_path, main->bans, BAN_BASE_FILE);
	path_make(bans.delta_path, main->bans, BAN_DELTA_FILE);
	path_make(bans.word_path, main->bans, BAN_WORD_FILE);
	bans.main = main;
	bans.changed = changed;
	bans.nobody.fd = (ngx_socket_t)-1;
	bans.timer = (ngx_event_t){.handler = look, .data = &bans.nobody, .log = log, .cancelable = 1};
	look(&bans.timer);
}

void gate_bans_stop(void)
{
	if (bans.timer.timer_set)
		ngx_del_timer(&bans.timer);
	ban_view_close(&bans.view);
	bans.main = NULL;
}
