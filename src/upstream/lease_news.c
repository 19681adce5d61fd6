#include "upstream/lease_news.h"

#include "codec/text.h"

#include <inttypes.h>

void lease_news_add(struct lease_news *news, const struct lease *lease, enum lease_change change, int outcome,
		    uint64_t boot_ms, uint64_t wall_ms)
{
	struct lease_news_item *item = &news->items[(news->first + news->count) % LEASE_NEWS_MOST];
	if (news->count == LEASE_NEWS_MOST) {
		news->first = (news->first + 1) % LEASE_NEWS_MOST;
		news->lost++;
	} else {
		news->count++;
	}
	*item = (struct lease_news_item){
		.number = ++news->last, .wall_ms = wall_ms, .change = change, .outcome = outcome};
	if (lease == NULL)
		return;
	item->lease = *lease;
	if (lease->until_ms != UINT64_MAX)
		item->until_ms = wall_ms + lease->until_ms - boot_ms;
}

void lease_news_forget(struct lease_news *news, uint64_t life, uint64_t number)
{
	while (life == news->life && news->count > 0 && news->items[news->first].number <= number) {
		news->first = (news->first + 1) % LEASE_NEWS_MOST;
		news->count--;
		news->lost = 0; /* whoever says so was told of them */
	}
}

static void add_lease(const struct lease_news_item *item, const struct upstream_operator *operators, struct buffer *out)
{
	const struct lease *lease = &item->lease;
	struct buffer text = buffer_make(NULL);
	buffer_printf(out, ",\"operator\":\"%s\",\"rule\":%" PRIu32 ",\"by\":%lu,\"until\":%" PRIu64 ",\"told\":",
		      operators[lease->operator_].name, lease->id, (unsigned long)lease->by, item->until_ms);
	route_tell(&lease->route, &text);
	text_add_json(out, buffer_slice(&text));
	buffer_text(out, ",\"why\":");
	text_add_json(out, slice_from_string(lease->why));
	if (item->change == LEASE_REFUSED) {
		buffer_text(out, ",\"answer\":");
		text_add_json(out, slice_from_string(lease_outcome_text(item->outcome)));
	}
	out->error = out->error != 0 ? out->error : text.error;
	buffer_free(&text);
}

void lease_news_write(const struct lease_news *news, const struct upstream_operator *operators, struct buffer *out)
{
	buffer_printf(out, "{\"life\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"news\":[", news->life, news->lost);
	for (size_t i = 0; i < news->count; i++) {
		const struct lease_news_item *item = &news->items[(news->first + i) % LEASE_NEWS_MOST];
		buffer_printf(out, "%s{\"number\":%" PRIu64 ",\"at\":%" PRIu64 ",\"change\":\"%s\"", i > 0 ? "," : "",
			      item->number, item->wall_ms, lease_change_name(item->change));
		if (item->change != LEASE_KEEPER_BEGAN)
			add_lease(item, operators, out);
		buffer_byte(out, '}');
	}
	buffer_text(out, "]}\n");
}
