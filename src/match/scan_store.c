/* What Hyperscan made of expressions, as bytes, and the key it is found under. Numbers are in the machine's own order:
 * the key names the machine. */
#include "base/error.h"
#include "base/reader.h"
#include "guia-scan-sources.h"
#include "match/scan_internal.h"

#include <openssl/evp.h>
#include <stdlib.h>

static void digest_text(EVP_MD_CTX *digest, struct slice s)
{
	uint64_t len = s.len;
	EVP_DigestUpdate(digest, &len, sizeof(len)); /* so that no two lists run together to the same bytes */
	EVP_DigestUpdate(digest, s.ptr, s.len);
}

/* What is kept, and the machine. NULL if the digest fails. */
static EVP_MD_CTX *key_begin(struct slice what, const hs_platform_info_t *platform)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(digest);
		return NULL;
	}
	digest_text(digest, what);
	digest_text(digest, slice_from_string(hs_version()));
	EVP_DigestUpdate(digest, platform, sizeof(*platform));
	return digest;
}

static int key_end(EVP_MD_CTX *digest, struct scan_cache_key *ret_key)
{
	int r = EVP_DigestFinal_ex(digest, ret_key->sha256, NULL) == 1 ? 0 : -EIO;
	EVP_MD_CTX_free(digest);
	return r;
}

int scan_store_key(const struct scan_expressions *expressions, const hs_platform_info_t *platform,
		   struct scan_cache_key *ret_key)
{
	EVP_MD_CTX *digest = key_begin(SLICE("Hyperscan, block mode"), platform);
	if (digest == NULL)
		return -EIO;
	for (size_t i = 0; i < expressions->count; i++) {
		uint32_t numbers[2] = {expressions->flags[i], expressions->ids[i]};
		EVP_DigestUpdate(digest, numbers, sizeof(numbers));
		digest_text(digest, slice_from_string(expressions->texts[i]));
	}
	return key_end(digest, ret_key);
}

int scan_store_notes_key(const struct scan_builder *builder, const hs_platform_info_t *platform,
			 struct scan_cache_key *ret_key)
{
	EVP_MD_CTX *digest = key_begin(SLICE("notes, " SCAN_SOURCES ", " __VERSION__), platform);
	const uint32_t machine[2] = {sizeof(void *), marker_is_possible()};
	if (digest == NULL)
		return -EIO;
	EVP_DigestUpdate(digest, machine, sizeof(machine));
	for (size_t i = 0; i < builder->count; i++) {
		const struct scan_entry *entry = &builder->entries[i];
		uint32_t numbers[3] = {entry->kind, entry->id, entry->flags};
		EVP_DigestUpdate(digest, numbers, sizeof(numbers));
		digest_text(digest, entry->text);
	}
	return key_end(digest, ret_key);
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
