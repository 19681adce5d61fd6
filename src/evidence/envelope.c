/*
 * By libcrypto's CMS, which wants a certificate for a recipient: ours signs itself, and nothing of it counts but the
 * key. What we have of a private key's PEM is wiped.
 */
#include "evidence/envelope.h"

#include "base/error.h"
#include "base/file.h"

#include <limits.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <unistd.h>

enum { PEM_BYTES_MOST = 64 * 1024, YEARS = 30 };

struct export_certificate {
	X509 *x509;
};

struct export_key {
	EVP_PKEY *pair;
};

static int add_memory(BIO *memory, struct buffer *out)
{
	char *text;
	long len = BIO_get_mem_data(memory, &text);
	buffer_add(out, slice_make(text, len < 0 ? 0 : (size_t)len));
	return out->error;
}

/* ---- making ---- */

static X509 *self_signed(EVP_PKEY *pair)
{
	X509 *x509 = X509_new();
	X509_NAME *name = x509 == NULL ? NULL : X509_get_subject_name(x509);
	bool good = name != NULL && X509_set_version(x509, X509_VERSION_3) == 1 &&
		    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1 &&
		    X509_gmtime_adj(X509_getm_notBefore(x509), 0) != NULL &&
		    X509_time_adj_ex(X509_getm_notAfter(x509), YEARS * 365, 0, NULL) != NULL &&
		    X509_set_pubkey(x509, pair) == 1 &&
		    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"guia evidence export", -1,
					       -1, 0) == 1 &&
		    X509_set_issuer_name(x509, name) == 1 && X509_sign(x509, pair, EVP_sha256()) > 0;
	if (good)
		return x509;
	X509_free(x509);
	return NULL;
}

static int write_pair(EVP_PKEY *pair, X509 *x509, const char *key_path, const char *certificate_path)
{
	BIO *memory = BIO_new(BIO_s_secmem()), *public = BIO_new(BIO_s_mem());
	struct buffer key = buffer_make(NULL), certificate = buffer_make(NULL);
	bool good = memory != NULL && public != NULL &&
		    PEM_write_bio_PrivateKey(memory, pair, NULL, NULL, 0, NULL, NULL) == 1 &&
		    PEM_write_bio_X509(public, x509) == 1;
	int r = good ? add_memory(memory, &key) : -ENOMEM;
	r = r != 0 ? r : add_memory(public, &certificate);
	r = r != 0 ? r : file_replace(key_path, buffer_slice(&key), 0600);
	r = r != 0 ? r : file_replace(certificate_path, buffer_slice(&certificate), 0644);
	if (key.ptr != NULL)
		OPENSSL_cleanse(key.ptr, key.capacity);
	buffer_free(&key);
	buffer_free(&certificate);
	BIO_free(memory);
	BIO_free(public);
	return r;
}

int export_key_create(const char *key_path, const char *certificate_path)
{
	if (access(key_path, F_OK) == 0 || access(certificate_path, F_OK) == 0)
		return -EEXIST;
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	X509 *x509 = pair == NULL ? NULL : self_signed(pair);
	int r = x509 == NULL ? -ENOMEM : write_pair(pair, x509, key_path, certificate_path);
	X509_free(x509);
	EVP_PKEY_free(pair);
	ERR_clear_error();
	return r;
}

/* ---- reading ---- */

/* Of an algorithm or a curve that libcrypto does not know there is no key at all. */
static bool has_curve(const X509 *x509)
{
	EVP_PKEY *key = x509 == NULL ? NULL : X509_get0_pubkey(x509);
	return key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC;
}

int export_certificate_load(const char *path, struct export_certificate **ret_certificate)
{
	struct buffer pem = buffer_make(NULL);
	int r = file_read(path, PEM_BYTES_MOST, &pem);
	BIO *memory = r != 0 ? NULL : BIO_new_mem_buf(pem.ptr, (int)pem.len);
	X509 *x509 = memory == NULL ? NULL : PEM_read_bio_X509(memory, NULL, NULL, (void *)"");
	struct export_certificate *certificate = malloc(sizeof(*certificate));
	BIO_free(memory);
	buffer_free(&pem);
	if (r == 0 && !has_curve(x509))
		r = ENVELOPE_BAD;
	ERR_clear_error();
	if (r == 0 && certificate == NULL)
		r = -ENOMEM;
	if (r != 0) {
		X509_free(x509);
		free(certificate);
		return r;
	}
	certificate->x509 = x509;
	*ret_certificate = certificate;
	return 0;
}

