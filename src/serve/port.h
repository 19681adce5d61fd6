/* Whether an address can be listened at, found out by doing it. */
#ifndef GUIA_SERVE_PORT_H
#define GUIA_SERVE_PORT_H

#include "base/slice.h"

/* A text that valid_listen() takes. 0; -EADDRINUSE: somebody has it; -EACCES; -EADDRNOTAVAIL; -errno. */
int port_try(struct slice listen);

#endif
