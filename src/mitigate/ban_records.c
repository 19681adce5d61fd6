/*
 * Written as text, read by Jansson and record_json.h. One record that cannot be read spoils the whole file, whatever
 * the others say.
 */
#include "mitigate/ban_records.h"

#include "codec/text.h"
#include "mitigate/record_json.h"

#include <inttypes.h>

static const char *const kind_names[BAN_KINDS] = {[BAN_REFUSE] = "ban", [BAN_ALLOW] = "allow", [BAN_LIFTED] = "lifted"};

void ban_record_write(const struct ban_record *record, struct ban_times now, struct buffer *out)
{
	char prefix[ADDRESS_TEXT_BYTES];
	buffer_printf(out, "{\"id\":%" PRIu32 ",\"kind\":\"%s\",\"prefix\":\"%s\",\"since_ms\":%" PRIu64 ",\"since\":",
		      record->id, kind_names[record->kind], prefix_format(&record->prefix, prefix),
		      record->since_wall_ms);
	record_add_time(record->since_wall_ms, out);
	if (record->expires_ms != BAN_FOR_EVER)
		record_add_end(record->expires_ms, now, out);
	buffer_printf(out, ",\"by\":%" PRIu32 ",\"why\":", (uint32_t)record->by);
	text_add_json(out, slice_make(record->why, record->why_len));
	buffer_text(out, "}");
}

void ban_records_write(const struct ban_record *records, size_t count, uint32_t last_id,
		       const uint8_t boot[IMAGE_BOOT_BYTES], struct ban_times now, struct buffer *out)
{
	buffer_text(out, "{\"version\":1");
	record_add_boot(boot, out);
	buffer_printf(out, ",\"last_id\":%" PRIu32 ",\"records\":[", last_id);
	for (size_t i = 0; i < count; i++) {
		buffer_text(out, i > 0 ? ",\n" : "\n");
		ban_record_write(&records[i], now, out);
	}
	buffer_text(out, "\n]}\n");
}

/* ---- reading ---- */

static bool read_kind(const json_t *value, enum ban_kind *ret_kind)
{
	const char *name = json_string_value(value);
	for (enum ban_kind kind = BAN_REFUSE; name != NULL && kind <= BAN_ALLOW; kind++)
		if (strcmp(name, kind_names[kind]) == 0) {
			*ret_kind = kind;
			return true;
		}
	return false;
}

static bool read_record(const json_t *object, bool same_boot, struct ban_times now, struct ban_record *ret_record)
{
	uint64_t id, by;
	const char *prefix = json_string_value(json_object_get(object, "prefix"));
	const char *why = json_string_value(json_object_get(object, "why"));
	struct ban_record record = {.rank = BAN_BY_PERSON, .expires_ms = BAN_FOR_EVER};
	if (prefix == NULL || why == NULL || !prefix_parse(slice_from_string(prefix), &record.prefix) ||
	    !read_kind(json_object_get(object, "kind"), &record.kind) ||
	    !record_read_number(json_object_get(object, "id"), UINT32_MAX, &id) || id == 0 ||
	    !record_read_number(json_object_get(object, "by"), UINT32_MAX, &by) ||
	    !record_read_number(json_object_get(object, "since_ms"), INT64_MAX, &record.since_wall_ms))
		return false;
	if (json_object_get(object, "until_ms") != NULL && !record_read_end(object, same_boot, now, &record.expires_ms))
		return false;
	record.id = (uint32_t)id;
	record.by = (uid_t)by;
	record.why_len = strnlen(why, BAN_WHY_BYTES);
	memcpy(record.why, why, record.why_len);
	*ret_record = record;
	return true;
}

int ban_records_read(struct slice text, const uint8_t boot[IMAGE_BOOT_BYTES], struct ban_times now,
		     struct ban_record *records, size_t *ret_count, uint32_t *ret_last_id)
{
	json_error_t error;
	uint64_t version = 0, last_id = 0;
	size_t count = 0, i;
	json_t *document = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &error), *item;
	const json_t *list = json_object_get(document, "records");
	bool good = record_read_number(json_object_get(document, "version"), 1, &version) && version == 1 &&
		    json_is_array(list) && json_array_size(list) <= BAN_RECORDS_MOST;
	bool same_boot = record_is_of_boot(document, boot);
	if (json_object_get(document, "last_id") != NULL) /* which those of earlier versions have not */
		good = good && record_read_number(json_object_get(document, "last_id"), UINT32_MAX, &last_id);
	json_array_foreach(list, i, item)
	{
		good = good && read_record(item, same_boot, now, &records[count]);
		last_id = good && records[count].id > last_id ? records[count].id : last_id;
		count += good && records[count].expires_ms > now.boot_ms;
	}
	json_decref(document);
	if (!good)
		return BAN_RECORDS_BAD;
	*ret_count = count;
	*ret_last_id = (uint32_t)last_id;
	return 0;
}