void export_certificate_free(struct export_certificate *certificate)
{
	if (certificate != NULL)
		X509_free(certificate->x509);
	free(certificate);
}

int export_key_load(const char *path, struct export_key **ret_key)
{
	struct buffer pem = buffer_make(NULL);
	int r = file_read(path, PEM_BYTES_MOST, &pem);
	BIO *memory = r != 0 ? NULL : BIO_new_mem_buf(pem.ptr, (int)pem.len);
	EVP_PKEY *pair = memory == NULL ? NULL : PEM_read_bio_PrivateKey(memory, NULL, NULL, (void *)"");
	struct export_key *key = malloc(sizeof(*key));
	BIO_free(memory);
	if (pem.ptr != NULL)
		OPENSSL_cleanse(pem.ptr, pem.capacity);
	buffer_free(&pem);
	ERR_clear_error();
	if (r == 0 && (pair == NULL || EVP_PKEY_get_base_id(pair) != EVP_PKEY_EC))
		r = ENVELOPE_BAD;
	if (r == 0 && key == NULL)
		r = -ENOMEM;
	if (r != 0) {
		EVP_PKEY_free(pair);
		free(key);
		return r;
	}
	key->pair = pair;
	*ret_key = key;
	return 0;
}

void export_key_free(struct export_key *key)
{
	if (key != NULL)
		EVP_PKEY_free(key->pair);
	free(key);
}

/* ---- envelopes ---- */

static bool add_recipient(CMS_ContentInfo *cms, X509 *x509)
{
	CMS_RecipientInfo *recipient = CMS_add1_recipient_cert(cms, x509, CMS_KEY_PARAM);
	EVP_PKEY_CTX *context = recipient == NULL ? NULL : CMS_RecipientInfo_get0_pkey_ctx(recipient);
	/* libcrypto's own choice is SHA-1. */
	return context != NULL && EVP_PKEY_CTX_set_ecdh_kdf_md(context, EVP_sha256()) == 1;
}

int envelope_seal(const struct export_certificate *certificate, struct slice content, struct buffer *out)
{
	const unsigned flags = CMS_BINARY | CMS_PARTIAL;
	uint8_t *der = NULL;
	CMS_ContentInfo *cms = content.len > INT_MAX ? NULL : CMS_encrypt(NULL, NULL, EVP_aes_256_gcm(), flags);
	BIO *memory = cms == NULL ? NULL : BIO_new_mem_buf(content.ptr, (int)content.len);
	bool good = memory != NULL && add_recipient(cms, certificate->x509) &&
		    CMS_final(cms, memory, NULL, CMS_BINARY) == 1;
	int len = good ? i2d_CMS_ContentInfo(cms, &der) : -1;
	if (len > 0)
		buffer_add(out, slice_make(der, (size_t)len));
	OPENSSL_free(der);
	BIO_free(memory);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return len > 0 ? out->error : -ENOMEM;
}

int envelope_open(const struct export_key *key, struct slice envelope, struct buffer *out)
{
	const uint8_t *at = envelope.ptr;
	CMS_ContentInfo *cms = envelope.len > INT_MAX ? NULL : d2i_CMS_ContentInfo(NULL, &at, (long)envelope.len);
	BIO *memory = BIO_new(BIO_s_mem());
	int r = memory == NULL ? -ENOMEM : 0;
	if (r == 0 && (cms == NULL || at != envelope.ptr + envelope.len ||
		       CMS_decrypt(cms, key->pair, NULL, NULL, memory, CMS_BINARY) != 1))
		r = ENVELOPE_OTHER_KEY;
	r = r != 0 ? r : add_memory(memory, out);
	BIO_free(memory);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return r;
}
