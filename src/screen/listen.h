/* The screen's socket: on the loopback alone. */
#ifndef GUIA_SCREEN_LISTEN_H
#define GUIA_SCREEN_LISTEN_H

#include "base/slice.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* "127.0.0.1:9180", "[::1]:9180". False: it is no such address, or not of the loopback. */
bool listen_parse(struct slice text, struct sockaddr_storage *ret_address, socklen_t *ret_len);

/* 0 with *ret_fd and what stands behind "http://", or -errno. */
int listen_open(const struct sockaddr_storage *address, socklen_t len, int *ret_fd, char name[64]);

#endif
