/*
 * An order is put into the list and written down; where that fails the list becomes what it was, of which a copy is
 * kept meanwhile. What is over is taken out when somebody asks.
 */
#include "mitigate/mode_register.h"

#include "base/error.h"
#include "base/file.h"
#include "codec/text.h"
#include "mitigate/record_json.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_BYTES = 1 << 20 };

struct mode_register {
	char path[PATH_MAX];
	char said[PATH_MAX + 256];
	uint8_t boot[IMAGE_BOOT_BYTES];
	struct mode_entry entries[SITE_MODES_MOST]; /* the latest first */
	size_t count;
	uint32_t last_id;
	uint64_t version;
	size_t home_count;
	struct prefix homes[];
};

static struct slice site_of(const struct mode_entry *entry)
{
	return slice_make(entry->site, entry->site_len);
}

/* ---- as a file ---- */

void mode_entry_write(const struct mode_entry *entry, struct ban_times now, struct buffer *out)
{
	buffer_printf(out, "{\"id\":%" PRIu32 ",\"site\":", entry->id);
	text_add_json(out, site_of(entry));
	buffer_printf(out, ",\"mode\":\"%s\",\"since_ms\":%" PRIu64 ",\"since\":", site_mode_name(entry->mode),
		      entry->since_wall_ms);
	record_add_time(entry->since_wall_ms, out);
	record_add_end(entry->expires_ms, now, out);
	buffer_printf(out, ",\"by\":%" PRIu32 ",\"why\":", (uint32_t)entry->by);
	text_add_json(out, slice_make(entry->why, entry->why_len));
	buffer_text(out, "}");
}

/* With the last number given, which may be of one that is over: hits are counted by it. */
static int write_down(const struct mode_register *reg, struct ban_times now)
{
	struct buffer out = buffer_make(NULL);
	buffer_text(&out, "{\"version\":1");
	record_add_boot(reg->boot, &out);
	buffer_printf(&out, ",\"last_id\":%" PRIu32 ",\"records\":[", reg->last_id);
	for (size_t i = 0; i < reg->count; i++) {
		buffer_text(&out, i > 0 ? ",\n" : "\n");
		mode_entry_write(&reg->entries[i], now, &out);
	}
	buffer_text(&out, "\n]}\n");
	int r = out.error != 0 ? out.error : file_replace(reg->path, buffer_slice(&out), 0640);
	buffer_free(&out);
	return r;
}

static bool read_mode(const json_t *value, enum site_mode *ret_mode)
{
	const char *name = json_string_value(value);
	for (enum site_mode mode = SITE_OPEN; name != NULL && mode < SITE_MODES; mode++)
		if (strcmp(name, site_mode_name(mode)) == 0) {
			*ret_mode = mode;
			return true;
		}
	return false;
}

static bool read_entry(const json_t *object, bool same_boot, struct ban_times now, struct mode_entry *ret_entry)
{
	uint64_t id, by;
	const char *site = json_string_value(json_object_get(object, "site"));
	const char *why = json_string_value(json_object_get(object, "why"));
	struct mode_entry entry = {0};
	if (site == NULL || why == NULL || !read_mode(json_object_get(object, "mode"), &entry.mode) ||
	    !record_read_number(json_object_get(object, "id"), UINT32_MAX, &id) || id == 0 ||
	    !record_read_number(json_object_get(object, "by"), UINT32_MAX, &by) ||
	    !record_read_number(json_object_get(object, "since_ms"), INT64_MAX, &entry.since_wall_ms) ||
	    !record_read_end(object, same_boot, now, &entry.expires_ms))
		return false;
	entry.site_len = strlen(site);
	if (entry.site_len == 0 || entry.site_len > SIGNATURE_SITE_BYTES)
		return false;
	entry.id = (uint32_t)id;
	entry.by = (uid_t)by;
	entry.why_len = strnlen(why, MODE_WHY_BYTES);
	memcpy(entry.site, site, entry.site_len);
	memcpy(entry.why, why, entry.why_len);
	*ret_entry = entry;
	return true;
}

