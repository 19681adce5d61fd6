/* The keeper tells news again until it hears that they are known: by their numbers each is told once. */
#include "watch/upstream_news.h"

#include <inttypes.h>
#include <stdio.h>

static struct slice text_in(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL ? slice_from_string(text) : SLICE("");
}

static uint64_t number_in(const json_t *object, const char *key)
{
	json_int_t number = json_integer_value(json_object_get(object, key));
	return number > 0 ? (uint64_t)number : 0;
}

static struct upstream_news news_of(const json_t *item)
{
	return (struct upstream_news){.operator_ = text_in(item, "operator"),
				      .change = text_in(item, "change"),
				      .route = text_in(item, "told"),
				      .why = text_in(item, "why"),
				      .answer = text_in(item, "answer"),
				      .number = number_in(item, "number"),
				      .at_ms = number_in(item, "at"),
				      .until_ms = number_in(item, "until"),
				      .rule = number_in(item, "rule"),
				      .by = json_object_get(item, "by") != NULL ? number_in(item, "by") : UINT64_MAX};
}

/* Of more than the keeper has room for it drops the oldest. */
static void tell_lost(const struct upstream_news_reader *reader, const struct upstream_news *next, uint64_t lost)
{
	char text[80];
	if (lost == 0 || next->number <= reader->number + 1)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " before this were not fetched in time", lost);
	reader->told(reader->context, &(struct upstream_news){.operator_ = SLICE(""),
							      .change = SLICE("lost"),
							      .answer = slice_from_string(text),
							      .number = next->number - 1,
							      .at_ms = next->at_ms,
							      .by = UINT64_MAX});
}

void upstream_news_read(struct upstream_news_reader *reader, const json_t *answer)
{
	const json_t *item;
	size_t i;
	uint64_t life = number_in(answer, "life");
	reader->number = life == reader->life ? reader->number : 0;
	reader->life = life;
	json_array_foreach(json_object_get(answer, "news"), i, item)
	{
		const struct upstream_news news = news_of(item);
		if (news.number <= reader->number)
			continue;
		if (reader->told != NULL) {
			tell_lost(reader, &news, number_in(answer, "lost"));
			reader->told(reader->context, &news);
		}
		reader->number = news.number;
	}
}
