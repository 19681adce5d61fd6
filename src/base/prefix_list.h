/*
 * A list of prefixes as a file: one a line, with white space around it and a comment behind `#` allowed; empty lines
 * count for nothing.
 */
#ifndef GUIA_BASE_PREFIX_LIST_H
#define GUIA_BASE_PREFIX_LIST_H

#include "base/address.h"

enum { PREFIX_LIST_BYTES_MOST = 8 << 20 }; /* of a file that is one */

enum {
	PREFIX_LIST_BAD = 1,  /* a line is no prefix */
	PREFIX_LIST_LONG = 2, /* more than there may be */
};

/*
 * 0 with a list of the heap, which the caller frees; an outcome above with *ret_line the line's number from 1; or
 * -ENOMEM.
 */
int prefix_list_read(struct slice text, size_t most, struct prefix **ret_prefixes, size_t *ret_count, size_t *ret_line);

/* What an outcome means, for the message that names the line. */
const char *prefix_list_fault(int outcome);

#endif
