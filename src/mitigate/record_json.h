/*
 * What the files of people's orders have in common: times as people read them, numbers within bounds, and ends. An end
 * is written by both clocks: in the boot in which it was, CLOCK_BOOTTIME holds, whatever becomes of the wall's; over a
 * new boot the wall's is all there is, but more than was left when it was written is left never: a machine may begin
 * with a clock that is years behind.
 */
#ifndef GUIA_MITIGATE_RECORD_JSON_H
#define GUIA_MITIGATE_RECORD_JSON_H

#include "limit/image.h"
#include "mitigate/ban_register.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* As JSON text: "2024-07-10T20:00:00.000Z". */
static inline void record_add_time(uint64_t wall_ms, struct buffer *out)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;
	char text[32];
	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	buffer_printf(out, "\"%s.%03uZ\"", text, (unsigned)(wall_ms % 1000));
}

/* A whole number from 0 to `most`; false: it is none, and *ret_number is untouched. */
static inline bool record_read_number(const json_t *value, uint64_t most, uint64_t *ret_number)
{
	json_int_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < 0 || (uint64_t)number > most)
		return false;
	*ret_number = (uint64_t)number;
	return true;
}

enum { RECORD_BOOT_TEXT = 2 * IMAGE_BOOT_BYTES + 1 };

static inline void record_boot_text(const uint8_t boot[IMAGE_BOOT_BYTES], char ret_text[RECORD_BOOT_TEXT])
{
	for (size_t i = 0; i < IMAGE_BOOT_BYTES; i++)
		snprintf(ret_text + 2 * i, 3, "%02x", boot[i]);
}

/* Behind a document's version. */
static inline void record_add_boot(const uint8_t boot[IMAGE_BOOT_BYTES], struct buffer *out)
{
	char text[RECORD_BOOT_TEXT];
	record_boot_text(boot, text);
	buffer_printf(out, ",\"boot\":\"%s\"", text);
}

static inline bool record_is_of_boot(const json_t *document, const uint8_t boot[IMAGE_BOOT_BYTES])
{
	char text[RECORD_BOOT_TEXT];
	const char *written = json_string_value(json_object_get(document, "boot"));
	record_boot_text(boot, text);
	return written != NULL && strcmp(written, text) == 0;
}

/* Behind another member: until when, and how many seconds that are. */
static inline void record_add_end(uint64_t expires_ms, struct ban_times now, struct buffer *out)
{
	uint64_t left_ms = expires_ms > now.boot_ms ? expires_ms - now.boot_ms : 0;
	buffer_printf(out, ",\"until_ms\":%" PRIu64 ",\"until_boot_ms\":%" PRIu64 ",\"until\":", now.wall_ms + left_ms,
		      expires_ms);
	record_add_time(now.wall_ms + left_ms, out);
	buffer_printf(out, ",\"seconds_left\":%" PRIu64, left_ms / 1000);
}

/* What was left when it was written, with the part of a second that was not. */
static inline uint64_t record_read_left(const json_t *object)
{
	uint64_t seconds;
	return record_read_number(json_object_get(object, "seconds_left"), UINT32_MAX, &seconds) ? (seconds + 1) * 1000
												 : UINT64_MAX;
}

/* Milliseconds of CLOCK_BOOTTIME; `same_boot`: the file is of this one. */
static inline bool record_read_end(const json_t *object, bool same_boot, struct ban_times now, uint64_t *ret_expires_ms)
{
	const json_t *boot = json_object_get(object, "until_boot_ms");
	uint64_t until_ms, most_ms = record_read_left(object);
	if (same_boot && boot != NULL)
		return record_read_number(boot, INT64_MAX, ret_expires_ms);
	if (!record_read_number(json_object_get(object, "until_ms"), INT64_MAX, &until_ms))
		return false;
	uint64_t left_ms = until_ms > now.wall_ms ? until_ms - now.wall_ms : 0;
	*ret_expires_ms = now.boot_ms + (left_ms < most_ms ? left_ms : most_ms);
	return true;
}

#endif
