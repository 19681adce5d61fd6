#include "delta.h"

static bool same_match(struct outcome_match a, struct outcome_match b)
{
	return a.rule_id == b.rule_id && a.depth == b.depth;
}

static bool occurs(const struct outcome *outcome, size_t from, struct outcome_match match)
{
	for (size_t i = from; i < outcome->match_count; i++)
		if (same_match(outcome->matches[i], match))
			return true;
	return false;
}

/* At `i` the lists differ, or one ends. */
static struct delta parting(const struct outcome *ours, const struct outcome *theirs, size_t i)
{
	bool in_ours = i < ours->match_count;
	bool in_theirs = i < theirs->match_count;
	if (in_ours && !occurs(theirs, i, ours->matches[i]))
		return (struct delta){.kind = DELTA_ONLY_OURS, .match = ours->matches[i]};
	if (in_theirs && !occurs(ours, i, theirs->matches[i]))
		return (struct delta){.kind = DELTA_ONLY_THEIRS, .match = theirs->matches[i]};
	return (struct delta){.kind = DELTA_ORDER, .match = in_ours ? ours->matches[i] : theirs->matches[i]};
}

/* A capture of ours is right if theirs took it, too, in the same link: they visit values in their hash table's order.
 */
static bool was_captured(const struct outcome *theirs, const struct outcome_tx *ours)
{
	if (ours->name.len != 1 || !byte_is_digit(ours->name.ptr[0]))
		return false;
	for (size_t i = 0; i < theirs->capture_count; i++)
		if (theirs->captures[i].group == (unsigned)(ours->name.ptr[0] - '0') &&
		    slice_equal(theirs->captures[i].value, ours->value))
			return true;
	return false;
}

static struct delta compare_tx(const struct outcome *ours, const struct outcome *theirs)
{
	for (size_t i = 0; i < ours->tx_count || i < theirs->tx_count; i++) {
		bool in_ours = i < ours->tx_count;
		bool in_theirs = i < theirs->tx_count;
		if (in_ours && in_theirs && slice_equal(ours->tx[i].name, theirs->tx[i].name)) {
			if (!slice_equal(ours->tx[i].value, theirs->tx[i].value) && !was_captured(theirs, &ours->tx[i]))
				return (struct delta){.kind = DELTA_TX,
						      .tx_name = ours->tx[i].name,
						      .ours = ours->tx[i].value,
						      .theirs = theirs->tx[i].value};
			continue;
		}
		bool first_ours = in_ours && (!in_theirs || slice_compare(ours->tx[i].name, theirs->tx[i].name) < 0);
		const struct outcome_tx *extra = first_ours ? &ours->tx[i] : &theirs->tx[i];
		return (struct delta){.kind = DELTA_TX, .tx_name = extra->name};
	}
	return (struct delta){.kind = DELTA_NONE};
}

struct delta delta_find(const struct outcome *ours, const struct outcome *theirs)
{
	for (size_t i = 0; i < ours->match_count || i < theirs->match_count; i++)
		if (i >= ours->match_count || i >= theirs->match_count ||
		    !same_match(ours->matches[i], theirs->matches[i]))
			return parting(ours, theirs, i);
	if (ours->status != theirs->status)
		return (struct delta){.kind = DELTA_STATUS};
	return compare_tx(ours, theirs);
}

/* ---- what is meant ---- */

static bool has_type(const struct sample *sample, struct slice part)
{
	for (size_t i = 0; i < sample->header_count; i++)
		if (slice_equal_nocase(sample->headers[i].name, SLICE("Content-Type")) &&
		    slice_find_nocase(sample->headers[i].value, part, 0) < sample->headers[i].value.len)
			return true;
	return false;
}

static bool is_capture(struct slice name)
{
	return name.len == 1 && byte_is_digit(name.ptr[0]);
}

static bool one_sided(const struct delta *delta)
{
	return delta->kind == DELTA_ONLY_OURS || delta->kind == DELTA_ONLY_THEIRS;
}

/* 942100, 942101: the fingerprints of SQL are our own; 941100, 941101: so are the rules of markup. */
static bool injection(const struct sample *sample, const struct delta *delta)
{
	(void)sample;
	int64_t id = delta->match.rule_id;
	return one_sided(delta) && (id == 942100 || id == 942101 || id == 941100 || id == 941101);
}

/* The rules for Java and those of byte ranges look at REQUEST_BODY, too. */
static bool looks_at_body(int64_t id)
{
	return (id >= 944000 && id < 945000) || (id >= 920270 && id <= 920275);
}

static bool document(const struct sample *sample, const struct delta *delta)
{
	if (sample->body.len == 0 || !has_type(sample, SLICE("xml")))
		return false;
	if (delta->kind == DELTA_ONLY_THEIRS)
		return looks_at_body(delta->match.rule_id);
	return delta->kind == DELTA_TX && slice_find(delta->tx_name, SLICE("anomaly_score"), 0) < delta->tx_name.len;
}

static bool part_header(const struct sample *sample, const struct delta *delta)
{
	if (!has_type(sample, SLICE("multipart/")))
		return false;
	if (delta->kind == DELTA_ONLY_THEIRS)
		return delta->match.rule_id == 922110;
	bool content_type = slice_starts_with_nocase(delta->tx_name, SLICE("multipart_headers_content_types_"));
	return delta->kind == DELTA_TX && (is_capture(delta->tx_name) || content_type) &&
	       slice_ends_with(delta->theirs, SLICE("\r\n")) &&
	       slice_ends_with(slice_sub(delta->theirs, 0, delta->theirs.len - 2), delta->ours);
}

/* CVE-2024-1019: they decode the path before they look for the end of it. */
static bool question_mark(const struct sample *sample, const struct delta *delta)
{
	struct slice path;
	slice_cut(sample->uri, '?', &path);
	return one_sided(delta) && slice_find_nocase(path, SLICE("%3f"), 0) < path.len;
}

static const struct accepted rows[] = {
	{"injection", "the tables behind @detectSQLi and @detectXSS are Guia's own", injection},
	{"document", "names of elements and attributes are hidden in REQUEST_BODY, as the rules' tests want it",
	 document},
	{"part header", "a part's Content-Type with a charset ends before its line end, as the rules' tests want it",
	 part_header},
	{"question mark", "an encoded question mark does not end the path (CVE-2024-1019)", question_mark},
};

const struct accepted *delta_accepted(const struct sample *sample, const struct delta *delta)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].applies(sample, delta))
			return &rows[i];
	return NULL;
}
