/* Our outcome against libmodsecurity's: matches in order, status, TX; then the differences that are meant. */
#include "delta.h"

#include "substitute.h"

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

static bool is_score(struct slice name)
{
	return slice_find(name, SLICE("score"), 0) < name.len;
}

static bool one_sided(const struct delta *delta)
{
	return delta->kind == DELTA_ONLY_OURS || delta->kind == DELTA_ONLY_THEIRS;
}

static bool any_request(const struct sample *sample)
{
	(void)sample;
	return true;
}

/* A rule that matched in both may have matched more values in one. */
static bool begins_with(const struct delta *delta, int64_t first, int64_t last)
{
	if (delta->kind == DELTA_TX)
		return is_score(delta->tx_name) || is_capture(delta->tx_name);
	return one_sided(delta) && delta->match.rule_id >= first && delta->match.rule_id <= last;
}

static bool begins_sqli(const struct delta *delta)
{
	return begins_with(delta, 942100, 942101);
}

static bool begins_xss(const struct delta *delta)
{
	return begins_with(delta, 941100, 941101);
}

static bool is_document(const struct sample *sample)
{
	return sample->body.len > 0 && has_type(sample, SLICE("xml"));
}

static bool begins_document(const struct delta *delta)
{
	return delta->kind != DELTA_ONLY_OURS && begins_with(delta, 944000, 944999);
}

/* Only there can an entity be declared, or be said to be declared elsewhere. */
static bool has_document_type(const struct sample *sample)
{
	return is_document(sample) && slice_find(sample->body, SLICE("<!DOCTYPE"), 0) < sample->body.len;
}

/* Any rule may look at a path, at a value, or at what became of a document. */
static bool begins_anywhere(const struct delta *delta)
{
	return delta->kind != DELTA_ORDER;
}

static bool has_part_with_charset(const struct sample *sample)
{
	return has_type(sample, SLICE("multipart/")) &&
	       slice_find_nocase(sample->body, SLICE("charset"), 0) < sample->body.len;
}

static bool begins_part_header(const struct delta *delta)
{
	if (delta->kind == DELTA_TX && slice_starts_with(delta->tx_name, SLICE("multipart_headers_content_types_")))
		return true;
	return delta->kind != DELTA_ONLY_OURS && begins_with(delta, 922110, 922110);
}

static bool is_multipart(const struct sample *sample)
{
	return has_type(sample, SLICE("multipart/"));
}

static bool is_json_with_empty(const struct sample *sample)
{
	return has_type(sample, SLICE("json")) && (slice_find_byte(sample->body, '{', 0) < sample->body.len ||
						   slice_find_byte(sample->body, '[', 0) < sample->body.len);
}

/* NULs come from escapes of any kind, in any place. */
static bool begins_css(const struct delta *delta)
{
	return delta->kind != DELTA_ONLY_THEIRS && begins_with(delta, 941000, 941999);
}

/* What the scan finds beyond the limits of theirs, or what is told of ours. */
static bool begins_limits(const struct delta *delta)
{
	if (delta->kind == DELTA_TX)
		return slice_starts_with(delta->tx_name, SLICE("msc_pcre_"));
	return delta->kind == DELTA_ONLY_OURS;
}

static bool begins_quote(const struct delta *delta)
{
	return delta->kind == DELTA_ONLY_OURS && begins_with(delta, 955350, 955350);
}

/* What their automaton passes over. */
static bool begins_phrases(const struct delta *delta)
{
	return delta->kind == DELTA_ONLY_OURS || (delta->kind == DELTA_TX && begins_with(delta, 0, 0));
}

static bool has_encoded_question_mark(const struct sample *sample)
{
	struct slice path;
	slice_cut(sample->uri, '?', &path);
	return slice_find_nocase(path, SLICE("%3f"), 0) < path.len;
}

const struct accepted accepted[] = {
	{"sqli", "the table behind @detectSQLi is Guia's own", SUBSTITUTE_SQLI, any_request, begins_sqli},
	{"xss", "the reading of HTML behind @detectXSS is Guia's own", SUBSTITUTE_XSS, any_request, begins_xss},
	{"document", "names of elements and attributes are hidden in REQUEST_BODY, as the rules' tests want it",
	 SUBSTITUTE_DOCUMENT, is_document, begins_document},
	{"entities", "XML that declares an entity, or asks for an unknown one, is not well-formed", SUBSTITUTE_ENTITIES,
	 has_document_type, begins_anywhere},
	{"part header", "a part's Content-Type with a charset ends before its line end, as the rules' tests want it",
	 SUBSTITUTE_PART_HEADER, has_part_with_charset, begins_part_header},
	{"empty containers", "{} and [] in JSON are arguments without a value", SUBSTITUTE_EMPTY, is_json_with_empty,
	 begins_anywhere},
	{"ambiguous part", "a part with a header twice, or filename* beside filename, is invalid", SUBSTITUTE_AMBIGUOUS,
	 is_multipart, begins_anywhere},
	{"lines", "the value of a part keeps the line breaks inside it", SUBSTITUTE_LINES, is_multipart,
	 begins_anywhere},
	{"css", "t:cssDecode goes on behind a NUL", SUBSTITUTE_CSS, any_request, begins_css},
	{"phrases", "@pm finds every phrase of its list", SUBSTITUTE_PHRASES, any_request, begins_phrases},
	{"quote", "a quote that is escaped in an argument is a quote", SUBSTITUTE_QUOTE, any_request, begins_quote},
	{"limits", "rules see that a limit of PCRE was reached", SUBSTITUTE_LIMITS, any_request, begins_limits},
	{"question mark", "an encoded question mark does not end the path (CVE-2024-1019)", SUBSTITUTE_QUESTION_MARK,
	 has_encoded_question_mark, begins_anywhere},
};
const size_t accepted_count = sizeof(accepted) / sizeof(accepted[0]);
