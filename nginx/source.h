/* Whose a connection or a request is. */
#ifndef GUIA_NGINX_SOURCE_H
#define GUIA_NGINX_SOURCE_H

#include "limit/ban_image.h"

#include <sys/socket.h>

/* The Internet address of a socket address; all zero for others. */
struct address gate_address(const struct sockaddr *from);

/* Whether it is one of guia_trusted_proxies, which stand for all of their clients. */
bool gate_is_proxy(const struct sockaddr *peer);

#endif
