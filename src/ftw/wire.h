/*
 * The bytes on the wire of a stage's request, put together as go-ftw does: with `autocomplete_headers` Connection:
 * close, a form's Content-Type and Content-Length are added where they are missing and form data that nobody escaped is
 * escaped; in multipart every bare LF becomes CRLF; nothing else is mended.
 */
#ifndef GUIA_FTW_WIRE_H
#define GUIA_FTW_WIRE_H

#include "ftw/suite.h"

/* `cookie` is sent if not empty and the stage has none of its own. 0, FTW_INVALID (base64 is broken), or -ENOMEM. */
int ftw_wire_request(const struct ftw_input *input, struct slice cookie, struct arena *arena, struct slice *ret_bytes);

/* Standard base64; white space is passed over. 0, FTW_INVALID, or -ENOMEM. */
int ftw_base64(struct slice text, struct arena *arena, struct slice *ret_bytes);

#endif
