/*
 * multipart/form-data (RFC 7578, RFC 2046) as libmodsecurity reads it, with every flag that rules can ask for. The body
 * is one contiguous slice; names, values and contents are slices of it unless an escape or a folded header made a
 * copy necessary. A value keeps the line breaks inside it (libmodsecurity 3.0.9 loses them).
 */
#ifndef GUIA_HTTP_MULTIPART_H
#define GUIA_HTTP_MULTIPART_H

#include "http/field.h"

struct multipart_options {
	size_t file_limit; /* SecUploadFileLimit; 0 for none. Counts only where files are kept, as libmodsecurity's does
			    */
	bool keep_files;   /* SecUploadKeepFiles or SecTmpSaveUploadedFiles */
	size_t parts_limit; /* a bound of ours on the parts; 0 for none. Reaching it is BODY_MALFORMED */
	/*
	 * Where a part has a header twice, or filename* beside filename (RFC 7578 forbids both), readers disagree on
	 * which counts: with this set such a part is an invalid one.
	 */
	bool unambiguous;
};

/* The values of the variables MULTIPART_*; unmatched_boundary has the values 0, 1 and 2, the others 0 and 1. */
struct multipart_flags {
	uint8_t strict_error; /* MULTIPART_STRICT_ERROR: libmodsecurity's combination of the others */
	uint8_t error;        /* part of strict_error that has no variable of its own */
	uint8_t boundary_quoted;
	uint8_t boundary_whitespace;
	uint8_t data_before;
	uint8_t data_after;
	uint8_t header_folding;
	uint8_t lf_line;
	uint8_t crlf_line; /* no variable: a line that ended in CRLF was seen */
	uint8_t crlf_lf_lines;
	uint8_t missing_semicolon; /* MULTIPART_MISSING_SEMICOLON and MULTIPART_SEMICOLON_MISSING */
	uint8_t invalid_quoting;
	uint8_t invalid_part;
	uint8_t invalid_header_folding;
	uint8_t file_limit_exceeded;
	uint8_t unmatched_boundary;
};

struct multipart_file {
	struct slice name;     /* FILES_NAMES; the key of FILES, FILES_SIZES, FILES_TMP_CONTENT */
	struct slice filename; /* FILES */
	struct slice content;  /* FILES_TMP_CONTENT where files are kept; its length is FILES_SIZES */
	size_t filename_offset;
	size_t content_offset;
	bool kept; /* files are kept, and this one was under the limit */
};

struct multipart {
	struct multipart_flags flags;
	struct field_list arguments;    /* parts that are no files: ARGS, ARGS_POST */
	struct field_list names;        /* MULTIPART_NAME: name and value are the same */
	struct field_list filenames;    /* MULTIPART_FILENAME: likewise */
	struct field_list part_headers; /* MULTIPART_PART_HEADERS: part's name, "Header: value\r\n" */
	struct multipart_file *files;
	size_t file_count;
	size_t files_combined_bytes; /* FILES_COMBINED_SIZE */
	size_t no_files_bytes;       /* what SecRequestBodyNoFilesLimit is compared with */
	struct slice error;          /* the text, where BODY_MALFORMED was returned */
};

/*
 * `content_type` is the header's value. *ret_multipart is set also for BODY_MALFORMED. 0, BODY_MALFORMED or -ENOMEM.
 */
int multipart_parse(struct slice content_type, struct slice body, const struct multipart_options *options,
		    struct arena *arena, struct multipart *ret_multipart);

#endif
