/* What Hyperscan made of expressions, as bytes, and the key it is found under. Numbers are in the machine's own order:
 * the key names the machine. */
#include "base/error.h"
#include "base/reader.h"
#include "match/scan_internal.h"

#include <openssl/evp.h>
#include <stdlib.h>

static void digest_text(EVP_MD_CTX *digest, struct slice s)
{
	uint64_t len = s.len;
	EVP_DigestUpdate(digest, &len, sizeof(len)); /* so that no two lists run together to the same bytes */
	EVP_DigestUpdate(digest, s.ptr, s.len);
}

int scan_store_key(const struct scan_expressions *expressions, const hs_platform_info_t *platform,
		   struct scan_cache_key *ret_key)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(digest);
		return -EIO;
	}
	digest_text(digest, SLICE("Hyperscan, block mode"));
	digest_text(digest, slice_from_string(hs_version()));
	EVP_DigestUpdate(digest, platform, sizeof(*platform));
	for (size_t i = 0; i < expressions->count; i++) {
		uint32_t numbers[2] = {expressions->flags[i], expressions->ids[i]};
		EVP_DigestUpdate(digest, numbers, sizeof(numbers));
		digest_text(digest, slice_from_string(expressions->texts[i]));
	}
	int r = EVP_DigestFinal_ex(digest, ret_key->sha256, NULL) == 1 ? 0 : -EIO;
	EVP_MD_CTX_free(digest);
	return r;
}

int scan_store_write(const hs_database_t *database, uint32_t refused, struct buffer *out)
{
	char *bytes = NULL;
	size_t len = 0;
	if (database != NULL && hs_serialize_database(database, &bytes, &len) != HS_SUCCESS)
		return -ENOMEM;
	buffer_add(out, slice_make(&refused, sizeof(refused)));
	buffer_add(out, slice_make(bytes, len));
	free(bytes);
	return out->error;
}

int scan_store_read(struct slice bytes, hs_database_t **ret_database, uint32_t *ret_refused)
{
	struct reader in = reader_make(bytes);
	struct slice start = reader_take(&in, sizeof(*ret_refused));
	if (in.overrun)
		return -EBADMSG;
	struct slice rest = reader_rest(&in);
	uint32_t refused;
	memcpy(&refused, start.ptr, sizeof(refused));
	if ((refused == SCAN_STORE_TAKEN) == (rest.len == 0))
		return -EBADMSG;
	if (rest.len > 0) {
		hs_error_t r = hs_deserialize_database((const char *)rest.ptr, rest.len, ret_database);
		if (r != HS_SUCCESS)
			return r == HS_NOMEM ? -ENOMEM : -EBADMSG;
	}
	*ret_refused = refused;
	return 0;
}
