/* A reply as it goes out: compressed where that is taken, and with what keeps a browser from anything but this. */
#ifndef GUIA_SCREEN_SEND_H
#define GUIA_SCREEN_SEND_H

#include "screen/visit.h"

#include <microhttpd.h>

/* Queues it. `stream` is what goes on, in place of a body; NULL: nothing does. */
enum MHD_Result send_reply(const struct visit *visit, const struct reply *reply, struct MHD_Response *stream);

#endif
