/*
 * By OpenSSL's PEM readers: the first certificate of its file, and whether the key is its own. Its names and dates are
 * not looked at.
 */
#include "serve/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>

/* Nobody is asked for a passphrase. */
static int no_passphrase(char *text, int size, int writing, void *context)
{
	(void)text;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static X509 *read_certificate(const char *path)
{
	FILE *file = fopen(path, "re");
	X509 *found = file == NULL ? NULL : PEM_read_X509_AUX(file, NULL, no_passphrase, NULL);
	if (file != NULL)
		fclose(file);
	return found;
}

static EVP_PKEY *read_key(const char *path)
{
	FILE *file = fopen(path, "re");
	EVP_PKEY *found = file == NULL ? NULL : PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
	if (file != NULL)
		fclose(file);
	return found;
}

const char *certificate_fault(struct slice certificate, struct slice key, struct arena *arena, const char **ret_path)
{
	const char *certificate_path = arena_string(arena, certificate), *key_path = arena_string(arena, key);
	const char *fault = NULL;
	if (certificate_path == NULL || key_path == NULL)
		return NULL; /* whoever goes on will be told */
	X509 *public = read_certificate(certificate_path);
	EVP_PKEY *private = read_key(key_path);
	*ret_path = public == NULL ? certificate_path : key_path;
	if (public == NULL)
		fault = "no certificate in PEM";
	else if (private == NULL)
		fault = "no private key in PEM, or one with a passphrase";
	else if (X509_check_private_key(public, private) != 1)
		fault = "the key is not the certificate's";
	X509_free(public);
	EVP_PKEY_free(private);
	ERR_clear_error();
	return fault;
}
