/*
 * What a person undoes on the screen, passed on to the watch in his name: the watch believes this process, which has
 * asked the kernel who is at the other end of the connection (peer.h).
 */
#ifndef GUIA_SCREEN_ORDERS_H
#define GUIA_SCREEN_ORDERS_H

#include "base/buffer.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * `order` is "unban PREFIX", "open SITE" or "lift ID", as the page's buttons say. Waits for the watch's word, three
 * seconds at most. Whether it was done; *ret_said is what was, or why not, in English.
 */
bool orders_pass_on(const char *control, uid_t who, const char *order, const char *why, struct buffer *ret_said);

#endif
