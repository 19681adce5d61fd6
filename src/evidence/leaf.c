/*
 * Writing and reading both go through the fields of a kind in the table's order. So a record has one form, and is read
 * without a parser of JSON; what stands in another order is malformed.
 */
#include "evidence/leaf.h"

#include "base/reader.h"
#include "codec/text.h"

#include <inttypes.h>
#include <sys/timex.h>

#define FIELDS(name) static const struct leaf_field name[]

FIELDS(epoch) = {{"log", LEAF_TEXT, false},          {"format", LEAF_NUMBER, false},
		 {"public_key", LEAF_TEXT, false},   {"reason", LEAF_TEXT, false},
		 {"previous", LEAF_TEXT, true},      {"previous_size", LEAF_NUMBER, true},
		 {"previous_root", LEAF_HEX32, true}};
FIELDS(start) = {{"version", LEAF_TEXT, false}, {"after", LEAF_TEXT, false}};
FIELDS(close_) = {{"why", LEAF_TEXT, false}};
/* `records` is missing where nobody can know how many; `since` to `until` is when they would have been written. */
FIELDS(gap) = {{"cause", LEAF_TEXT, false},   {"of", LEAF_TEXT, true},       {"records", LEAF_NUMBER, true},
	       {"since", LEAF_NUMBER, false}, {"until", LEAF_NUMBER, false}, {"cut_bytes", LEAF_NUMBER, true}};
FIELDS(clock_step) = {{"from", LEAF_NUMBER, false}, {"to", LEAF_NUMBER, false}};
/* Both signatures are of the text that key_rotation_text() makes. */
FIELDS(key_rotation) = {{"size", LEAF_NUMBER, false},        {"root", LEAF_HEX32, false},
			{"old_key", LEAF_TEXT, false},       {"new_key", LEAF_TEXT, false},
			{"old_signature", LEAF_TEXT, false}, {"new_signature", LEAF_TEXT, false}};
/* `incident` here and below is the number that `guia incidents` shows, where one was on; `episode` is the site's own.
 */
FIELDS(decision) = {{"site", LEAF_TEXT, false},
		    {"incident", LEAF_NUMBER, true},
		    {"what", LEAF_TEXT, false},
		    {"why", LEAF_TEXT, true},
		    {"episode", LEAF_NUMBER, true}};
/* `id` is what the gate counts by and events name; `until` is missing where it lasts until it is withdrawn. */
FIELDS(mitigation) = {{"what", LEAF_TEXT, false}, {"target", LEAF_TEXT, false},    {"change", LEAF_TEXT, false},
		      {"id", LEAF_NUMBER, true},  {"incident", LEAF_NUMBER, true}, {"until", LEAF_NUMBER, true},
		      {"by", LEAF_TEXT, true},    {"why", LEAF_TEXT, true},        {"episode", LEAF_NUMBER, true}};
FIELDS(order) = {{"user", LEAF_NUMBER, false}, {"order", LEAF_TEXT, false}, {"answer", LEAF_TEXT, true}};
/* `number` is the request's, as the gate's worker counts; a request that is told of twice has one. `answer`
 * commits to the origin's answer that was blocked as `body` does to what came. `body` commits to
 * the message as it came: SHA-256 of a salt that is kept with it, and of it. */
FIELDS(block) = {{"site", LEAF_TEXT, false},    {"source", LEAF_TEXT, false},  {"port", LEAF_NUMBER, false},
		 {"at", LEAF_NUMBER, false},    {"verdict", LEAF_TEXT, false}, {"request", LEAF_TEXT, true},
		 {"method", LEAF_TEXT, true},   {"uri", LEAF_TEXT, true},      {"agent", LEAF_TEXT, true},
		 {"status", LEAF_NUMBER, true}, {"rules", LEAF_TEXT, true},    {"score", LEAF_NUMBER, true},
		 {"body", LEAF_HEX32, true},    {"one_of", LEAF_NUMBER, true}, {"incident", LEAF_NUMBER, true},
		 {"worker", LEAF_NUMBER, true}, {"number", LEAF_NUMBER, true}, {"answer", LEAF_HEX32, true}};
