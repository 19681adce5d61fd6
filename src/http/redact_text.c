/* Free text: what rules say about a request. Every "name=value", "name: value" and the Core Rule Set's own form. */
#include "http/redact.h"

#include "codec/byte_class.h"

static const struct slice placeholder = SLICE_INIT("[redacted]");
static const struct slice found_within = SLICE_INIT(" found within ");

/* No name stands before its value without one of these, but in "found within NAME". */
static const struct byte_class SIGNS = BYTE_CLASS_2(':', ':', '<', '=');

static const struct byte_class LINE_ENDS = BYTE_CLASS_2('\n', '\n', '\r', '\r');
static const struct byte_class ARGUMENT_ENDS = {.has = {['&'] = 1,
							[';'] = 1,
							[','] = 1,
							[' '] = 1,
							['\t'] = 1,
							['\r'] = 1,
							['\n'] = 1,
							['"'] = 1,
							['\''] = 1,
							['<'] = 1,
							['>'] = 1,
							[')'] = 1,
							[']'] = 1,
							['}'] = 1}};
/* Of who is named before the '@' of a URL, which is one of them. */
static const struct byte_class USER_ENDS = {.has = {[0 ... ' '] = 1,
						    ['@'] = 1,
						    ['/'] = 1,
						    ['?'] = 1,
						    ['#'] = 1,
						    ['"'] = 1,
						    ['\''] = 1,
						    ['<'] = 1,
						    ['>'] = 1}};

enum {
	NAME_LIMIT = 300,    /* of a variable's name with its key, so that looking for its end costs no more */
	ENCODED_LIMIT = 256, /* a longer name is looked at by its beginning when it is decoded */
};

/* "ARGS:password: value" -> "ARGS:password" */
static struct slice variable_name(struct slice text)
{
	text = slice_sub(text, 0, NAME_LIMIT);
	size_t end = slice_find(text, SLICE(": "), 0);
	size_t space = slice_find_byte(text, ' ', 0);
	return slice_sub(text, 0, end < space ? end : space);
}

/* Text that tells a secret variable's value, from `from` to its end. */
struct secret_part {
	size_t from;
	struct slice name;
	size_t within; /* where " found within " stands first */
};

/* Where the next stands, at or after `from`. Its first byte abounds; the second does not. */
static size_t find_found_within(struct slice text, size_t from)
{
	struct slice behind_space = slice_after(found_within, 1);
	for (size_t at = from; (at = slice_find(text, behind_space, at)) < text.len; at++)
		if (at > from && text.ptr[at - 1] == ' ')
			return at - 1;
	return text.len;
}

/* Behind the one at `at`, with which it may have a space in common. */
static size_t find_next_within(struct slice text, size_t at)
{
	return find_found_within(text, at + found_within.len - 1);
}

/* Where the Core Rule Set's form tells what matched. */
static size_t matched_data(struct slice text)
{
	struct slice prefix = SLICE("Matched Data: ");
	size_t at = slice_find(text, prefix, 0);
	return at < text.len ? at + prefix.len : text.len;
}

/* `variable` is a secret's name, or empty. */
static struct secret_part find_secret_part(const struct redact_names *names, struct slice variable, struct slice text)
{
	size_t from = variable.len > 0 ? matched_data(text) : text.len;
	size_t within = find_found_within(text, 0);
	if (from < text.len)
		return (struct secret_part){from, variable, within};
	for (size_t at = within; at < text.len; at = find_next_within(text, at)) {
		struct slice name = variable_name(slice_after(text, at + found_within.len));
		if (redact_name_is_secret(names, name)) {
			from = matched_data(text);
			return (struct secret_part){from < at ? from : at, name, within};
		}
	}
	return (struct secret_part){text.len, slice_make("", 0), within};
}

