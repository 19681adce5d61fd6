/*
 * Self-signed, by OpenSSL's X.509 functions: valid from a day before now to a day after, with every host as an
 * alternative name.
 */
#include "drill/identity.h"

#include "base/error.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum {
	DAY_SECONDS = 24 * 60 * 60,
	SERIAL = 10072024,
};

static bool add_names(X509 *certificate, const char *const *hosts, size_t host_count)
{
	struct buffer names = buffer_make(NULL);
	for (size_t i = 0; i < host_count; i++)
		buffer_printf(&names, "%sDNS:%s", i > 0 ? "," : "", hosts[i]);
	buffer_byte(&names, '\0');
	X509_EXTENSION *extension =
		names.error == 0 ? X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, (char *)names.ptr) : NULL;
	bool good = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	buffer_free(&names);
	return good;
}

static bool fill(X509 *certificate, EVP_PKEY *key, const char *const *hosts, size_t host_count)
{
	X509_NAME *name = X509_get_subject_name(certificate);
	return X509_set_version(certificate, X509_VERSION_3) == 1 &&
	       ASN1_INTEGER_set(X509_get_serialNumber(certificate), SERIAL) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_SECONDS) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(certificate), DAY_SECONDS) != NULL &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)hosts[0], -1, -1, 0) == 1 &&
	       X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
	       add_names(certificate, hosts, host_count) && X509_sign(certificate, key, EVP_sha256()) > 0;
}

static bool write_pem(X509 *certificate, EVP_PKEY *key, struct buffer *out)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	bool good = text != NULL && PEM_write_bio_X509(text, certificate) == 1 &&
		    PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL) == 1;
	long len = good ? BIO_get_mem_data(text, &bytes) : 0;
	buffer_add(out, slice_make(bytes, (size_t)len));
	BIO_free(text);
	return good && out->error == 0;
}

int identity_make(const char *const *hosts, size_t host_count, struct buffer *out)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	bool good = key != NULL && certificate != NULL && fill(certificate, key, hosts, host_count) &&
		    write_pem(certificate, key, out);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return good ? 0 : -EIO;
}