FIELDS(refusals) = {{"site", LEAF_TEXT, false},
		    {"rule", LEAF_TEXT, false},
		    {"second", LEAF_NUMBER, false},
		    {"total", LEAF_NUMBER, false},
		    {"incident", LEAF_NUMBER, true}};
FIELDS(ring_loss) = {{"ring", LEAF_TEXT, false}, {"lost", LEAF_NUMBER, false}};
FIELDS(digest) = {{"of", LEAF_TEXT, false}, {"name", LEAF_TEXT, true}, {"sha256", LEAF_HEX32, false}};
FIELDS(deletion) = {
	{"of", LEAF_TEXT, false}, {"from", LEAF_NUMBER, false}, {"to", LEAF_NUMBER, false}, {"why", LEAF_TEXT, false}};
/* Of an incident, and all that was kept from one time to the other: what is held is not deleted. */
FIELDS(hold) = {{"incident", LEAF_NUMBER, false}, {"change", LEAF_TEXT, false}, {"from", LEAF_NUMBER, true},
		{"to", LEAF_NUMBER, true},        {"user", LEAF_NUMBER, true},  {"why", LEAF_TEXT, true}};
/* What a bag's tag manifest is, at its end; `id` joins beginning and end. */
FIELDS(export_) = {{"id", LEAF_TEXT, false},     {"step", LEAF_TEXT, false},  {"incident", LEAF_NUMBER, false},
		   {"user", LEAF_NUMBER, true},  {"why", LEAF_TEXT, true},    {"sha256", LEAF_HEX32, true},
		   {"files", LEAF_NUMBER, true}, {"bytes", LEAF_NUMBER, true}};
FIELDS(incident) = {{"incident", LEAF_NUMBER, false}, {"change", LEAF_TEXT, false},  {"why", LEAF_TEXT, true},
		    {"sites", LEAF_TEXT, false},      {"onset", LEAF_NUMBER, false}, {"requests", LEAF_NUMBER, true},
		    {"refused", LEAF_NUMBER, true},   {"asked", LEAF_NUMBER, true},  {"answered", LEAF_NUMBER, true},
		    {"of", LEAF_TEXT, true}};
/* Of a second that the edge sampled; `body` commits to a pcapng file. */
FIELDS(packets) = {{"packets", LEAF_NUMBER, false}, {"body", LEAF_HEX32, false}};
/* What became of a rule at an operator, which its keeper numbers; `user` asked for it. */
FIELDS(upstream) = {{"operator", LEAF_TEXT, false}, {"change", LEAF_TEXT, false},   {"at", LEAF_NUMBER, false},
		    {"number", LEAF_NUMBER, false}, {"rule", LEAF_NUMBER, true},    {"route", LEAF_TEXT, true},
		    {"user", LEAF_NUMBER, true},    {"why", LEAF_TEXT, true},       {"until", LEAF_NUMBER, true},
		    {"answer", LEAF_TEXT, true},    {"incident", LEAF_NUMBER, true}};

#define ROW(name, version, fields)                                                                                     \
	{                                                                                                              \
		name, version, fields, sizeof(fields) / sizeof(fields[0])                                              \
	}
