/* A ring of objects of JSON, made once: what is told, kept in the journal and read back are the same bytes. */
#include "upstream/lease_news.h"

#include "base/reader.h"
#include "codec/text.h"

#include <inttypes.h>
#include <jansson.h>

void lease_news_init(struct lease_news *news, const struct upstream_operator *operators, uint64_t life)
{
	news->operators = operators;
	news->life = life;
}

static void drop_oldest(struct lease_news *news)
{
	buffer_free(&news->items[news->first].text);
	news->first = (news->first + 1) % LEASE_NEWS_MOST;
	news->count--;
}

void lease_news_free(struct lease_news *news)
{
	while (news->count > 0)
		drop_oldest(news);
}

/* ---- what there is to tell ---- */

static void item_add(struct lease_news *news, uint64_t number, struct buffer text)
{
	if (news->count == LEASE_NEWS_MOST) {
		drop_oldest(news);
		news->lost++;
	}
	news->last = number > news->last ? number : news->last;
	if (text.error != 0) {
		buffer_free(&text);
		news->lost++;
		return;
	}
	news->items[(news->first + news->count++) % LEASE_NEWS_MOST] = (struct lease_news_item){number, text};
}

static void item_keep(const struct lease_news_item *item, struct buffer *journal)
{
	buffer_printf(journal, LEASE_NEWS_LINE "told\t%" PRIu64 "\t", item->number);
	buffer_add(journal, buffer_slice(&item->text));
	buffer_byte(journal, '\n');
}

static void write_lease(const struct lease_news *news, const struct lease *lease, uint64_t until_ms, struct buffer *out)
{
	struct buffer text = buffer_make(NULL);
	buffer_printf(out, ",\"operator\":\"%s\",\"rule\":%" PRIu32 ",\"by\":%lu,\"until\":%" PRIu64 ",\"told\":",
		      news->operators[lease->operator_].name, lease->id, (unsigned long)lease->by, until_ms);
	route_tell(&lease->route, &text);
	text_add_json(out, buffer_slice(&text));
	buffer_text(out, ",\"why\":");
	text_add_json(out, slice_from_string(lease->why));
	out->error = out->error != 0 ? out->error : text.error;
	buffer_free(&text);
}

void lease_news_add(struct lease_news *news, const struct lease *lease, enum lease_change change, int outcome,
		    struct lease_news_time now, struct buffer *journal)
{
	struct buffer text = buffer_make(NULL);
	uint64_t number = news->last + 1;
	buffer_printf(&text, "{\"number\":%" PRIu64 ",\"at\":%" PRIu64 ",\"change\":\"%s\"", number, now.wall_ms,
		      lease_change_name(change));
	if (lease != NULL)
		write_lease(news, lease,
			    lease->until_ms != UINT64_MAX ? now.wall_ms + lease->until_ms - now.boot_ms : 0, &text);
	if (change == LEASE_REFUSED) {
		buffer_text(&text, ",\"answer\":");
		text_add_json(&text, slice_from_string(lease_outcome_text(outcome)));
	}
	buffer_byte(&text, '}');
	if (text.error == 0)
		item_keep(&(struct lease_news_item){number, text}, journal);
	item_add(news, number, text);
}

static void forget(struct lease_news *news, uint64_t number)
{
	while (news->count > 0 && news->items[news->first].number <= number) {
		drop_oldest(news);
		news->lost = 0; /* whoever says so was told of them */
	}
}

void lease_news_forget(struct lease_news *news, uint64_t life, uint64_t number, struct buffer *journal)
{
	if (life != news->life || news->count == 0 || news->items[news->first].number > number)
		return;
	forget(news, number);
	buffer_printf(journal, LEASE_NEWS_LINE "known\t%" PRIu64 "\n", number);
}

void lease_news_write(const struct lease_news *news, struct buffer *out)
{
	buffer_printf(out, "{\"life\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"news\":[", news->life, news->lost);
	for (size_t i = 0; i < news->count; i++) {
		buffer_text(out, i > 0 ? "," : "");
		buffer_add(out, buffer_slice(&news->items[(news->first + i) % LEASE_NEWS_MOST].text));
	}
	buffer_text(out, "]}\n");
}

/* ---- over the end of a process ---- */

void lease_news_keep(const struct lease_news *news, struct buffer *journal)
{
	buffer_printf(journal, LEASE_NEWS_LINE "life\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n", news->life, news->last,
		      news->lost);
	for (size_t i = 0; i < news->count; i++)
		item_keep(&news->items[(news->first + i) % LEASE_NEWS_MOST], journal);
}

static void resume_life(struct lease_news *news, struct reader *r)
{
	uint64_t life, last, lost;
	if (!slice_number(reader_until(r, '\t'), INT64_MAX, &life) ||
	    !slice_number(reader_until(r, '\t'), INT64_MAX, &last) || !slice_number(reader_rest(r), INT64_MAX, &lost))
		return;
	lease_news_free(news);
	news->life = life;
	news->last = last;
	news->lost = lost;
}

/* All items are told at once, so that one that is no JSON would silence the others. */
static void resume_item(struct lease_news *news, struct reader *r)
{
	uint64_t number;
	struct buffer text = buffer_make(NULL);
	if (!slice_number(reader_until(r, '\t'), INT64_MAX, &number))
		return;
	json_t *item = json_loadb((const char *)reader_rest(r).ptr, reader_left(r), 0, NULL);
	bool good = json_is_object(item) && json_integer_value(json_object_get(item, "number")) == (json_int_t)number;
	json_decref(item);
	if (!good)
		return;
	buffer_add(&text, reader_rest(r));
	item_add(news, number, text);
}

void lease_news_resume(struct lease_news *news, struct slice journal)
{
	uint64_t number;
	for (size_t end; (end = slice_find_byte(journal, '\n', 0)) < journal.len;
	     journal = slice_after(journal, end + 1)) {
		struct reader r = reader_make(slice_sub(journal, 0, end));
		if (!reader_accept(&r, SLICE(LEASE_NEWS_LINE)))
			continue;
		if (reader_accept(&r, SLICE("life\t")))
			resume_life(news, &r);
		else if (reader_accept(&r, SLICE("told\t")))
			resume_item(news, &r);
		else if (reader_accept(&r, SLICE("known\t")) && slice_number(reader_rest(&r), INT64_MAX, &number))
			forget(news, number);
	}
}
