/* One line of a header section, byte for byte as nginx's parser takes it, faults included. Shared by requests and
 * responses. */
#ifndef GUIA_HTTP_HEADER_LINE_H
#define GUIA_HTTP_HEADER_LINE_H

#include "base/reader.h"

struct header_line {
	struct slice name;
	struct slice value;
	bool invalid_name; /* bytes that nginx logs and, by ignore_invalid_headers, drops the line for */
};

enum header_line_outcome {
	HEADER_LINE,
	HEADER_SECTION_END,
	HEADER_BAD, /* the byte before the reader's place is the one at fault, unless the reader overran */
};

/* *ret_line is set for HEADER_LINE only. An '_' is a valid byte of a name if `underscores`. */
enum header_line_outcome header_line_parse(struct reader *r, bool underscores, struct header_line *ret_line);

#endif
