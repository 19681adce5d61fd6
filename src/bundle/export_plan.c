/*
 * A plan is made of the casebook and kept as JSON of a numbered form; one of another form is not gone on with. Its
 * numbers are signed, and -1 stands for what is beyond them. Which records belong to it is decided at the end of this
 * file.
 */
#include "bundle/export_plan.h"

#include "base/error.h"
#include "codec/text.h"

#include <jansson.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

enum { FORM = 2 };

int export_plan_name(struct export_plan *plan)
{
	uint8_t bytes[(PLAN_ID_BYTES - 1) / 2];
	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return -ENOMEM;
	plan->id[hex_encode(slice_make(bytes, sizeof(bytes)), (uint8_t *)plan->id)] = '\0';
	return 0;
}

/* ---- making ---- */

void export_plan_span(const struct case_record *record, uint64_t ongoing_ms, uint64_t *ret_from_ms, uint64_t *ret_to_ms)
{
	uint64_t onset =
		record->onset_ms != 0 && record->onset_ms < record->opened_ms ? record->onset_ms : record->opened_ms;
	*ret_from_ms = onset > PLAN_AROUND_MS ? onset - PLAN_AROUND_MS : 0;
	*ret_to_ms = record->over_ms != 0 ? record->over_ms + PLAN_AROUND_MS : ongoing_ms;
}

static void scope(const struct case_record *record, struct export_plan *plan)
{
	export_plan_span(record, plan->at_ms, &plan->from_ms, &plan->to_ms);
	for (size_t i = 0; i < record->site_count; i++)
		snprintf(plan->sites[plan->site_count++], CASE_NAME_BYTES, "%s", record->sites[i].name);
}

static bool add_source(void *context, const struct case_tally *tally)
{
	export_plan_add_source(context, tally->key);
	return true;
}

int export_plan_make(struct case_store *store, const struct case_record *record, uint64_t now_ms,
		     struct export_plan *ret_plan)
{
	int r = 0;
	*ret_plan = (struct export_plan){
		.incident = record->id, .kind = record->kind, .at_ms = now_ms, .clock = clock_state_read()};
	scope(record, ret_plan);
	if (record->kind != CASE_FLOOD)
		r = case_store_tallies(store, record->id, CASE_SOURCES, CASE_TALLIES_KEPT, add_source, ret_plan);
	export_plan_sort_sources(ret_plan);
	return r > 0 ? -EIO : r;
}

/* ---- writing ---- */

static json_t *number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? -1 : (json_int_t)value);
}

static json_t *epochs_of(const struct export_plan *plan)
{
	json_t *list = json_array();
	for (size_t i = 0; i < plan->epoch_count; i++) {
		const struct export_epoch *epoch = &plan->epochs[i];
		json_t *row = json_object();
		json_object_set_new(row, "epoch", number(epoch->number));
		json_object_set_new(row, "note", json_stringn((const char *)epoch->note.ptr, epoch->note.len));
		json_object_set_new(row, "begun", number(epoch->begun));
		json_array_append_new(list, row);
	}
	return list;
}

void export_plan_write(const struct export_plan *plan, struct buffer *out)
{
	json_t *root = json_object(), *sites = json_array(), *sources = json_array();
	char address[ADDRESS_TEXT_BYTES];
	for (size_t i = 0; i < plan->site_count; i++)
		json_array_append_new(sites, json_string(plan->sites[i]));
	for (size_t i = 0; i < plan->source_count; i++)
		json_array_append_new(sources, json_string(address_format(&plan->sources[i], address)));
	json_object_set_new(root, "form", number(FORM));
	json_object_set_new(root, "id", json_string(plan->id));
	json_object_set_new(root, "incident", number(plan->incident));
	json_object_set_new(root, "from", number(plan->from_ms));
	json_object_set_new(root, "to", number(plan->to_ms));
	json_object_set_new(root, "at", number(plan->at_ms));
	json_object_set_new(root, "synchronised", json_boolean(plan->clock.synchronised));
	json_object_set_new(root, "error_us", number(plan->clock.error_us));
	json_object_set_new(root, "user", number(plan->user));
	json_object_set_new(root, "why", json_string(plan->why));
	json_object_set_new(root, "languages", json_string(plan->languages));
	json_object_set_new(root, "messages", number(plan->messages));
	json_object_set_new(root, "kind", number(plan->kind));
	json_object_set_new(root, "sites", sites);
	json_object_set_new(root, "sources", sources);
	json_object_set_new(root, "epochs", epochs_of(plan));
	char *text = json_dumps(root, JSON_INDENT(1));
	if (text == NULL)
		out->error = -ENOMEM;
	else
		buffer_text(out, text);
	buffer_byte(out, '\n');
	free(text);
	json_decref(root);
}

/* ---- reading ---- */

static bool take_number(const json_t *object, const char *key, uint64_t *ret_number)
{
	const json_t *value = json_object_get(object, key);
	*ret_number = json_integer_value(value) < 0 ? UINT64_MAX : (uint64_t)json_integer_value(value);
	return json_is_integer(value);
}

static bool take_text(const json_t *object, const char *key, char *out, size_t room)
{
	const char *value = json_string_value(json_object_get(object, key));
	return value != NULL && snprintf(out, room, "%s", value) < (int)room;
}

static bool take_epochs(const json_t *list, struct export_plan *plan)
{
	size_t i;
	json_t *row;
	if (!json_is_array(list) || json_array_size(list) > PLAN_EPOCHS_MOST)
		return false;
	json_array_foreach(list, i, row)
	{
		struct export_epoch *epoch = &plan->epochs[plan->epoch_count];
		uint64_t value;
		*epoch = (struct export_epoch){.note = buffer_make(NULL)};
		if (!take_number(row, "epoch", &value) || value > UINT32_MAX ||
		    !take_number(row, "begun", &epoch->begun) || !json_is_string(json_object_get(row, "note")))
			return false;
		epoch->number = (unsigned)value;
		plan->epoch_count++;
		buffer_text(&epoch->note, json_string_value(json_object_get(row, "note")));
		if (epoch->note.error != 0)
			return false;
	}
	return true;
}

