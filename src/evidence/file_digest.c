/* By libcrypto's EVP, 64 KB at a time, into one context. */
#include "evidence/file_digest.h"

#include "base/error.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 * 1024 };

static int digest_open(int fd, EVP_MD_CTX *context, struct merkle_hash *ret_digest)
{
	uint8_t piece[PIECE_BYTES];
	ssize_t got;
	if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	while ((got = read(fd, piece, sizeof(piece))) != 0) {
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0 && EVP_DigestUpdate(context, piece, (size_t)got) != 1)
			return -ENOMEM;
	}
	return EVP_DigestFinal_ex(context, ret_digest->bytes, NULL) == 1 ? 0 : -ENOMEM;
}

int file_digest(const char *path, struct merkle_hash *ret_digest)
{
	struct merkle_hash digest;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int r = context != NULL ? digest_open(fd, context, &digest) : -ENOMEM;
	EVP_MD_CTX_free(context);
	close(fd);
	if (r == 0)
		*ret_digest = digest;
	return r;
}
