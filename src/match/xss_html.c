/* One function a state, which has a token, goes on to another state, or ends. Tokens are slices of the value. */
#include "match/xss_html.h"

/* What a state does: it has a token for the caller, another state goes on, or the input is over. */
enum step { TOKEN, AGAIN, END };

/* A NUL counts as white space: browsers skip it. */
static bool is_blank(uint8_t c)
{
	return c == 0 || byte_is_space(c);
}

struct xss_reader xss_reader_make(struct slice input, enum xss_context context)
{
	static const uint8_t quotes[] = {
		[XSS_SINGLE_QUOTED] = '\'', [XSS_DOUBLE_QUOTED] = '"', [XSS_BACK_QUOTED] = '`'};
	struct xss_reader reader = {.input = input};
	if (context == XSS_TEXT)
		reader.state = XSS_IN_TEXT;
	else
		reader.state = context == XSS_UNQUOTED ? XSS_BEFORE_ATTRIBUTE : XSS_IN_QUOTED;
	reader.quote = quotes[context];
	return reader;
}

/* The token is [from, to); reading goes on at `next` in `state`. */
static enum step emit(struct xss_reader *r, struct xss_token *ret, enum xss_kind kind, size_t from, size_t to,
		      size_t next, enum xss_state state)
{
	ret->kind = kind;
	ret->text = slice_sub(r->input, from, to);
	r->at = next;
	r->state = next > r->input.len ? XSS_AT_END : state;
	return TOKEN;
}

static enum step go(struct xss_reader *r, size_t skip, enum xss_state state)
{
	r->at += skip;
	r->state = state;
	return AGAIN;
}

static bool skip_blanks(struct xss_reader *r)
{
	while (r->at < r->input.len && is_blank(r->input.ptr[r->at]))
		r->at++;
	return r->at < r->input.len;
}

static enum step read_text(struct xss_reader *r, struct xss_token *ret)
{
	size_t from = r->at;
	size_t less = slice_find_byte(r->input, '<', from);
	if (less == r->input.len)
		return from == less ? END : emit(r, ret, XSS_DATA, from, less, less, XSS_AT_END);
	if (less == from)
		return go(r, 1, XSS_AFTER_LESS);
	return emit(r, ret, XSS_DATA, from, less, less + 1, XSS_AFTER_LESS);
}

/* Up to a >, of whatever was taken for a comment. */
static enum step read_until_greater(struct xss_reader *r, struct xss_token *ret, enum xss_kind kind)
{
	size_t end = slice_find_byte(r->input, '>', r->at);
	return emit(r, ret, kind, r->at, end, end + 1, XSS_IN_TEXT);
}

/* <% ... %>, a comment to old Internet Explorers and Safaris. */
static enum step read_percent_comment(struct xss_reader *r, struct xss_token *ret)
{
	size_t end = slice_find(r->input, SLICE("%>"), r->at);
	return emit(r, ret, XSS_COMMENT, r->at, end, end < r->input.len ? end + 2 : end + 1, XSS_IN_TEXT);
}

static size_t skip_nuls(struct slice s, size_t at)
{
	while (at < s.len && s.ptr[at] == 0)
		at++;
	return at;
}

/* Ends with --> or -!>, between whose bytes NULs are skipped. */
static enum step read_comment(struct xss_reader *r, struct xss_token *ret)
{
	struct slice s = r->input;
	for (size_t dash = slice_find_byte(s, '-', r->at); dash + 3 <= s.len;
	     dash = slice_find_byte(s, '-', dash + 1)) {
		size_t second = skip_nuls(s, dash + 1);
		if (second == s.len)
			break;
		if (s.ptr[second] != '-' && s.ptr[second] != '!')
			continue;
		size_t third = skip_nuls(s, second + 1);
		if (third == s.len)
			break;
		if (s.ptr[third] == '>')
			return emit(r, ret, XSS_COMMENT, r->at, dash, third + 1, XSS_IN_TEXT);
	}
	return emit(r, ret, XSS_COMMENT, r->at, s.len, s.len, XSS_AT_END);
}

static enum step read_cdata(struct xss_reader *r, struct xss_token *ret)
{
	size_t end = slice_find(r->input, SLICE("]]>"), r->at);
	return emit(r, ret, XSS_DATA, r->at, end, end < r->input.len ? end + 3 : end + 1, XSS_IN_TEXT);
}