static bool read_entries(struct mode_register *reg, const json_t *document, struct ban_times now)
{
	uint64_t version, last_id;
	const json_t *list = json_object_get(document, "records"), *item;
	size_t i, count = 0;
	if (!record_read_number(json_object_get(document, "version"), 1, &version) || version != 1 ||
	    !record_read_number(json_object_get(document, "last_id"), UINT32_MAX, &last_id) || !json_is_array(list) ||
	    json_array_size(list) > SITE_MODES_MOST)
		return false;
	bool same_boot = record_is_of_boot(document, reg->boot);
	json_array_foreach(list, i, item)
	{
		struct mode_entry *entry = &reg->entries[count];
		if (!read_entry(item, same_boot, now, entry) || entry->id > last_id)
			return false;
		for (size_t other = 0; other < count; other++)
			if (slice_equal(site_of(&reg->entries[other]), site_of(entry)))
				return false;
		count += entry->expires_ms > now.boot_ms;
	}
	reg->count = count;
	reg->last_id = last_id > reg->last_id ? (uint32_t)last_id : reg->last_id;
	return true;
}

static void remove_at(struct mode_register *reg, size_t at)
{
	memmove(&reg->entries[at], &reg->entries[at + 1], (--reg->count - at) * sizeof(reg->entries[0]));
	reg->version++;
}

static void say(struct mode_register *reg, const char *what)
{
	snprintf(reg->said, sizeof(reg->said), "%s: %s", reg->path, what);
}

/* The home networks may have been taken out of the configuration since. */
static void drop_homeless(struct mode_register *reg)
{
	for (size_t i = reg->count; i-- > 0;)
		if (reg->entries[i].mode == SITE_LOCAL && reg->home_count == 0) {
			remove_at(reg, i);
			say(reg, "a site that was local is so no more: no home networks are configured");
		}
}

/* What is not taken is not lost when ours is written. */
static void restore(struct mode_register *reg, struct ban_times now)
{
	struct buffer text = buffer_make(NULL);
	json_error_t error;
	int r = file_read(reg->path, FILE_BYTES, &text);
	if (r != 0 && r != -ENOENT) {
		char what[128];
		snprintf(what, sizeof(what), "%s; put aside as .unread", strerror(-r));
		say(reg, what);
		(void)file_put_aside(reg->path, ".unread");
	}
	if (r == 0) {
		json_t *document = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
		if (!read_entries(reg, document, now)) {
			say(reg, "is not a file of modes; what it says is not taken; put aside as .damaged");
			(void)file_put_aside(reg->path, ".damaged");
		}
		json_decref(document);
	}
	buffer_free(&text);
	drop_homeless(reg);
}

/* ---- beginning and end ---- */

int mode_register_open(const char *directory, const struct prefix *homes, size_t home_count, struct ban_times now,
		       struct mode_register **ret_register, const char **ret_what, const char **ret_said)
{
	*ret_what = directory;
	if (home_count > SITE_HOMES_MOST)
		return -EINVAL;
	struct mode_register *reg = calloc(1, sizeof(*reg) + home_count * sizeof(*homes));
	if (reg == NULL)
		return -ENOMEM;
	int r = image_boot_read(reg->boot);
	if (snprintf(reg->path, PATH_MAX, "%s/%s", directory, MODE_RECORDS_FILE) >= PATH_MAX)
		r = -ENAMETOOLONG;
	if (r != 0) {
		free(reg);
		return r;
	}
	reg->last_id = MODE_FIRST_ID;
	reg->home_count = home_count;
	if (home_count > 0)
		memcpy(reg->homes, homes, home_count * sizeof(*homes));
	restore(reg, now);
	*ret_register = reg;
	*ret_said = reg->said;
	return 0;
}

