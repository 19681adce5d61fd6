/* The part of a connection that a tool's TLS has: for connection.c, whose contracts these functions share. */
#ifndef GUIA_DRILL_CONNECTION_TOOL_H
#define GUIA_DRILL_CONNECTION_TOOL_H

#include "drill/connection.h"

int connection_tool_greet(struct dial *dial, struct connection *c);
ssize_t connection_tool_write(struct connection *c, struct slice bytes);
ssize_t connection_tool_read(struct connection *c);

/* What it has beside the socket goes. */
void connection_tool_end(struct connection *c);

#endif
