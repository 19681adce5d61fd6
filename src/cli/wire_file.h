/* Requests and answers as they are on the wire, in files that the user names. */
#ifndef GUIA_CLI_WIRE_FILE_H
#define GUIA_CLI_WIRE_FILE_H

#include "ftw/exchange.h"

enum {
	WIRE_FILE_BYTES_MOST = 256 << 20,
	STATUS_CLOSED = 444, /* nginx's: the connection is closed without an answer */
};

/* Its bytes, in the arena. CLI_FINE, or an exit code after a message. */
int wire_file_read(const char *path, struct arena *arena, struct slice *ret_bytes);

/* An answer; what it points to is in the arena. CLI_FINE, or an exit code after a message. */
int wire_file_answer(const char *path, struct arena *arena, struct ftw_answer *ret_answer);

/* An origin that gives the same to every request: `answer` is a struct ftw_answer. */
int wire_file_origin(void *answer, const struct request *request, struct arena *arena, struct ftw_answer *ret_answer);

#endif
