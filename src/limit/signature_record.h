/* The layout of an image of signatures: for signature_image.c, which reads it, and signature_build.c. */
#ifndef GUIA_LIMIT_SIGNATURE_RECORD_H
#define GUIA_LIMIT_SIGNATURE_RECORD_H

#include "limit/image.h"
#include "limit/signature.h"

/* So many of a part of the image, from one on. */
struct record_span {
	uint32_t first;
	uint32_t count;
};

struct term_record {
	uint32_t test;
	uint32_t field;
	uint64_t value;
};

struct conjunction_record {
	uint64_t count;
	struct term_record term[SIGNATURE_TERMS];
};

struct rule_record {
	uint32_t id;
	uint32_t conjunctions;
	uint64_t expires_ms;
	double coverage;
	double collateral;
	struct record_span site; /* of text */
	struct record_span why;
	struct record_span prefixes;
	struct record_span known[SIGNATURE_FIELDS]; /* of values */
	struct record_span listed[SIGNATURE_FIELDS];
	struct conjunction_record conjunction[SIGNATURE_CONJUNCTIONS];
};

struct mode_record {
	uint32_t id;
	uint32_t mode;
	uint64_t expires_ms;
	struct record_span site;
	struct record_span home; /* of prefixes */
};

/* Parts follow in this order, each as many as the header says. */
struct signature_header {
	struct image_head head;
	uint32_t rules;
	uint32_t modes;
	uint32_t values;
	uint32_t prefixes;
	uint32_t text; /* bytes */
	uint32_t zero;
	uint64_t shed_until_ms;
};

extern const struct image_head signature_image_head;

static inline uint64_t signature_image_length(const struct signature_header *header)
{
	return sizeof(*header) + (uint64_t)header->rules * sizeof(struct rule_record) +
	       (uint64_t)header->modes * sizeof(struct mode_record) + (uint64_t)header->values * sizeof(uint64_t) +
	       (uint64_t)header->prefixes * sizeof(struct prefix) + header->text;
}

#endif
