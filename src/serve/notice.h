/* What `guia serve` says: to stderr, and into its log once there is one. Each message is one line. */
#ifndef GUIA_SERVE_NOTICE_H
#define GUIA_SERVE_NOTICE_H

#include "base/diagnostic.h"

struct notice {
	int log; /* -1: none yet */
};

void notice_say(const struct notice *notice, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Lines of another program, as they are. */
void notice_quote(const struct notice *notice, struct slice lines);

void notice_diagnostics(const struct notice *notice, const struct diagnostics *list);

#endif
