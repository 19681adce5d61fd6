/*
 * Words become orders of the registers. What a ban should not hit is looked for before, unless it is forced; a ban or a
 * mode is on the disk before it is answered.
 */
#include "watch/orders.h"

#include "codec/question.h"
#include "codec/text.h"
#include "mitigate/ban_records.h"
#include "watch/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define SECONDS_MOST (UINT64_C(366) * 24 * 3600)

/* The machine's fault. */
static void fault_of(struct buffer *out, const char *text, int error)
{
	char both[192];
	snprintf(both, sizeof(both), "%s: %s", text, strerror(-error));
	question_trouble(out, both);
}

static void add_edge(const struct orders *orders, const struct ban_record *record, struct buffer *out)
{
	const char *standing = orders->edge(orders->context, &record->prefix, record->kind);
	if (standing != NULL)
		buffer_printf(out, ",\"edge\":\"%s\"", standing);
}

static void list(const struct orders *orders, struct buffer *out)
{
	const struct ban_record *records;
	size_t count = ban_register_records(orders->bans, &records);
	buffer_printf(out, "{\"prefixes\":%zu,\"orders\":[", ban_register_count(orders->bans, orders->now));
	for (size_t i = 0; i < count; i++) {
		buffer_text(out, i > 0 ? "," : "");
		ban_record_write(&records[i], orders->now, out);
		out->len -= out->error == 0; /* its brace */
		add_edge(orders, &records[i], out);
		json_number(out, "hits", orders->hits(orders->context, records[i].id));
		buffer_byte(out, '}');
	}
	buffer_text(out, "]");
	if (ban_register_failed(orders->bans) != 0)
		buffer_printf(out, ",\"not_written\":\"%s\"", strerror(-ban_register_failed(orders->bans)));
	buffer_text(out, "}\n");
}

static const char *outcome_text(int outcome)
{
	switch (outcome) {
	case BAN_ORDER_FULL:
		return "there are too many already";
	case BAN_ORDER_TOO_WIDE:
		return "wider than /16 (of IPv6 than /32): --force if it is meant";
	default:
		return "the order cannot be carried out";
	}
}

static bool is_spared(const struct orders *orders, const struct prefix *prefix)
{
	for (size_t i = 0; i < orders->spared_count; i++)
		if (prefix_has(&orders->spared[i], &prefix->address) || prefix_has(prefix, &orders->spared[i].address))
			return true;
	return false;
}

/* The person's allowance in which all of a prefix is; NULL: there is none. */
static const struct ban_record *allowance_of(const struct orders *orders, const struct prefix *prefix)
{
	const struct ban_record *records, *found = NULL;
	size_t count = ban_register_records(orders->bans, &records);
	for (size_t i = 0; i < count && found == NULL; i++)
		if (records[i].kind == BAN_ALLOW && records[i].expires_ms > orders->now.boot_ms &&
		    records[i].prefix.bits <= prefix->bits && prefix_has(&records[i].prefix, &prefix->address))
			found = &records[i];
	return found;
}

/* What is banned only by who says that it is meant: false, and why is answered. */
static bool may_ban(const struct orders *orders, const struct prefix *prefix, struct buffer *out)
{
	char text[ADDRESS_TEXT_BYTES + 128], allowed[ADDRESS_TEXT_BYTES];
	if (is_spared(orders, prefix)) {
		question_fault(
			out, "this machine itself, from where the watch sees whether sites are up, or a trusted proxy, "
			     "behind which anybody may be: --force if it is meant");
		return false;
	}
	const struct ban_record *allowance = allowance_of(orders, prefix);
	if (allowance == NULL)
		return true;
	snprintf(text, sizeof(text), "%s is allowed, by whom and why guia ban lists: --force if it is meant",
		 prefix_format(&allowance->prefix, allowed));
	question_fault(out, text);
	return false;
}

/* The longest that a person or the watch refuses and all of the prefix is in. */
static bool ban_around(const struct orders *orders, const struct prefix *prefix, struct prefix *ret_ban)
{
	unsigned least = prefix_is_v4(prefix) ? ADDRESS_V4_BITS : 0;
	for (unsigned bits = prefix->bits; bits-- > least;) {
		struct ban_entry entry;
		*ret_ban = address_prefix(&prefix->address, bits);
		for (unsigned rank = 0; rank < BAN_RANKS; rank++)
			if (ban_register_said(orders->bans, ret_ban, rank, orders->now, &entry) &&
			    entry.kind == BAN_REFUSE)
				return true;
	}
	return false;
}

