/* Whether a certificate and its key can be used, asked before nginx is: it could not say where they are named. */
#ifndef GUIA_SERVE_CERTIFICATE_H
#define GUIA_SERVE_CERTIFICATE_H

#include "base/arena.h"

/* NULL, or what is wrong, with *ret_path the file it is wrong in. Paths are copied into the arena. */
const char *certificate_fault(struct slice certificate, struct slice key, struct arena *arena, const char **ret_path);

#endif
