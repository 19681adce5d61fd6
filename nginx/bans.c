/*
 * One view of the published images for the whole process. Questions differ in what they make of proxies and of who is
 * allowed.
 */
#include "bans.h"

#include "clock.h"
#include "news_file.h"
#include "source.h"

#include "limit/ban_files.h"

enum { NS_A_MS = 1000000 };

static struct bans {
	struct gate_main *main; /* NULL: none are asked */
	struct ban_view view;
	char base_path[NGX_MAX_PATH];
	char delta_path[NGX_MAX_PATH];
	char word_path[NGX_MAX_PATH];
	uint8_t boot[IMAGE_BOOT_BYTES];
} bans;

struct ban_answer gate_bans_at(const struct address *source, uint64_t now_ns)
{
	if (bans.main == NULL)
		return (struct ban_answer){.kind = BAN_NONE};
	return ban_view_lookup(&bans.view, source, now_ns / NS_A_MS);
}

struct ban_answer gate_bans_of(const struct address *source)
{
	return gate_bans_at(source, gate_now_ns());
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
