/*
 * The user at the other end of a TCP connection of this machine: the kernel is asked for the socket that has our
 * address and port as its peer's (sock_diag(7)). Also of a tunnel of ssh it is the user whom sshd runs it for.
 */
#ifndef GUIA_SCREEN_PEER_H
#define GUIA_SCREEN_PEER_H

#include <sys/types.h>

/* Of a connected socket. 0, -ENOENT: there is no such socket here, or the other end has closed it, or -errno. */
int peer_user(int fd, uid_t *ret_user);

#endif