void mode_register_close(struct mode_register *reg)
{
	free(reg);
}

/* ---- orders ---- */

static void expire(struct mode_register *reg, uint64_t now_ms)
{
	for (size_t i = reg->count; i-- > 0;)
		if (reg->entries[i].expires_ms <= now_ms)
			remove_at(reg, i);
}

static size_t find(const struct mode_register *reg, struct slice site)
{
	size_t i = 0;
	while (i < reg->count && !slice_equal(site_of(&reg->entries[i]), site))
		i++;
	return i;
}

static struct mode_entry entry_of(const struct mode_register *reg, const struct mode_order *order, struct ban_times now)
{
	struct mode_entry entry = {
		.id = reg->last_id + 1,
		.mode = order->mode,
		.since_wall_ms = now.wall_ms,
		.expires_ms = now.boot_ms + order->for_ms,
		.by = order->by,
		.site_len = order->site.len,
		.why_len = order->why.len < MODE_WHY_BYTES ? order->why.len : MODE_WHY_BYTES,
	};
	memcpy(entry.site, order->site.ptr, entry.site_len);
	if (entry.why_len > 0)
		memcpy(entry.why, order->why.ptr, entry.why_len);
	return entry;
}

static void put_first(struct mode_register *reg, const struct mode_entry *entry)
{
	size_t at = find(reg, site_of(entry));
	if (at < reg->count)
		remove_at(reg, at);
	memmove(&reg->entries[1], &reg->entries[0], reg->count * sizeof(reg->entries[0]));
	reg->entries[0] = *entry;
	reg->count++;
	reg->last_id = entry->id;
	reg->version++;
}

int mode_register_order(struct mode_register *reg, const struct mode_order *order, struct ban_times now,
			struct mode_entry *ret_entry)
{
	if (order->site.len == 0 || order->site.len > SIGNATURE_SITE_BYTES || order->mode >= SITE_MODES)
		return -EINVAL;
	if (order->mode == SITE_LOCAL && reg->home_count == 0)
		return MODE_ORDER_HOMELESS;
	expire(reg, now.boot_ms);
	if (find(reg, order->site) == reg->count && reg->count == SITE_MODES_MOST)
		return MODE_ORDER_FULL;
	struct mode_register *before = malloc(sizeof(*before));
	if (before == NULL)
		return -ENOMEM;
	memcpy(before, reg, sizeof(*before));
	const struct mode_entry entry = entry_of(reg, order, now);
	put_first(reg, &entry);
	int r = write_down(reg, now);
	if (r != 0)
		memcpy(reg, before, sizeof(*before));
	else
		*ret_entry = entry;
	free(before);
	return r;
}

/* ---- asking ---- */

size_t mode_register_entries(struct mode_register *reg, struct ban_times now, const struct mode_entry **ret_entries)
{
	expire(reg, now.boot_ms);
	*ret_entries = reg->entries;
	return reg->count;
}

const struct mode_entry *mode_register_find(const struct mode_register *reg, struct slice site, uint64_t now_ms)
{
	size_t at = find(reg, site);
	return at < reg->count && reg->entries[at].expires_ms > now_ms ? &reg->entries[at] : NULL;
}

/* All share one list, which is then in the image once. */
size_t mode_register_rules(struct mode_register *reg, struct ban_times now, struct site_mode_rule *rules)
{
	expire(reg, now.boot_ms);
	for (size_t i = 0; i < reg->count; i++) {
		const struct mode_entry *entry = &reg->entries[i];
		rules[i] = (struct site_mode_rule){.id = entry->id,
						   .mode = entry->mode,
						   .site = site_of(entry),
						   .expires_ms = entry->expires_ms,
						   .home = reg->homes,
						   .homes = reg->home_count};
	}
	return reg->count;
}

uint64_t mode_register_version(const struct mode_register *reg)
{
	return reg->version;
}
