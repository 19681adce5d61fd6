/* One timer for all: bans.c and signatures.c look at their own files, and say whether there is anything new. */
#include "news.h"

#include "bans.h"
#include "signatures.h"

enum { LOOK_MS = 50 };

static struct news {
	struct gate_main *main; /* NULL: nothing is looked for */
	void (*changed)(struct gate_main *main);
	ngx_event_t timer;
	ngx_connection_t nobody; /* nginx's debug log wants a connection behind every event */
} news;

static void look(ngx_event_t *event)
{
	bool bans = gate_bans_look(event->log), signatures = gate_signatures_look(event->log);

	if (bans || signatures)
		news.changed(news.main);
	if (!ngx_exiting)
		ngx_add_timer(event, LOOK_MS);
}

void gate_news_start(struct gate_main *main, void (*changed)(struct gate_main *main), ngx_log_t *log)
{
	uint8_t boot[IMAGE_BOOT_BYTES];

	if (main->bans.data == NULL || ngx_process == NGX_PROCESS_HELPER)
		return;
	int r = image_boot_read(boot);
	if (r != 0) {
		ngx_log_error(NGX_LOG_WARN, log, (ngx_err_t)-r,
			      "guia_bans: which boot this is cannot be told: there are no bans");
		return;
	}
	news.main = main;
	news.changed = changed;
	news.nobody.fd = (ngx_socket_t)-1;
	news.timer = (ngx_event_t){.handler = look, .data = &news.nobody, .log = log, .cancelable = 1};
	gate_bans_start(main, boot);
	gate_signatures_start(main, boot);
	look(&news.timer);
}

void gate_news_stop(void)
{
	if (news.timer.timer_set)
		ngx_del_timer(&news.timer);
	gate_bans_stop();
	gate_signatures_stop();
	news.main = NULL;
}
