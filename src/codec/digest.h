/*
 * MD5 (RFC 1321) and SHA-1 (RFC 3174), for the transformations of these names only: neither is fit to protect
 * anything. Nothing is allocated.
 */
#ifndef GUIA_CODEC_DIGEST_H
#define GUIA_CODEC_DIGEST_H

#include "base/slice.h"

enum { DIGEST_MD5_BYTES = 16, DIGEST_SHA1_BYTES = 20 };

void digest_md5(struct slice in, uint8_t out[DIGEST_MD5_BYTES]);
void digest_sha1(struct slice in, uint8_t out[DIGEST_SHA1_BYTES]);

#endif
