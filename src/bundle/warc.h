/*
 * WARC 1.1 (ISO 28500:2017) files: records one behind the other, each a head of named fields and a block. What comes
 * from traffic is hostile in a head: no byte of it can end a line or begin a field.
 */
#ifndef GUIA_BUNDLE_WARC_H
#define GUIA_BUNDLE_WARC_H

#include "base/buffer.h"
#include "base/reader.h"
#include "evidence/merkle.h"

enum { WARC_ID_BYTES = 16, WARC_ID_TEXT_BYTES = 48, WARC_DATE_BYTES = 32, WARC_HEAD_BYTES_MOST = 64 * 1024 };

/* ---- writing: begin, fields, block ---- */

/* "<urn:uuid:...>" (RFC 9562, version 8) of the first bytes of a hash, so that the same record has the same name. */
void warc_id_text(const struct merkle_hash *hash, char out[WARC_ID_TEXT_BYTES]);
/* UTC, "2026-07-10T20:00:00.123Z" */
void warc_date_text(uint64_t at_ms, char out[WARC_DATE_BYTES]);

void warc_begin(struct buffer *out, const char *type, const char *id, uint64_t date_ms);
/* Bytes that are not printable ASCII, and '%', become %XX. */
void warc_field(struct buffer *out, const char *name, struct slice value);
/* `scheme`://`host``target`: likewise all that a URI may not hold (RFC 3986); '%' stays. */
void warc_field_uri(struct buffer *out, const char *name, const char *scheme, struct slice host, struct slice target);
/* Ends the head, with the block's digest, and the record. Where in `out` the block begins. */
size_t warc_block(struct buffer *out, const char *content_type, struct slice block);

/* ---- reading: files of anyone's making ---- */

struct warc_record {
	struct slice head; /* lines of fields, without the first and the empty one */
	struct slice block;
	size_t block_at; /* in the file */
};

/* False at the end, and where no whole record follows: then the reader is not at its end. */
bool warc_next(struct reader *file, struct warc_record *ret_record);

/* A field's value, the first of that name (case does not matter); len 0 and ptr NULL: none. */
struct slice warc_value(const struct warc_record *record, const char *name);

#endif
