/*
 * A record is read by its Content-Length and must end where that says: nothing is searched for where it does not.
 * Writing is to a buffer of the caller's, which he empties into the file.
 */
#include "bundle/warc.h"

#include "codec/text.h"
#include "evidence/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* ---- writing ---- */

void warc_id_text(const struct merkle_hash *hash, char out[WARC_ID_TEXT_BYTES])
{
	uint8_t id[WARC_ID_BYTES], hex[2 * WARC_ID_BYTES];
	memcpy(id, hash->bytes, sizeof(id));
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x80);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
	(void)hex_encode(slice_make(id, sizeof(id)), hex);
	snprintf(out, WARC_ID_TEXT_BYTES, "<urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s>", (const char *)hex,
		 (const char *)hex + 8, (const char *)hex + 12, (const char *)hex + 16, (const char *)hex + 20);
}

void warc_date_text(uint64_t at_ms, char out[WARC_DATE_BYTES])
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	size_t len = strftime(out, WARC_DATE_BYTES - 8, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(out + len, WARC_DATE_BYTES - len, ".%03uZ", (unsigned)(at_ms % 1000));
}

static void add_name(struct buffer *out, const char *name)
{
	buffer_text(out, name);
	buffer_add(out, SLICE(": "));
}

static void add_escaped(struct buffer *out, uint8_t byte)
{
	const uint8_t escaped[3] = {'%', (uint8_t) "0123456789ABCDEF"[byte >> 4],
				    (uint8_t) "0123456789ABCDEF"[byte & 15]};
	buffer_add(out, slice_make(escaped, sizeof(escaped)));
}

void warc_begin(struct buffer *out, const char *type, const char *id, uint64_t date_ms)
{
	char date[WARC_DATE_BYTES];
	warc_date_text(date_ms, date);
	buffer_add(out, SLICE("WARC/1.1\r\nWARC-Type: "));
	buffer_text(out, type);
	buffer_add(out, SLICE("\r\nWARC-Record-ID: "));
	buffer_text(out, id);
	buffer_add(out, SLICE("\r\nWARC-Date: "));
	buffer_text(out, date);
	buffer_add(out, SLICE("\r\n"));
}

void warc_field(struct buffer *out, const char *name, struct slice value)
{
	add_name(out, name);
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] < ' ' || value.ptr[i] > '~' || value.ptr[i] == '%')
			add_escaped(out, value.ptr[i]);
		else
			buffer_byte(out, value.ptr[i]);
	buffer_add(out, SLICE("\r\n"));
}

static bool in_uri(uint8_t byte)
{
	return byte_is_alpha(byte) || byte_is_digit(byte) ||
	       (byte != 0 && strchr("-._~:/?#[]@!$&'()*+,;=%", byte) != NULL);
}

void warc_field_uri(struct buffer *out, const char *name, const char *scheme, struct slice host, struct slice target)
{
	const struct slice parts[2] = {host, target};
	add_name(out, name);
	buffer_text(out, scheme);
	buffer_add(out, SLICE("://"));
	for (unsigned part = 0; part < 2; part++)
		for (size_t i = 0; i < parts[part].len; i++)
			if (in_uri(parts[part].ptr[i]))
				buffer_byte(out, parts[part].ptr[i]);
			else
				add_escaped(out, parts[part].ptr[i]);
	buffer_add(out, SLICE("\r\n"));
}

size_t warc_block(struct buffer *out, const char *content_type, struct slice block)
{
	uint8_t hex[2 * MERKLE_HASH_BYTES];
	struct merkle_hash digest = merkle_sha256(block, slice_make(NULL, 0));
	(void)hex_encode(slice_make(digest.bytes, sizeof(digest.bytes)), hex);
	buffer_add(out, SLICE("WARC-Block-Digest: sha256:"));
	buffer_add(out, slice_make(hex, sizeof(hex)));
	buffer_add(out, SLICE("\r\nContent-Type: "));
	buffer_text(out, content_type);
	buffer_add(out, SLICE("\r\nContent-Length: "));
	buffer_number(out, (int64_t)block.len);
	buffer_add(out, SLICE("\r\n\r\n"));
	size_t at = out->len;
	buffer_add(out, block);
	buffer_add(out, SLICE("\r\n\r\n"));
	return at;
}

/* ---- reading ---- */

struct slice warc_value(const struct warc_record *record, const char *name)
{
	struct slice rest = record->head, line, given;
	while (rest.len > 0) {
		rest = slice_cut(rest, '\n', &line);
		struct slice value = slice_cut(line, ':', &given);
		if (slice_equal_nocase(given, slice_from_string(name)))
			return slice_trim(value);
	}
	return slice_make(NULL, 0);
}

bool warc_next(struct reader *file, struct warc_record *ret_record)
{
	struct reader at = *file;
	struct warc_record record;
	uint64_t length;
	if (!reader_accept(&at, SLICE("WARC/1.1\r\n")))
		return false;
	struct slice window = slice_sub(file->bytes, at.at, at.at + WARC_HEAD_BYTES_MOST);
	size_t end = slice_find(window, SLICE("\r\n\r\n"), 0);
	if (end == window.len)
		return false;
	record.head = reader_take(&at, end + 2);
	reader_skip(&at, 2);
	if (!decimal_read(warc_value(&record, "Content-Length"), &length) || length > reader_left(&at))
		return false;
	record.block_at = at.at;
	record.block = reader_take(&at, (size_t)length);
	if (!reader_accept(&at, SLICE("\r\n\r\n")))
		return false;
	*file = at;
	*ret_record = record;
	return true;
}
