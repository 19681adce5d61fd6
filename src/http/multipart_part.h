/*
 * A part of a multipart body, from its first header to the boundary behind it. Headers may be folded, doubled or wrong;
 * what is made of that is libmodsecurity's.
 */
#ifndef GUIA_HTTP_MULTIPART_PART_H
#define GUIA_HTTP_MULTIPART_PART_H

#include "base/buffer.h"
#include "http/multipart.h"
#include "http/multipart_header.h"

enum {
	MULTIPART_LINE_LIMIT = 4096, /* libmodsecurity's buffer */
};

/* Besides 0 and -ENOMEM. */
enum multipart_outcome {
	MULTIPART_STOP = 1, /* the body is beyond understanding from here on */
};

struct multipart_part_header {
	struct slice name;
	struct slice value;
	size_t value_offset;
};

struct multipart_part {
	struct content_disposition disposition;
	struct multipart_part_header *headers; /* in the arena */
	size_t header_count;
	size_t header_capacity;
	struct field_list lines; /* complete ones, for MULTIPART_PART_HEADERS */
	struct slice line;       /* the one that may still be folded; empty if none */
	struct buffer folded;    /* the value of the newest header, if it was */
	bool line_folded;
	size_t line_offset;
	bool folding_open; /* a header came that a folded line would continue */
	bool in_data;
	bool data_seen; /* a line of data */
	size_t data_from;
};

struct multipart_finished_part {
	struct slice name;
	struct slice filename;
	struct slice data;
	size_t name_offset;
	size_t filename_offset;
	size_t data_offset;
	bool kept;
	struct multipart_finished_part *next;
};

struct multipart_parser {
	struct slice body;
	struct slice boundary;
	struct slice delimiter; /* "--" and the boundary */
	const struct multipart_options *options;
	struct arena *arena;
	struct multipart *result;
	struct multipart_part part;
	bool part_open;
	bool complete;
	size_t boundaries;
	size_t next_delimiter; /* the next place in the body where `delimiter` stands */
	size_t next_dashes;    /* where the next line of data begins with "--" */
	size_t kept_files;
	size_t part_count;
	bool previous_line_lf; /* the line before ended in a bare LF */
	struct multipart_finished_part *first;
	struct multipart_finished_part **last;
};

/* All that return int: 0, -ENOMEM or MULTIPART_STOP. */

int multipart_part_begin(struct multipart_parser *p);

/* A line of the headers, its end included. */
int multipart_part_header(struct multipart_parser *p, struct slice line);

/* Any line of data: files are counted by their first one. */
int multipart_part_data(struct multipart_parser *p);

/* The open part, if one is, ends before the boundary that stands at `boundary_at`. */
int multipart_part_finish(struct multipart_parser *p, size_t boundary_at);

/* The faults after which libmodsecurity goes on reading: the message stays, the line is passed over. */
int multipart_fault(struct multipart_parser *p, const char *text);

/* The end of understanding: with `detail` behind the message. MULTIPART_STOP or -ENOMEM. */
int multipart_stop(struct multipart_parser *p, const char *text, struct slice detail);

/* Where a slice of the body stands in it. */
size_t multipart_place(const struct multipart_parser *p, struct slice s);

/* `a`, `between` and `b` in one new piece. */
int multipart_join(struct multipart_parser *p, struct slice a, struct slice between, struct slice b,
		   struct slice *ret_joined);

#endif
