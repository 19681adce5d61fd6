#include "watch/upstream_news.h"

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
		reader->number = news.number;
		if (reader->told != NULL)
			reader->told(reader->context, &news);
	}
}
