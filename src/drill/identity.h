/* A key and a certificate for the five sites, of one's own making: P-256, for a day. */
#ifndef GUIA_DRILL_IDENTITY_H
#define GUIA_DRILL_IDENTITY_H

#include "base/buffer.h"

/* PEM: the certificate, and behind it the key. 0 or -EIO. */
int identity_make(const char *const *hosts, size_t host_count, struct buffer *out);

#endif
