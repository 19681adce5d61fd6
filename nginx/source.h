/* Whose a connection or a request is. */
#ifndef GUIA_NGINX_SOURCE_H
#define GUIA_NGINX_SOURCE_H

#include <ngx_config.h>
#include <ngx_core.h>

#include "limit/ban_image.h"
#include "limit/source_level.h"

#include <sys/socket.h>

/* How directives name the levels of a source: "source=" and so on. */
extern const ngx_str_t gate_level_words[SOURCE_LEVELS];

/* The Internet address of a socket address; all zero for others. */
struct address gate_address(const struct sockaddr *from);

/* Whether it is one of guia_trusted_proxies, which stand for all of their clients. */
bool gate_is_proxy(const struct sockaddr *peer);

#endif