static const struct leaf_row rows[LEAF_KINDS] = {
	[LEAF_EPOCH] = ROW("epoch", 1, epoch),
	[LEAF_START] = ROW("start", 1, start),
	[LEAF_CLOSE] = ROW("close", 1, close_),
	[LEAF_GAP] = ROW("gap", 1, gap),
	[LEAF_CLOCK_STEP] = ROW("clock-step", 1, clock_step),
	[LEAF_KEY_ROTATION] = ROW("key-rotation", 1, key_rotation),
	[LEAF_DECISION] = ROW("decision", 2, decision),
	[LEAF_MITIGATION] = ROW("mitigation", 2, mitigation),
	[LEAF_ORDER] = ROW("order", 1, order),
	[LEAF_BLOCK] = ROW("block", 2, block),
	[LEAF_REFUSALS] = ROW("refusals", 2, refusals),
	[LEAF_RING_LOSS] = ROW("ring-loss", 1, ring_loss),
	[LEAF_DIGEST] = ROW("digest", 1, digest),
	[LEAF_DELETION] = ROW("deletion", 1, deletion),
	[LEAF_HOLD] = ROW("hold", 1, hold),
	[LEAF_EXPORT] = ROW("export", 1, export_),
	[LEAF_PACKETS] = ROW("packets", 1, packets),
	[LEAF_UPSTREAM] = ROW("upstream", 1, upstream),
	[LEAF_INCIDENT] = ROW("incident", 2, incident),
};

const struct leaf_row *leaf_row(enum leaf_kind kind)
{
	return &rows[kind];
}

struct clock_state clock_state_read(void)
{
	struct timex timex = {.modes = 0};
	int state = adjtimex(&timex);
	return (struct clock_state){.synchronised =
					    state >= 0 && state != TIME_ERROR && (timex.status & STA_UNSYNC) == 0,
				    .error_us = timex.esterror > 0 ? (uint64_t)timex.esterror : 0};
}

/* ---- writing ---- */

static void add_text(struct slice text, struct buffer *out)
{
	size_t keep = text.len;
	if (keep > LEAF_TEXT_MOST)
		for (keep = LEAF_TEXT_MOST; keep > LEAF_TEXT_MOST - 4 && (text.ptr[keep] & 0xc0) == 0x80;)
			keep--;
	buffer_byte(out, '"');
	text_add_json_bytes(out, slice_sub(text, 0, keep));
	if (keep < text.len)
		buffer_printf(out, "... and %zu bytes", text.len - keep);
	buffer_byte(out, '"');
}

static void add_value(const struct leaf_field *field, const struct leaf_value *value, struct buffer *out)
{
	uint8_t hex[64];
	if (field->form == LEAF_NUMBER ? !value->given : value->bytes.ptr == NULL)
		return;
	buffer_text(out, ",\"");
	buffer_text(out, field->name);
	buffer_text(out, "\":");
	if (field->form == LEAF_NUMBER) {
		buffer_number(out, value->number > INT64_MAX ? INT64_MAX : (int64_t)value->number);
	} else if (field->form == LEAF_TEXT) {
		add_text(value->bytes, out);
	} else {
		buffer_byte(out, '"');
		buffer_add(out, slice_make(hex, hex_encode(slice_sub(value->bytes, 0, sizeof(hex) / 2), hex)));
		buffer_byte(out, '"');
	}
}

void leaf_write_fields(enum leaf_kind kind, const struct leaf_value *values, struct buffer *out)
{
	for (size_t i = 0; i < rows[kind].field_count; i++)
		add_value(&rows[kind].fields[i], &values[i], out);
}

void leaf_write(enum leaf_kind kind, uint64_t time_ms, const struct clock_state *clock, struct slice fields,
		struct buffer *out)
{
	buffer_text(out, "{\"v\":");
	buffer_number(out, rows[kind].version);
	buffer_text(out, ",\"kind\":\"");
	buffer_text(out, rows[kind].name);
	buffer_text(out, "\",\"t\":");
	buffer_number(out, (int64_t)time_ms);
	buffer_text(out, clock->synchronised ? ",\"clock\":\"synchronised\",\"error_us\":"
					     : ",\"clock\":\"unsynchronised\",\"error_us\":");
	buffer_number(out, (int64_t)clock->error_us);
	buffer_add(out, fields);
	buffer_byte(out, '}');
}

/* ---- reading ---- */

