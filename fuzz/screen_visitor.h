/* The screen's server on a loopback address of its own, a person who is let in, and whatever comes to it as a request.
 */
#ifndef GUIA_FUZZ_SCREEN_VISITOR_H
#define GUIA_FUZZ_SCREEN_VISITOR_H

#include "base/buffer.h"
#include "screen/sessions.h"

/* Bytes that stand for what nobody can guess: the person's cookie, the token of his forms, an address's token. */
enum { VISITOR_COOKIE = 1, VISITOR_FORM, VISITOR_TICKET };

/* Sends it as it is but for those bytes; *answer is all that came back. What the person's session is then, with the
 * news of an order that was passed on; it is told but once. */
const struct session *visitor_ask(const uint8_t *data, size_t size, struct buffer *answer);

#endif