static bool has_order_within(const struct orders *orders, const struct prefix *prefix)
{
	const struct ban_record *records;
	size_t count = ban_register_records(orders->bans, &records);
	for (size_t i = 0; i < count; i++)
		if (records[i].expires_ms > orders->now.boot_ms && records[i].prefix.bits >= prefix->bits &&
		    prefix_has(prefix, &records[i].prefix.address))
			return true;
	return false;
}

/* Nobody ordered this prefix; whoever wants an address of a banned one back may not know that. */
static void say_absent(const struct orders *orders, const struct prefix *prefix, struct buffer *out)
{
	char text[ADDRESS_TEXT_BYTES + 128], around[ADDRESS_TEXT_BYTES];
	struct prefix ban;
	if (!ban_around(orders, prefix, &ban)) {
		snprintf(text, sizeof(text), "nothing was said of this prefix%s",
			 has_order_within(orders, prefix) ? "; of some within it something was: guia ban lists them"
							  : "");
		question_fault(out, text);
		return;
	}
	snprintf(text, sizeof(text),
		 "nothing was said of this prefix; it is in %s, which is banned: unban that, or allow this",
		 prefix_format(&ban, around));
	question_fault(out, text);
}

/* As the command line has it; false, and why is answered. What else came in a line would be in files and on screens. */
static bool is_text(struct slice why, struct buffer *out)
{
	for (size_t i = 0; i < why.len; i++)
		if (why.ptr[i] < ' ' || why.ptr[i] == 0x7f) {
			question_fault(out, "the reason is no line of text");
			return false;
		}
	return true;
}

static void carry_out(const struct orders *orders, const struct ban_order *order, struct buffer *out)
{
	struct ban_record record;
	if (!is_text(order->why, out))
		return;
	if (order->kind == BAN_REFUSE && !order->force && !may_ban(orders, &order->prefix, out))
		return;
	int r = ban_register_order(orders->bans, order, orders->now, &record);
	if (r == BAN_ORDER_ABSENT) {
		say_absent(orders, &order->prefix, out);
		return;
	}
	if (r != 0) {
		question_fault(out, outcome_text(r));
		return;
	}
	if (order->kind == BAN_LIFTED && orders->defence != NULL)
		defence_pardon(orders->defence, &order->prefix);
	/* Whoever is answered may be sure of it, also should the machine stop now. */
	r = ban_register_write(orders->bans, orders->now);
	if (r != 0) {
		fault_of(out, "not yet: it cannot be written down, which is tried on", r);
		return;
	}
	ban_record_write(&record, orders->now, out);
	out->len -= out->error == 0;
	add_edge(orders, &record, out);
	buffer_text(out, "}\n");
}

static bool kind_of(struct slice verb, enum ban_kind *ret_kind)
{
	static const struct {
		const char *name;
		enum ban_kind kind;
	} verbs[] = {{"ban", BAN_REFUSE}, {"allow", BAN_ALLOW}, {"unban", BAN_LIFTED}};
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (slice_equal(verb, slice_from_string(verbs[i].name))) {
			*ret_kind = verbs[i].kind;
			return true;
		}
	return false;
}

/* ---- modes ---- */

/* Where what is at home comes from place data, which countries, and of what day. */
static void add_mode(const struct orders *orders, const struct mode_entry *entry, struct buffer *out)
{
	const struct homes *homes = orders->homes;
	time_t made = (time_t)homes->made_s;
	struct tm utc;
	mode_entry_write(entry, orders->now, out);
	if (entry->mode != SITE_LOCAL || made == 0 || out->error != 0)
		return;
	out->len--; /* its brace */
	gmtime_r(&made, &utc);
	buffer_text(out, ",\"home_countries\":[");
	for (size_t i = 0; i < homes->options->country_count; i++)
		buffer_printf(out, "%s\"%.2s\"", i > 0 ? "," : "", homes->options->countries[i]);
	buffer_printf(out, "],\"home_countries_as_of\":\"%04d-%02d-%02d\"}", utc.tm_year + 1900, utc.tm_mon + 1,
		      utc.tm_mday);
}

