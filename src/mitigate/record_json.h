/* What the files of people's orders have in common: times as people read them, and numbers within bounds. */
#ifndef GUIA_MITIGATE_RECORD_JSON_H
#define GUIA_MITIGATE_RECORD_JSON_H

#include "base/buffer.h"

#include <jansson.h>
#include <time.h>

static inline void record_add_time(uint64_t wall_ms, struct buffer *out)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;
	char text[32];
	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	buffer_printf(out, "\"%s.%03uZ\"", text, (unsigned)(wall_ms % 1000));
}

static inline bool record_read_number(const json_t *value, uint64_t most, uint64_t *ret_number)
{
	json_int_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < 0 || (uint64_t)number > most)
		return false;
	*ret_number = (uint64_t)number;
	return true;
}

#endif
