/*
 * A note is judged as a whole before any signature is: how long it is, UTF-8, the form of each line. Then each line of
 * the key's name and id is verified; one that is wrong makes it badly signed, whatever the others are.
 */
#include "evidence/note.h"

#include "base/error.h"
#include "base/reader.h"
#include "codec/text.h"
#include "evidence/merkle.h"

enum {
	KEY_ID_BYTES = 4,
	TYPE_ED25519 = 1,
	BASE64_BYTES_MOST = 8192, /* what a signature of another kind may come to */
};

static const char dash[] = "\xe2\x80\x94 ";

bool base64_exact(struct slice text, uint8_t *out, size_t len)
{
	uint8_t bytes[BASE64_BYTES_MOST], again[BASE64_BYTES_MOST / 3 * 4 + 4];
	size_t got;
	if (len > sizeof(bytes) - 2 || text.len != base64_encoded_length(len) ||
	    base64_decode(text, bytes, &got) != 0 || got != len ||
	    !slice_equal(slice_make(again, base64_encode(slice_make(bytes, len), again)), text))
		return false;
	memcpy(out, bytes, len);
	return true;
}

/* Spaces as Unicode has them, beyond those of ASCII, all of three bytes but for two of C2. */
static bool is_space(struct slice s, size_t at, size_t len)
{
	static const char *const spaces[] = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
					     "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
	struct slice symbol = slice_sub(s, at, at + len);
	if (len == 1)
		return symbol.ptr[0] <= ' ' || symbol.ptr[0] == 0x7f;
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (slice_equal(symbol, slice_from_string(spaces[i])))
			return true;
	return slice_starts_with(symbol, SLICE("\xe2\x80")) && symbol.ptr[2] <= 0x8a;
}

bool note_name_valid(struct slice name)
{
	for (size_t at = 0; at < name.len;) {
		size_t len = utf8_sequence(name, at);
		if (len == 0 || name.ptr[at] == '+' || is_space(name, at, len))
			return false;
		at += len;
	}
	return name.len > 0 && name.len <= NOTE_NAME_BYTES_MOST;
}

uint32_t note_key_id(struct slice name, const struct public_key *key)
{
	uint8_t tail[2 + PUBLIC_KEY_BYTES] = {'\n', TYPE_ED25519};
	memcpy(tail + 2, key->bytes, sizeof(key->bytes));
	struct merkle_hash hash = merkle_sha256(name, slice_make(tail, sizeof(tail)));
	return (uint32_t)hash.bytes[0] << 24 | (uint32_t)hash.bytes[1] << 16 | (uint32_t)hash.bytes[2] << 8 |
	       hash.bytes[3];
}

static void put_key_id(uint32_t id, uint8_t out[KEY_ID_BYTES])
{
	for (int i = 0; i < KEY_ID_BYTES; i++)
		out[i] = (uint8_t)(id >> (24 - 8 * i));
}

int note_sign(struct slice text, struct slice name, const struct signing_key *key, struct buffer *out)
{
	uint8_t bytes[KEY_ID_BYTES + SIGNATURE_BYTES], encoded[(KEY_ID_BYTES + SIGNATURE_BYTES) / 3 * 4 + 4];
	struct public_key public = signing_key_public(key);
	struct key_signature signature;
	int r = signing_key_sign(key, text, &signature);
	if (r != 0)
		return r;
	put_key_id(note_key_id(name, &public), bytes);
	memcpy(bytes + KEY_ID_BYTES, signature.bytes, sizeof(signature.bytes));
	buffer_add(out, text);
	buffer_byte(out, '\n');
	buffer_text(out, dash);
	buffer_add(out, name);
	buffer_byte(out, ' ');
	buffer_add(out, slice_make(encoded, base64_encode(slice_make(bytes, sizeof(bytes)), encoded)));
	buffer_byte(out, '\n');
	return out->error;
}

/* ---- reading ---- */

/* What parts text and signatures is the last empty line. */
static size_t last_empty_line(struct slice note)
{
	for (size_t at = note.len; at > 1; at--)
		if (note.ptr[at - 1] == '\n' && note.ptr[at - 2] == '\n')
			return at - 1;
	return 0;
}

static bool clean(struct slice note)
{
	for (size_t i = 0; i < note.len; i++)
		if (note.ptr[i] < ' ' && note.ptr[i] != '\n')
			return false;
	return utf8_valid(note);
}

struct line {
	struct slice name;
	struct slice encoded;
};

static bool read_line(struct reader *lines, struct line *ret_line)
{
	struct reader line = reader_make(reader_until(lines, '\n'));
	bool marked = reader_accept(&line, slice_from_string(dash));
	*ret_line = (struct line){.name = reader_until(&line, ' ')};
	ret_line->encoded = reader_rest(&line);
	return marked && note_name_valid(ret_line->name) && ret_line->encoded.len > 0;
}

int note_split(struct slice note, struct slice *ret_text, struct slice *ret_signatures)
{
	struct line line;
	size_t count = 0;
	if (note.len > NOTE_BYTES_MOST || !slice_ends_with(note, SLICE("\n")) || !clean(note))
		return NOTE_MALFORMED;
	size_t empty = last_empty_line(note);
	if (empty == 0 || empty + 1 == note.len)
		return NOTE_MALFORMED;
	for (struct reader lines = reader_make(slice_after(note, empty + 1)); !reader_at_end(&lines); count++)
		if (!read_line(&lines, &line) || count == NOTE_SIGNATURES_MOST)
			return NOTE_MALFORMED;
	*ret_text = slice_sub(note, 0, empty);
	*ret_signatures = slice_after(note, empty + 1);
	return 0;
}

int note_verify(struct slice note, struct slice name, const struct public_key *key, struct slice *ret_text)
{
	uint8_t id[KEY_ID_BYTES], bytes[KEY_ID_BYTES + SIGNATURE_BYTES];
	struct slice text, signatures;
	struct key_signature signature;
	struct line line;
	bool found = false;
	int r = note_split(note, &text, &signatures);
	if (r != 0)
		return r;
	put_key_id(note_key_id(name, key), id);
	for (struct reader lines = reader_make(signatures); !reader_at_end(&lines);) {
		if (!read_line(&lines, &line) || !slice_equal(line.name, name) ||
		    !base64_exact(line.encoded, bytes, sizeof(bytes)) || memcmp(bytes, id, sizeof(id)) != 0)
			continue;
		memcpy(signature.bytes, bytes + KEY_ID_BYTES, sizeof(signature.bytes));
		if (!public_key_verify(key, text, &signature))
			return NOTE_BADLY_SIGNED;
		found = true;
	}
	if (!found)
		return NOTE_UNSIGNED;
	*ret_text = text;
	return 0;
}