static void list_modes(const struct orders *orders, struct buffer *out)
{
	const struct mode_entry *entries;
	size_t count = mode_register_entries(orders->modes, orders->now, &entries);
	buffer_text(out, "{\"modes\":[");
	for (size_t i = 0; i < count; i++) {
		buffer_text(out, i > 0 ? "," : "");
		add_mode(orders, &entries[i], out);
		out->len -= out->error == 0; /* its brace */
		json_number(out, "hits", orders->hits(orders->context, entries[i].id));
		buffer_byte(out, '}');
	}
	buffer_text(out, "]}\n");
}

static const char *mode_outcome_text(int outcome)
{
	switch (outcome) {
	case MODE_ORDER_FULL:
		return "there are too many already";
	case MODE_ORDER_HOMELESS:
		return "no home networks are configured: home_networks, home_countries or home_lists of guia.yaml, or "
		       "--home of guia watch";
	default:
		return "it cannot be written down";
	}
}

static bool mode_of(struct slice name, enum site_mode *ret_mode)
{
	for (enum site_mode mode = SITE_OPEN; mode < SITE_MODES; mode++)
		if (slice_equal(name, slice_from_string(site_mode_name(mode)))) {
			*ret_mode = mode;
			return true;
		}
	return false;
}

static void order_mode(const struct orders *orders, struct slice words, struct buffer *out)
{
	struct mode_entry entry;
	uint64_t seconds;
	struct mode_order order = {.site = question_word(&words), .by = orders->by};
	if (!mode_of(question_word(&words), &order.mode) ||
	    !slice_number(question_word(&words), SECONDS_MOST, &seconds) || seconds == 0) {
		question_fault(out, "not an order");
		return;
	}
	order.for_ms = seconds * 1000;
	order.why = words;
	if (!is_text(order.why, out))
		return;
	if (order.site.len == 0 || !orders->serves(orders->context, order.site)) {
		question_fault(out, "the gate tells of no such site: guia status lists those it serves");
		return;
	}
	int r = mode_register_order(orders->modes, &order, orders->now, &entry);
	if (r < 0)
		fault_of(out, "it cannot be written down", r);
	else if (r != 0)
		question_fault(out, mode_outcome_text(r));
	if (r != 0)
		return;
	add_mode(orders, &entry, out);
	buffer_byte(out, '\n');
}

static bool answer_mode(const struct orders *orders, struct slice verb, struct slice words, struct buffer *out)
{
	bool wants_list = slice_equal(verb, SLICE("modes"));
	if (!wants_list && !slice_equal(verb, SLICE("mode")))
		return false;
	if (orders->modes == NULL)
		question_fault(out, "this watch was started without --bans");
	else if (wants_list)
		list_modes(orders, out);
	else
		order_mode(orders, words, out);
	return true;
}

/* ---- what Guia itself put in force ---- */

static void lift(const struct orders *orders, struct slice words, struct buffer *out)
{
	uint64_t id;
	if (!slice_number(question_word(&words), UINT32_MAX, &id))
		question_fault(out, "not an order");
	else if (orders->defence == NULL || !defence_lift(orders->defence, (uint32_t)id))
		question_fault(out, "no measure of this number is in force that could be lifted");
	else
		buffer_printf(out, "{\"id\":%" PRIu64 ",\"kind\":\"lifted\"}\n", id);
}

bool orders_answer(const struct orders *orders, struct slice question, struct buffer *out)
{
	uint64_t seconds = 0;
	struct ban_order order = {.by = orders->by};
	struct slice verb = question_word(&question);
	if (answer_mode(orders, verb, question, out))
		return true;
	if (slice_equal(verb, SLICE("lift"))) {
		lift(orders, question, out);
		return true;
	}
	bool wants_list = slice_equal(verb, SLICE("bans"));
	if (!wants_list && !kind_of(verb, &order.kind))
		return false;
	if (orders->bans == NULL) {
		question_fault(out, "this watch was started without --bans");
		return true;
	}
	if (wants_list) {
		list(orders, out);
		return true;
	}
	bool good = prefix_parse(question_word(&question), &order.prefix);
	if (good && order.kind != BAN_LIFTED) {
		good = slice_number(question_word(&question), SECONDS_MOST, &seconds);
		order.force = slice_equal(question_word(&question), SLICE("force"));
		order.for_ms = seconds * 1000;
		order.why = question;
	}
	if (good)
		carry_out(orders, &order, out);
	else
		question_fault(out, "not an order");
	return true;
}
