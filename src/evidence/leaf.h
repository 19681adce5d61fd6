/*
 * What a record says: one object of JSON without spaces, its keys in the order of the table of kinds, numbers without
 * sign, digests in hexadecimal. All begin alike:
 *     {"v":1,"kind":"decision","t":1764200000000,"clock":"synchronised","error_us":1200
 * `v` is the version of the kind's row, `t` UTC in milliseconds, `clock` what the kernel says of its clock
 * (adjtimex(2)) with the error it estimates. A source is address and port (RFC 6302).
 */
#ifndef GUIA_EVIDENCE_LEAF_H
#define GUIA_EVIDENCE_LEAF_H

#include "base/buffer.h"

enum leaf_kind {
	LEAF_EPOCH,
	LEAF_START,
	LEAF_CLOSE,
	LEAF_GAP,
	LEAF_CLOCK_STEP,
	LEAF_KEY_ROTATION,
	LEAF_DECISION,
	LEAF_MITIGATION,
	LEAF_ORDER,
	LEAF_BLOCK,
	LEAF_REFUSALS,
	LEAF_RING_LOSS,
	LEAF_DIGEST,
	LEAF_DELETION,
	LEAF_HOLD,
	LEAF_EXPORT,
	LEAF_INCIDENT,
	LEAF_PACKETS,
	LEAF_UPSTREAM,
	LEAF_KINDS,
};

enum leaf_form { LEAF_TEXT, LEAF_NUMBER, LEAF_HEX32 };

struct leaf_field {
	const char *name;
	enum leaf_form form;
	bool optional;
};

enum {
	LEAF_FIELDS_MOST = 20,
	LEAF_BYTES_MOST = 16 * 1024,
	LEAF_TEXT_MOST = 1024, /* bytes of a text; a longer one is cut, and how much of it is said in its place */
};

struct leaf_row {
	const char *name;
	unsigned version; /* 1 at first; one more with each change: what an older one lacks is optional */
	const struct leaf_field *fields;
	size_t field_count;
};

const struct leaf_row *leaf_row(enum leaf_kind kind);

/* In the order of the row's fields. A text or digest (32 bytes) whose ptr is NULL is not given. */
struct leaf_value {
	struct slice bytes;
	uint64_t number;
	bool given; /* of a number */
};

static inline struct leaf_value leaf_text(struct slice text)
{
	return (struct leaf_value){.bytes = text};
}

static inline struct leaf_value leaf_number(uint64_t number)
{
	return (struct leaf_value){.number = number, .given = true};
}

struct clock_state {
	bool synchronised;
	uint64_t error_us;
};

/* What the kernel says now. */
struct clock_state clock_state_read(void);

/* The fields alone, each behind a comma; `values` are as many as the row has fields. Those required must be given. */
void leaf_write_fields(enum leaf_kind kind, const struct leaf_value *values, struct buffer *out);

/* The record around fields that were written before. */
void leaf_write(enum leaf_kind kind, uint64_t time_ms, const struct clock_state *clock, struct slice fields,
		struct buffer *out);

enum {
	LEAF_MALFORMED = 1,
	LEAF_NEWER = 2, /* a kind or a version that is not in the table: what all records begin with is read */
};

struct leaf {
	enum leaf_kind kind; /* LEAF_KINDS where it is not in the table */
	uint64_t time_ms;
	struct clock_state clock;
	struct leaf_value values[LEAF_FIELDS_MOST]; /* texts as written, with their escapes; digests as hexadecimal */
};

int leaf_read(struct slice record, struct leaf *ret_leaf);

/* A field's value, or NULL where the leaf has none of that name. */
const struct leaf_value *leaf_get(const struct leaf *leaf, const char *name);

#endif
