/*
 * What is sent and what comes back, as bytes; timestamp_ask.c does the sending. Whether a reply answers a query is told
 * by digest and nonce; only timestamp_verify() looks at its signature.
 */
#include "evidence/timestamp.h"

#include "base/error.h"
#include "evidence/merkle.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <time.h>
#include <unistd.h>

static struct merkle_hash digest(struct slice content)
{
	return merkle_sha256(content, slice_make(NULL, 0));
}

const char *timestamp_fault_text(int fault)
{
	switch (fault) {
	case TIMESTAMP_MALFORMED:
		return "what the authority answers is no timestamp";
	case TIMESTAMP_REFUSED:
		return "the authority grants none";
	case TIMESTAMP_OTHER:
		return "the authority's timestamp is of something else";
	case TIMESTAMP_UNTRUSTED:
		return "the timestamp is not by whom the certificates vouch for";
	case -EINVAL:
		return "the authority's address is none";
	case -EPROTO:
		return "the authority answers with an error";
	default:
		return strerror(-fault);
	}
}

/* ---- the query ---- */

static TS_MSG_IMPRINT *make_imprint(struct slice content)
{
	struct merkle_hash hash = digest(content);
	TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR *algorithm = X509_ALGOR_new();
	bool done = imprint != NULL && algorithm != NULL &&
		    X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
		    TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
		    TS_MSG_IMPRINT_set_msg(imprint, hash.bytes, sizeof(hash.bytes)) == 1;
	X509_ALGOR_free(algorithm);
	if (done)
		return imprint;
	TS_MSG_IMPRINT_free(imprint);
	return NULL;
}

static bool set_nonce(TS_REQ *request)
{
	uint8_t bytes[8];
	ASN1_INTEGER *nonce = ASN1_INTEGER_new();
	bool done = nonce != NULL && RAND_bytes(bytes, sizeof(bytes)) == 1;
	if (done) {
		bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
		done = ASN1_STRING_set(nonce, bytes, sizeof(bytes)) == 1 && TS_REQ_set_nonce(request, nonce) == 1;
	}
	ASN1_INTEGER_free(nonce);
	return done;
}

int timestamp_query(struct slice content, struct buffer *out)
{
	uint8_t *encoded = NULL;
	TS_REQ *request = TS_REQ_new();
	TS_MSG_IMPRINT *imprint = make_imprint(content);
	bool done = request != NULL && imprint != NULL && TS_REQ_set_version(request, 1) == 1 &&
		    TS_REQ_set_msg_imprint(request, imprint) == 1 && set_nonce(request) &&
		    TS_REQ_set_cert_req(request, 1) == 1;
	int len = done ? i2d_TS_REQ(request, &encoded) : -1;
	if (len > 0)
		buffer_add(out, slice_make(encoded, (size_t)len));
	OPENSSL_free(encoded);
	TS_MSG_IMPRINT_free(imprint);
	TS_REQ_free(request);
	ERR_clear_error();
	return len > 0 ? out->error : -ENOMEM;
}

/* ---- the reply ---- */

static TS_RESP *parse(struct slice reply)
{
	const uint8_t *at = reply.ptr;
	TS_RESP *response = reply.len > TIMESTAMP_REPLY_BYTES_MOST ? NULL : d2i_TS_RESP(NULL, &at, (long)reply.len);
	ERR_clear_error();
	if (response == NULL || at == reply.ptr + reply.len)
		return response;
	TS_RESP_free(response);
	return NULL;
}

/* Granted, or granted with changes, and with a token. */
static TS_TST_INFO *granted(TS_RESP *response)
{
	const ASN1_INTEGER *status = TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(response));
	long value = ASN1_INTEGER_get(status);
	return value == TS_STATUS_GRANTED || value == TS_STATUS_GRANTED_WITH_MODS ? TS_RESP_get_tst_info(response)
										  : NULL;
}

static bool is_of(TS_TST_INFO *info, const struct merkle_hash *hash)
{
	TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(info);
	const ASN1_OCTET_STRING *message = TS_MSG_IMPRINT_get_msg(imprint);
	const ASN1_OBJECT *algorithm;
	X509_ALGOR_get0(&algorithm, NULL, NULL, TS_MSG_IMPRINT_get_algo(imprint));
	return OBJ_obj2nid(algorithm) == NID_sha256 && ASN1_STRING_length(message) == (int)sizeof(hash->bytes) &&
	       memcmp(ASN1_STRING_get0_data(message), hash->bytes, sizeof(hash->bytes)) == 0;
}

