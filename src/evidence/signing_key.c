/*
 * Of Ed25519 a SubjectPublicKeyInfo is a head that never changes and the key, so it is neither built nor parsed. What
 * we have of a private key's PEM is wiped.
 */
#include "evidence/signing_key.h"

#include "base/error.h"
#include "base/file.h"
#include "codec/text.h"
#include "evidence/merkle.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

enum { KEY_FILE_BYTES_MOST = 4096 };

struct signing_key {
	EVP_PKEY *pair;
	struct public_key public;
};

/* Takes the pair. */
static int wrap(EVP_PKEY *pair, struct signing_key **ret_key)
{
	size_t len = PUBLIC_KEY_BYTES;
	struct signing_key *key = malloc(sizeof(*key));
	if (key == NULL || EVP_PKEY_get_raw_public_key(pair, key->public.bytes, &len) != 1) {
		free(key);
		EVP_PKEY_free(pair);
		return -ENOMEM;
	}
	key->pair = pair;
	*ret_key = key;
	return 0;
}

static int to_pem(EVP_PKEY *pair, struct buffer *out)
{
	char *text;
	BIO *memory = BIO_new(BIO_s_mem());
	int r = memory != NULL && PEM_write_bio_PrivateKey(memory, pair, NULL, NULL, 0, NULL, NULL) == 1 ? 0 : -ENOMEM;
	if (r == 0) {
		long len = BIO_get_mem_data(memory, &text);
		buffer_add(out, slice_make(text, (size_t)len));
		r = out->error;
	}
	BIO_free(memory);
	return r;
}

int signing_key_create(const char *path, struct signing_key **ret_key)
{
	struct buffer pem = buffer_make(NULL);
	if (access(path, F_OK) == 0)
		return -EEXIST;
	EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	int r = pair == NULL ? -ENOMEM : to_pem(pair, &pem);
	if (r == 0)
		r = file_replace(path, buffer_slice(&pem), 0600);
	if (pem.ptr != NULL)
		OPENSSL_cleanse(pem.ptr, pem.capacity);
	buffer_free(&pem);
	if (r != 0) {
		EVP_PKEY_free(pair);
		ERR_clear_error();
		return r;
	}
	return wrap(pair, ret_key);
}

int signing_key_load(const char *path, struct signing_key **ret_key)
{
	struct buffer pem = buffer_make(NULL);
	int r = file_read(path, KEY_FILE_BYTES_MOST, &pem);
	if (r != 0) {
		buffer_free(&pem);
		return r;
	}
	BIO *memory = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	EVP_PKEY *pair = memory == NULL ? NULL : PEM_read_bio_PrivateKey(memory, NULL, NULL, (void *)"");
	BIO_free(memory);
	if (pem.ptr != NULL)
		OPENSSL_cleanse(pem.ptr, pem.capacity);
	buffer_free(&pem);
	ERR_clear_error();
	if (pair != NULL && EVP_PKEY_get_base_id(pair) == EVP_PKEY_ED25519)
		return wrap(pair, ret_key);
	EVP_PKEY_free(pair);
	return SIGNING_KEY_BAD;
}

void signing_key_free(struct signing_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pair);
	free(key);
}

struct public_key signing_key_public(const struct signing_key *key)
{
	return key->public;
}

int signing_key_sign(const struct signing_key *key, struct slice text, struct key_signature *ret_signature)
{
	struct key_signature signature;
	size_t len = sizeof(signature.bytes);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key->pair) == 1 &&
		    EVP_DigestSign(context, signature.bytes, &len, text.ptr, text.len) == 1;
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	if (!done)
		return -ENOMEM;
	*ret_signature = signature;
	return 0;
}

bool public_key_verify(const struct public_key *key, struct slice text, const struct key_signature *signature)
{
	EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, sizeof(key->bytes));
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = public != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1 &&
		    EVP_DigestVerify(context, signature->bytes, sizeof(signature->bytes), text.ptr, text.len) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(public);
	ERR_clear_error();
	return good;
}

/* RFC 8410, section 4: a sequence of the algorithm's identifier, 1.3.101.112, and a bit string of the key. */
static const uint8_t info_head[PUBLIC_KEY_INFO_BYTES - PUBLIC_KEY_BYTES] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
									    0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

void public_key_info(const struct public_key *key, uint8_t out[PUBLIC_KEY_INFO_BYTES])
{
	memcpy(out, info_head, sizeof(info_head));
	memcpy(out + sizeof(info_head), key->bytes, sizeof(key->bytes));
}

bool public_key_from_info(struct slice info, struct public_key *ret_key)
{
	if (info.len != PUBLIC_KEY_INFO_BYTES || !slice_starts_with(info, slice_make(info_head, sizeof(info_head))))
		return false;
	memcpy(ret_key->bytes, info.ptr + sizeof(info_head), sizeof(ret_key->bytes));
	return true;
}

void public_key_fingerprint(const struct public_key *key, char out[FINGERPRINT_TEXT_BYTES])
{
	uint8_t info[PUBLIC_KEY_INFO_BYTES];
	public_key_info(key, info);
	struct merkle_hash hash = merkle_sha256(slice_make(info, sizeof(info)), slice_make(NULL, 0));
	out[hex_encode(slice_make(hash.bytes, sizeof(hash.bytes)), (uint8_t *)out)] = '\0';
}