static enum step read_declaration(struct xss_reader *r, struct xss_token *ret)
{
	struct slice rest = slice_after(r->input, r->at);
	if (slice_starts_with_nocase(rest, SLICE("doctype")))
		return read_until_greater(r, ret, XSS_DOCTYPE);
	if (slice_starts_with(rest, SLICE("[CDATA["))) {
		r->at += 7;
		return read_cdata(r, ret);
	}
	if (slice_starts_with(rest, SLICE("--"))) {
		r->at += 2;
		return read_comment(r, ret);
	}
	return read_until_greater(r, ret, XSS_COMMENT);
}

static enum step read_tag_name(struct xss_reader *r, struct xss_token *ret)
{
	struct slice s = r->input;
	size_t from = r->at, at = from;
	while (at < s.len && s.ptr[at] != '/' && s.ptr[at] != '>' && !(s.ptr[at] != 0 && byte_is_space(s.ptr[at])))
		at++;
	if (at == s.len)
		return emit(r, ret, XSS_TAG_OPEN, from, at, at, XSS_AT_END);
	if (s.ptr[at] == '/')
		return emit(r, ret, XSS_TAG_OPEN, from, at, at + 1, XSS_AFTER_SLASH);
	if (s.ptr[at] != '>')
		return emit(r, ret, XSS_TAG_OPEN, from, at, at + 1, XSS_BEFORE_ATTRIBUTE);
	if (!r->closing)
		return emit(r, ret, XSS_TAG_OPEN, from, at, at, XSS_AT_TAG_END);
	r->closing = false;
	return emit(r, ret, XSS_TAG_CLOSE, from, at, at + 1, XSS_IN_TEXT);
}

static enum step read_end_tag(struct xss_reader *r, struct xss_token *ret)
{
	r->closing = true;
	if (r->at == r->input.len)
		return END;
	uint8_t c = r->input.ptr[r->at];
	if (c == '>')
		return go(r, 0, XSS_IN_TEXT);
	if (byte_is_alpha(c))
		return read_tag_name(r, ret);
	r->closing = false;
	return read_until_greater(r, ret, XSS_COMMENT);
}

static enum step read_after_less(struct xss_reader *r, struct xss_token *ret)
{
	if (r->at == r->input.len)
		return END;
	uint8_t c = r->input.ptr[r->at];
	if (byte_is_alpha(c) || c == 0)
		return read_tag_name(r, ret);
	if (c != '!' && c != '/' && c != '?' && c != '%')
		return emit(r, ret, XSS_DATA, r->at - 1, r->at, r->at, XSS_IN_TEXT);
	r->at++;
	if (c == '!')
		return read_declaration(r, ret);
	if (c == '/')
		return read_end_tag(r, ret);
	return c == '?' ? read_until_greater(r, ret, XSS_COMMENT) : read_percent_comment(r, ret);
}

static enum step read_attribute(struct xss_reader *r, struct xss_token *ret)
{
	struct slice s = r->input;
	size_t from = r->at, at = from + 1;
	while (at < s.len && s.ptr[at] != '/' && s.ptr[at] != '=' && s.ptr[at] != '>' && !is_blank(s.ptr[at]))
		at++;
	if (at == s.len)
		return emit(r, ret, XSS_ATTRIBUTE, from, at, at, XSS_AT_END);
	if (s.ptr[at] == '>')
		return emit(r, ret, XSS_ATTRIBUTE, from, at, at, XSS_AT_TAG_END);
	if (s.ptr[at] == '/')
		return emit(r, ret, XSS_ATTRIBUTE, from, at, at + 1, XSS_AFTER_SLASH);
	return emit(r, ret, XSS_ATTRIBUTE, from, at, at + 1, s.ptr[at] == '=' ? XSS_BEFORE_VALUE : XSS_AFTER_ATTRIBUTE);
}

static enum step read_tag_end(struct xss_reader *r, struct xss_token *ret)
{
	r->closing = false;
	return emit(r, ret, XSS_TAG_END, r->at, r->at + 1, r->at + 1, XSS_IN_TEXT);
}