/* Bytes of names as they stand in URLs, headers and JSON; beyond ASCII all. */
static const bool NAME_BYTES[256] = {
	['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true, [0x80 ... 0xff] = true,
	['_'] = true,         ['-'] = true,         ['.'] = true,         ['%'] = true,
};

static bool is_name_byte(uint8_t c)
{
	return NAME_BYTES[c];
}

/* How many bytes at `at` are one of a name: a byte, or "\\u0061" of JSON's; 0 if none is. */
static size_t name_unit(struct slice text, size_t at)
{
	if (at == text.len)
		return 0;
	if (is_name_byte(text.ptr[at]))
		return 1;
	if (text.len - at < 6 || text.ptr[at] != '\\' || text.ptr[at + 1] != 'u')
		return 0;
	for (size_t i = 2; i < 6; i++)
		if (byte_hex_value(text.ptr[at + i]) < 0)
			return 0;
	return 6;
}

/* Behind a quoted value that begins at `from`; a quote behind a backslash is one of its bytes. */
static size_t quoted_end(struct slice text, size_t from)
{
	size_t at = from + 1;
	while (at < text.len && text.ptr[at] != text.ptr[from])
		at += text.ptr[at] == '\\' && text.len - at > 1 ? 2 : 1;
	return at < text.len ? at + 1 : at;
}

/*
 * The value behind `sign`: to the line's end behind a colon, else to what ends an argument. Where the text tells what
 * matched, arguments are decoded: any byte but '&' may be one of the value.
 */
static size_t value_end(struct slice text, size_t from, uint8_t sign, bool decoded)
{
	if (decoded && sign == '=') {
		struct slice argument = slice_sub(text, from, slice_find_byte(text, '&', from));
		return from + find_found_within(argument, 0);
	}
	if (from < text.len && (text.ptr[from] == '"' || text.ptr[from] == '\''))
		return quoted_end(text, from);
	return sign == ':' ? byte_class_find(&LINE_ENDS, text, from) : byte_class_find(&ARGUMENT_ENDS, text, from);
}

/* Between a name and its sign: a closing quote, and spaces. */
static bool is_closer(uint8_t c)
{
	return c == ' ' || c == '"' || c == '\'' || c == '\\' || c == ']';
}

/* The name that ends before the sign at `sign` and begins no earlier than `from`; empty if none does. */
static struct slice name_before(struct slice text, size_t from, size_t sign)
{
	size_t end = sign;
	while (end > from && is_closer(text.ptr[end - 1]))
		end--;
	size_t start = end;
	for (;;) {
		while (start > from && is_name_byte(text.ptr[start - 1]))
			start--;
		if (start == from || start == end || name_unit(text, start - 1) == 0)
			return slice_sub(text, start, end);
		start--;
	}
}

/* Behind a sign and spaces. */
static size_t value_start(struct slice text, size_t sign)
{
	size_t at = sign + 1;
	while (at < text.len && text.ptr[at] == ' ')
		at++;
	return at;
}

/* Where the '@' of "://user:password@" stands whose colon is at `at`; text.len if it is none. */
static size_t authority_end(struct slice text, size_t at)
{
	struct slice authority = SLICE("://");
	size_t end = at + authority.len;
	if (!slice_starts_with(slice_after(text, at), authority))
		return text.len;
	end = byte_class_find(&USER_ENDS, text, end);
	return end < text.len && text.ptr[end] == '@' ? end : text.len;
}

/* Appends the text from `from` to `to`, and what stands for a secret. */
static void add_until_secret(struct slice text, size_t from, size_t to, struct buffer *out)
{
	buffer_add(out, slice_sub(text, from, to));
	buffer_add(out, placeholder);
}

/* Behind the name of the element whose '<' stands at `at`. */
static size_t element_name_end(struct slice text, size_t at)
{
	size_t end = at + 1;
	while (end < text.len && (is_name_byte(text.ptr[end]) || text.ptr[end] == ':'))
		end++;
	return end;
}

/*
 * "<password a="b">x</password>" keeps its name. `from` is what has been dealt with. Returns where to go on, behind all
 * that was looked at; `from` itself if there is no such element.
 */
static size_t add_element(const struct redact_names *names, struct slice text, size_t from, size_t at,
			  struct buffer *out)
{
	size_t name_end = element_name_end(text, at);
	if (!redact_name_is_secret(names, slice_sub(text, at + 1, name_end)))
		return from;
	add_until_secret(text, from, name_end + (name_end < text.len && text.ptr[name_end] == '>'), out);
	size_t close = slice_find_byte(text, '>', name_end);
	return text.ptr[close - 1] == '/' ? close : slice_find(text, SLICE("</"), close);
}

static bool is_secret(const struct redact_names *names, struct slice name)
{
	if (redact_name_is_secret(names, name))
		return true;
	bool plain = name.len <= ENCODED_LIMIT && memchr(name.ptr, '%', name.len) == NULL &&
		     memchr(name.ptr, '\\', name.len) == NULL;
	return !plain && redact_encoded_name_is_secret(names, name);
}

/* The same of '=' or ':' at `at`: a secret's value behind it goes, and who is named before the '@' of a URL. */
static size_t add_signed(const struct redact_names *names, struct slice text, size_t from, size_t at, bool decoded,
			 struct buffer *out)
{
	struct slice name = name_before(text, from, at);
	size_t value = value_start(text, at);
	if (name.len > 0 && value < text.len && is_secret(names, name)) {
		add_until_secret(text, from, value, out);
		return value_end(text, value, text.ptr[at], decoded);
	}
	size_t user_end = text.ptr[at] == ':' ? authority_end(text, at) : text.len;
	if (user_end == text.len)
		return from;
	add_until_secret(text, from, at + 3, out);
	return user_end;
}

/* Until `out` is as long as `goal`. Returns where in the text that was: what stands behind has been told by nobody. */
static size_t add_pairs_redacted(const struct redact_names *names, struct slice text, bool decoded, size_t goal,
				 struct buffer *out)
{
	size_t from = 0;
	for (size_t at = byte_class_find(&SIGNS, text, 0);
	     at < text.len && out->len < goal && at - from < goal - out->len; at = byte_class_find(&SIGNS, text, at)) {
		size_t behind = text.ptr[at] == '<' ? add_element(names, text, from, at, out)
						    : add_signed(names, text, from, at, decoded, out);
		at = behind > from ? behind : at + 1;
		from = behind;
	}
	size_t room = out->len < goal ? goal - out->len : 0;
	size_t to = room < text.len - from ? from + room : text.len;
	buffer_add(out, slice_sub(text, from, to));
	return to;
}

/* The text without `value`, wherever it stands. */
static void add_without(const struct redact_names *names, struct slice text, struct slice value, struct buffer *out)
{
	bool decoded = find_found_within(text, 0) < text.len;
	for (size_t at = 0; at < text.len;) {
		size_t hit = value.len == 0 ? text.len : slice_find(text, value, at);
		add_pairs_redacted(names, slice_sub(text, at, hit), decoded, SIZE_MAX, out);
		if (hit == text.len)
			return;
		buffer_add(out, placeholder);
		at = hit + value.len;
	}
}

/* Where a part of multipart may begin, somewhere in the text: its bounds may be lost. */
static size_t find_parts(struct slice text)
{
	return slice_find_nocase(text, SLICE("content-disposition:"), 0);
}

/* Where such parts begin that hold a secret. */
static size_t secret_parts(const struct redact_names *names, struct slice text)
{
	size_t at = find_parts(text);
	return at < text.len && redact_part_is_secret(names, slice_after(text, at)) ? at : text.len;
}

static void add_secret_part(struct slice name, struct buffer *out)
{
	buffer_add(out, placeholder);
	buffer_add(out, found_within);
	buffer_add(out, name);
	buffer_text(out, ": ");
	buffer_add(out, placeholder);
}

void redact_text_judged(const struct redact_names *names, struct slice secret, struct slice value, struct slice text,
			struct buffer *out)
{
	struct secret_part part = find_secret_part(names, secret, text);
	struct slice before = slice_sub(text, 0, part.from);
	bool signs = byte_class_find(&SIGNS, before, 0) < before.len;
	size_t parts = signs ? secret_parts(names, before) : before.len;
	add_without(names, slice_sub(before, 0, parts), secret.len > 0 ? value : slice_make("", 0), out);
	if (parts < before.len)
		buffer_add(out, placeholder);
	if (part.from < text.len)
		add_secret_part(part.name, out);
}

void redact_text(const struct redact_names *names, struct slice variable, struct slice value, struct slice text,
		 struct buffer *out)
{
	bool secret = variable.len > 0 && redact_name_is_secret(names, variable);
	redact_text_judged(names, secret ? variable : slice_make("", 0), value, text, out);
}

/* Where secret parts begin in front of `told`, from which text was told; text.len if none do. */
static size_t parts_told(const struct redact_names *names, struct slice text, size_t told)
{
	size_t at = find_parts(slice_sub(text, 0, told));
	return at < told ? secret_parts(names, text) : text.len;
}

size_t redact_text_beginning(const struct redact_names *names, struct slice text, size_t limit, struct buffer *out)
{
	struct secret_part part = find_secret_part(names, slice_make("", 0), text);
	struct slice before = slice_sub(text, 0, part.from);
	size_t begun = out->len, goal = begun + limit;
	size_t told = add_pairs_redacted(names, before, part.within < before.len, goal, out);
	/* Parts further behind change nothing of what is told; of their word no more than a piece is. */
	size_t parts = parts_told(names, before, told);
	if (parts < before.len) {
		out->len = begun;
		told = add_pairs_redacted(names, slice_sub(before, 0, parts), part.within < parts, goal, out);
		told = told < parts ? told : before.len;
		if (told == before.len)
			buffer_add(out, placeholder);
	}
	if (told < before.len || part.from == text.len)
		return text.len - told;
	add_secret_part(part.name, out);
	return 0;
}

/* Whether the sign at `at` has nothing behind it that would go, where nothing before it went. */
static bool keeps_sign(const struct redact_names *names, struct slice text, size_t at)
{
	if (text.ptr[at] == '<')
		return !redact_name_is_secret(names, slice_sub(text, at + 1, element_name_end(text, at)));
	struct slice name = name_before(text, 0, at);
	if (name.len > 0 && is_secret(names, name))
		return false;
	return text.ptr[at] != ':' || authority_end(text, at) == text.len;
}

/* Of the names behind " found within " that begins before `end`. */
static bool keeps_names(const struct redact_names *names, struct slice text, size_t end)
{
	struct slice looked_at = slice_sub(text, 0, end + found_within.len - 1);
	for (size_t at = find_found_within(looked_at, 0); at < looked_at.len; at = find_next_within(looked_at, at))
		if (redact_name_is_secret(names, variable_name(slice_after(text, at + found_within.len))))
			return false;
	return true;
}

/* Likewise of parts of multipart. */
static bool keeps_parts(const struct redact_names *names, struct slice text, size_t end)
{
	struct slice looked_at = slice_sub(text, 0, end + SLICE("content-disposition:").len - 1);
	return find_parts(looked_at) == looked_at.len || secret_parts(names, text) == text.len;
}

/*
 * In an end that is that of a text that is kept nothing goes: whatever makes something go is looked for from a sign or
 * a word on, but for the name before a sign, which reaches back to the sign before at most. So the first sign in there
 * is asked, and no other.
 */
bool redact_text_keeps(const struct redact_names *names, struct slice text, size_t known)
{
	size_t end = text.len - known;
	size_t at = byte_class_find(&SIGNS, text, 0);
	if (!keeps_names(names, text, end))
		return false;
	for (bool is_known = false; at < text.len && !is_known; at = byte_class_find(&SIGNS, text, at + 1)) {
		if (!keeps_sign(names, text, at))
			return false;
		is_known = at >= end;
	}
	return keeps_parts(names, text, end);
}
