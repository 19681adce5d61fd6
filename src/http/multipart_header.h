/* The two headers that multipart/form-data hangs on, read as libmodsecurity reads them. Part of multipart.c. */
#ifndef GUIA_HTTP_MULTIPART_HEADER_H
#define GUIA_HTTP_MULTIPART_HEADER_H

#include "http/multipart.h"

/* The boundary from the Content-Type of the request. False with *ret_error set; flags are updated either way. */
bool multipart_boundary_parse(struct slice content_type, struct multipart_flags *flags, struct slice *ret_boundary,
			      struct slice *ret_error);

struct content_disposition {
	struct slice name;
	struct slice filename;
	size_t name_offset; /* in the value; of what is between quotes */
	size_t filename_offset;
	bool extended; /* it has filename* */
};

/*
 * The value of a part's Content-Disposition. Every name and filename seen goes into `multipart` (MULTIPART_NAME,
 * MULTIPART_FILENAME), even if the header proves faulty. `disposition` may hold an earlier attempt's names, which count
 * as seen. 0 or -ENOMEM; *ret_number is 1, or the negative number that libmodsecurity's message gives for the fault.
 */
int content_disposition_parse(struct slice value, struct multipart *multipart, struct arena *arena,
			      struct content_disposition *disposition, int *ret_number);

#endif