static enum step read_before_attribute(struct xss_reader *r, struct xss_token *ret)
{
	if (!skip_blanks(r))
		return END;
	uint8_t c = r->input.ptr[r->at];
	if (c == '/')
		return go(r, 1, XSS_AFTER_SLASH);
	/* Unlike elsewhere, what was opened by </ stays so. */
	return c == '>' ? emit(r, ret, XSS_TAG_END, r->at, r->at + 1, r->at + 1, XSS_IN_TEXT) : read_attribute(r, ret);
}

static enum step read_after_slash(struct xss_reader *r, struct xss_token *ret)
{
	if (r->at == r->input.len)
		return END;
	if (r->input.ptr[r->at] != '>')
		return go(r, 0, XSS_BEFORE_ATTRIBUTE);
	return emit(r, ret, XSS_TAG_END, r->at - 1, r->at + 1, r->at + 1, XSS_IN_TEXT);
}

static enum step read_after_attribute(struct xss_reader *r, struct xss_token *ret)
{
	if (!skip_blanks(r))
		return END;
	switch (r->input.ptr[r->at]) {
	case '/':
		return go(r, 1, XSS_AFTER_SLASH);
	case '=':
		return go(r, 1, XSS_BEFORE_VALUE);
	case '>':
		return read_tag_end(r, ret);
	default:
		return read_attribute(r, ret);
	}
}

static enum step read_unquoted(struct xss_reader *r, struct xss_token *ret)
{
	struct slice s = r->input;
	size_t from = r->at, at = from;
	while (at < s.len && s.ptr[at] != '>' && !is_blank(s.ptr[at]))
		at++;
	if (at == s.len)
		return emit(r, ret, XSS_VALUE, from, at, at, XSS_AT_END);
	if (s.ptr[at] == '>')
		return emit(r, ret, XSS_VALUE, from, at, at, XSS_AT_TAG_END);
	return emit(r, ret, XSS_VALUE, from, at, at + 1, XSS_BEFORE_ATTRIBUTE);
}

static enum step read_before_value(struct xss_reader *r, struct xss_token *ret)
{
	if (!skip_blanks(r))
		return END;
	uint8_t c = r->input.ptr[r->at];
	if (c != '"' && c != '\'' && c != '`')
		return read_unquoted(r, ret);
	r->quote = c;
	return go(r, 1, XSS_IN_QUOTED);
}

static enum step read_quoted(struct xss_reader *r, struct xss_token *ret)
{
	size_t end = slice_find_byte(r->input, r->quote, r->at);
	return emit(r, ret, XSS_VALUE, r->at, end, end + 1, XSS_AFTER_QUOTED);
}

static enum step read_after_quoted(struct xss_reader *r, struct xss_token *ret)
{
	if (r->at == r->input.len)
		return END;
	uint8_t c = r->input.ptr[r->at];
	if (c == '/')
		return go(r, 1, XSS_AFTER_SLASH);
	if (c == '>')
		return emit(r, ret, XSS_TAG_END, r->at, r->at + 1, r->at + 1, XSS_IN_TEXT);
	return go(r, 0, XSS_BEFORE_ATTRIBUTE);
}

static enum step step(struct xss_reader *r, struct xss_token *ret)
{
	switch (r->state) {
	case XSS_IN_TEXT:
		return read_text(r, ret);
	case XSS_AFTER_LESS:
		return read_after_less(r, ret);
	case XSS_BEFORE_ATTRIBUTE:
		return read_before_attribute(r, ret);
	case XSS_AFTER_SLASH:
		return read_after_slash(r, ret);
	case XSS_AFTER_ATTRIBUTE:
		return read_after_attribute(r, ret);
	case XSS_BEFORE_VALUE:
		return read_before_value(r, ret);
	case XSS_IN_QUOTED:
		return read_quoted(r, ret);
	case XSS_AFTER_QUOTED:
		return read_after_quoted(r, ret);
	case XSS_AT_TAG_END:
		return read_tag_end(r, ret);
	case XSS_AT_END:
		break;
	}
	return END;
}

bool xss_token_read(struct xss_reader *reader, struct xss_token *ret)
{
	enum step done;
	do {
		done = step(reader, ret);
	} while (done == AGAIN);
	return done == TOKEN;
}