static bool read_number(struct reader *r, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t from = r->at;
	while (reader_peek(r, 0) >= '0' && reader_peek(r, 0) <= '9')
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(reader_byte(r) - '0'), &number))
			return false;
	*ret_number = number;
	return r->at > from && (r->at == from + 1 || r->bytes.ptr[from] != '0');
}

/* Up to the closing quote, which is taken. */
static bool read_text(struct reader *r, struct slice *ret_text)
{
	size_t from = r->at;
	if (!reader_accept(r, SLICE("\"")))
		return false;
	for (int byte = reader_peek(r, 0); byte != '"'; byte = reader_peek(r, 0)) {
		if (byte < ' ')
			return false;
		reader_skip(r, byte == '\\' ? 2 : 1);
	}
	reader_skip(r, 1);
	*ret_text = slice_sub(r->bytes, from + 1, r->at - 1);
	return !r->overrun;
}

static bool is_digest(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!byte_is_digit(text.ptr[i]) && (text.ptr[i] < 'a' || text.ptr[i] > 'f'))
			return false;
	return text.len == 64;
}

static bool accept_key(struct reader *r, const char *name)
{
	struct reader at = *r;
	if (!reader_accept(&at, SLICE(",\"")) || !reader_accept(&at, slice_from_string(name)) ||
	    !reader_accept(&at, SLICE("\":")))
		return false;
	*r = at;
	return true;
}

static bool read_fields(struct reader *r, struct leaf *leaf)
{
	const struct leaf_row *row = &rows[leaf->kind];
	for (size_t i = 0; i < row->field_count; i++) {
		struct leaf_value *value = &leaf->values[i];
		if (!accept_key(r, row->fields[i].name)) {
			if (!row->fields[i].optional)
				return false;
			continue;
		}
		value->given = true;
		if (row->fields[i].form == LEAF_NUMBER ? !read_number(r, &value->number) : !read_text(r, &value->bytes))
			return false;
		if (row->fields[i].form == LEAF_HEX32 && !is_digest(value->bytes))
			return false;
	}
	return reader_accept(r, SLICE("}")) && reader_at_end(r);
}

static enum leaf_kind kind_named(struct slice name)
{
	enum leaf_kind kind = 0;
	while (kind < LEAF_KINDS && !slice_equal(name, slice_from_string(rows[kind].name)))
		kind++;
	return kind;
}

int leaf_read(struct slice record, struct leaf *ret_leaf)
{
	struct reader r = reader_make(record);
	struct leaf leaf = {.kind = LEAF_KINDS};
	struct slice name, clock;
	uint64_t version;
	if (!reader_accept(&r, SLICE("{\"v\":")) || !read_number(&r, &version) || !accept_key(&r, "kind") ||
	    !read_text(&r, &name) || !accept_key(&r, "t") || !read_number(&r, &leaf.time_ms) ||
	    !accept_key(&r, "clock") || !read_text(&r, &clock) || !accept_key(&r, "error_us") ||
	    !read_number(&r, &leaf.clock.error_us))
		return LEAF_MALFORMED;
	leaf.clock.synchronised = slice_equal(clock, SLICE("synchronised"));
	enum leaf_kind kind = kind_named(name);
	bool known = kind < LEAF_KINDS && version >= 1 && version <= rows[kind].version;
	if (known) {
		leaf.kind = kind;
		if (!read_fields(&r, &leaf))
			return LEAF_MALFORMED;
	}
	*ret_leaf = leaf;
	return known ? 0 : LEAF_NEWER;
}

const struct leaf_value *leaf_get(const struct leaf *leaf, const char *name)
{
	for (size_t i = 0; leaf->kind < LEAF_KINDS && i < rows[leaf->kind].field_count; i++)
		if (strcmp(rows[leaf->kind].fields[i].name, name) == 0)
			return leaf->values[i].given ? &leaf->values[i] : NULL;
	return NULL;
}
