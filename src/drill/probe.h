/* Whether the gate serves yet: asked once for a page, plainly, and waited for. */
#ifndef GUIA_DRILL_PROBE_H
#define GUIA_DRILL_PROBE_H

#include <stdbool.h>

/* From the network namespace that the caller is in. False if no page comes within `wait_ms`. */
bool probe_gate(const char *host, int wait_ms);

#endif
