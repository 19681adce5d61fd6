/* SHA-256 of a file, read piece by piece. */
#ifndef GUIA_EVIDENCE_FILE_DIGEST_H
#define GUIA_EVIDENCE_FILE_DIGEST_H

#include "evidence/merkle.h"

/* 0, -ENOMEM, or -errno of the file. */
int file_digest(const char *path, struct merkle_hash *ret_digest);

#endif