static bool take_sites(const json_t *list, struct export_plan *plan)
{
	size_t i;
	json_t *site;
	if (!json_is_array(list) || json_array_size(list) > CASE_SITES)
		return false;
	json_array_foreach(list, i, site)
	{
		if (!json_is_string(site))
			return false;
		snprintf(plan->sites[plan->site_count++], CASE_NAME_BYTES, "%s", json_string_value(site));
	}
	return true;
}

static bool take_sources(const json_t *list, struct export_plan *plan)
{
	size_t i;
	json_t *source;
	json_array_foreach(list, i, source) export_plan_add_source(plan, json_string_value(source));
	export_plan_sort_sources(plan);
	return json_is_array(list) && plan->source_count == json_array_size(list);
}

static bool take_all(const json_t *root, struct export_plan *plan)
{
	uint64_t form, messages, kind;
	plan->clock.synchronised = json_is_true(json_object_get(root, "synchronised"));
	bool good = take_number(root, "form", &form) && form == FORM &&
		    take_text(root, "id", plan->id, sizeof(plan->id)) &&
		    take_number(root, "incident", &plan->incident) && take_number(root, "from", &plan->from_ms) &&
		    take_number(root, "to", &plan->to_ms) && take_number(root, "at", &plan->at_ms) &&
		    take_number(root, "error_us", &plan->clock.error_us) && take_number(root, "user", &plan->user) &&
		    take_text(root, "why", plan->why, sizeof(plan->why)) &&
		    take_text(root, "languages", plan->languages, sizeof(plan->languages)) &&
		    take_number(root, "messages", &messages) && messages <= PLAN_CLEAR &&
		    take_number(root, "kind", &kind) && kind < CASE_KINDS &&
		    take_sites(json_object_get(root, "sites"), plan) &&
		    take_sources(json_object_get(root, "sources"), plan) &&
		    take_epochs(json_object_get(root, "epochs"), plan);
	plan->kind = good ? (enum case_kind)kind : CASE_FLOOD;
	plan->messages = good ? (enum plan_messages)messages : PLAN_NONE;
	return good;
}

bool export_plan_read(struct slice text, struct export_plan *ret_plan)
{
	json_t *root = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
	*ret_plan = (struct export_plan){.incident = 0};
	bool good = root != NULL && take_all(root, ret_plan);
	json_decref(root);
	return good;
}

void export_plan_free(struct export_plan *plan)
{
	for (size_t i = 0; i < plan->epoch_count; i++)
		buffer_free(&plan->epochs[i].note);
	plan->epoch_count = 0;
}

bool export_plan_same(const struct export_plan *begun, const struct export_plan *asked)
{
	return begun->incident == asked->incident && begun->messages == asked->messages && begun->user == asked->user &&
	       strcmp(begun->why, asked->why) == 0 && strcmp(begun->languages, asked->languages) == 0;
}

/* ---- what belongs to it ---- */

void export_plan_add_source(struct export_plan *plan, const char *address)
{
	struct prefix prefix;
	if (address != NULL && plan->source_count < CASE_TALLIES_KEPT &&
	    prefix_parse(slice_from_string(address), &prefix) && prefix.bits == ADDRESS_BITS)
		plan->sources[plan->source_count++] = prefix.address;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct address));
}

void export_plan_sort_sources(struct export_plan *plan)
{
	qsort(plan->sources, plan->source_count, sizeof(plan->sources[0]), compare);
}

static bool has_source(const struct export_plan *plan, const struct leaf_value *source)
{
	struct prefix prefix;
	return source != NULL && prefix_parse(source->bytes, &prefix) &&
	       bsearch(&prefix.address, plan->sources, plan->source_count, sizeof(plan->sources[0]), compare) != NULL;
}

static bool has_site(const struct export_plan *plan, struct slice site)
{
	for (size_t i = 0; i < plan->site_count; i++)
		if (slice_equal(site, slice_from_string(plan->sites[i])))
			return true;
	return false;
}

/* "(no site)" is none. */
static bool is_at_its_sites(const struct export_plan *plan, const struct leaf_value *site)
{
	return site == NULL || site->bytes.len == 0 || site->bytes.ptr[0] == '(' || has_site(plan, site->bytes);
}

static bool is_of_a_site(enum leaf_kind kind)
{
	return kind == LEAF_BLOCK || kind == LEAF_REFUSALS || kind == LEAF_DECISION || kind == LEAF_MITIGATION;
}

enum plan_choice export_plan_choose(const struct export_plan *plan, const struct leaf *leaf)
{
	const struct leaf_value *incident = leaf_get(leaf, "incident");
	if (incident != NULL && incident->number == plan->incident)
		return PLAN_TAKES;
	if (!is_at_its_sites(plan, leaf_get(leaf, "site")))
		return PLAN_OTHER_SITE;
	if (incident != NULL && !is_of_a_site(leaf->kind))
		return PLAN_OTHER_INCIDENT;
	if (plan->kind == CASE_FLOOD || leaf->kind == LEAF_REFUSALS)
		return PLAN_TAKES;
	bool ours = leaf->kind == LEAF_BLOCK ? has_source(plan, leaf_get(leaf, "source")) : incident == NULL;
	return ours ? PLAN_TAKES : PLAN_OTHER_INCIDENT;
}