int timestamp_answers(struct slice query, struct slice reply)
{
	const uint8_t *at = query.ptr;
	TS_REQ *request = d2i_TS_REQ(NULL, &at, (long)query.len);
	TS_RESP *response = parse(reply);
	TS_TST_INFO *info = response == NULL ? NULL : granted(response);
	int r = request == NULL || response == NULL ? TIMESTAMP_MALFORMED : info == NULL ? TIMESTAMP_REFUSED : 0;
	if (r == 0) {
		const ASN1_OCTET_STRING *asked = TS_MSG_IMPRINT_get_msg(TS_REQ_get_msg_imprint(request));
		const ASN1_INTEGER *nonce = TS_TST_INFO_get_nonce(info);
		struct merkle_hash hash = {{0}};
		if (ASN1_STRING_length(asked) == (int)sizeof(hash.bytes))
			memcpy(hash.bytes, ASN1_STRING_get0_data(asked), sizeof(hash.bytes));
		bool same =
			is_of(info, &hash) && nonce != NULL && ASN1_INTEGER_cmp(nonce, TS_REQ_get_nonce(request)) == 0;
		r = same ? 0 : TIMESTAMP_OTHER;
	}
	TS_RESP_free(response);
	TS_REQ_free(request);
	ERR_clear_error();
	return r;
}

static bool read_time(TS_TST_INFO *info, uint64_t *ret_ms)
{
	struct tm when;
	const ASN1_GENERALIZEDTIME *time = TS_TST_INFO_get_time(info);
	if (time == NULL || ASN1_TIME_to_tm(time, &when) != 1)
		return false;
	time_t seconds = timegm(&when);
	*ret_ms = seconds < 0 ? 0 : (uint64_t)seconds * 1000;
	return seconds >= 0;
}

int timestamp_read(struct slice reply, struct slice content, uint64_t *ret_time_ms)
{
	struct merkle_hash hash = digest(content);
	TS_RESP *response = parse(reply);
	TS_TST_INFO *info = response == NULL ? NULL : granted(response);
	int r = response == NULL ? TIMESTAMP_MALFORMED : info == NULL ? TIMESTAMP_REFUSED : 0;
	if (r == 0 && !is_of(info, &hash))
		r = TIMESTAMP_OTHER;
	if (r == 0 && !read_time(info, ret_time_ms))
		r = TIMESTAMP_MALFORMED;
	TS_RESP_free(response);
	ERR_clear_error();
	return r;
}

static TS_VERIFY_CTX *verification(const char *authorities, const struct merkle_hash *hash)
{
	TS_VERIFY_CTX *context = TS_VERIFY_CTX_new();
	X509_STORE *store = X509_STORE_new();
	/* The context frees what it is given, and it is given what openssl's own allocator made. */
	uint8_t *imprint = OPENSSL_memdup(hash->bytes, sizeof(hash->bytes));
	if (context == NULL || store == NULL || imprint == NULL || X509_STORE_load_file(store, authorities) != 1) {
		X509_STORE_free(store);
		OPENSSL_free(imprint);
		TS_VERIFY_CTX_free(context);
		return NULL;
	}
	(void)TS_VERIFY_CTX_set_flags(context, TS_VFY_VERSION | TS_VFY_SIGNATURE | TS_VFY_IMPRINT);
	(void)TS_VERIFY_CTX_set_imprint(context, imprint, sizeof(hash->bytes));
	(void)TS_VERIFY_CTX_set_store(context, store);
	return context;
}

bool timestamp_authorities_readable(const char *path)
{
	X509_STORE *store = X509_STORE_new();
	bool readable = store != NULL && X509_STORE_load_file(store, path) == 1;
	X509_STORE_free(store);
	ERR_clear_error();
	return readable;
}

int timestamp_verify(struct slice reply, struct slice content, const char *authorities)
{
	struct merkle_hash hash = digest(content);
	uint64_t time_ms;
	int r = timestamp_read(reply, content, &time_ms);
	if (r != 0)
		return r;
	if (access(authorities, R_OK) != 0)
		return -errno;
	TS_VERIFY_CTX *context = verification(authorities, &hash);
	TS_RESP *response = parse(reply);
	if (context == NULL || response == NULL)
		r = TIMESTAMP_UNTRUSTED;
	else if (TS_RESP_verify_response(context, response) != 1)
		r = TIMESTAMP_UNTRUSTED;
	TS_RESP_free(response);
	TS_VERIFY_CTX_free(context);
	ERR_clear_error();
	return r;
}
