/* What sites that only watch would have blocked: counted from their audit log, by site and by rule. */
#ifndef GUIA_SERVE_DETECTED_H
#define GUIA_SERVE_DETECTED_H

#include "serve/notice.h"

/* Says a line a site. A log that is not there says nothing. 0 or -errno. */
int detected_say(const char *audit_log, const struct notice *notice);

#endif
