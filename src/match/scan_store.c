/* A scan set as bytes, and the key it is found under. Numbers are in the machine's own order: the key names the
 * machine. */
#include "base/error.h"
#include "base/reader.h"
#include "match/scan_internal.h"

#include <openssl/evp.h>
#include <stdlib.h>

enum { FORM = 2 }; /* grows with every change to the form, or to how patterns are prepared */

struct header {
	uint32_t form;
	uint32_t words;
	uint32_t min_width;
	uint32_t pieces;
	uint64_t database_bytes; /* serialised; 0: no database */
};

static void digest_text(EVP_MD_CTX *digest, struct slice s)
{
	uint64_t len = s.len;
	EVP_DigestUpdate(digest, &len, sizeof(len)); /* so that no two lists run together to the same bytes */
	EVP_DigestUpdate(digest, s.ptr, s.len);
}

static void digest_machine(EVP_MD_CTX *digest, const hs_platform_info_t *platform)
{
	uint32_t form = FORM;
	EVP_DigestUpdate(digest, &form, sizeof(form));
	EVP_DigestUpdate(digest, platform, sizeof(*platform));
	digest_text(digest, slice_from_string(hs_version()));
}

int scan_store_key(const struct scan_builder *builder, const hs_platform_info_t *platform,
		   struct scan_cache_key *ret_key)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(digest);
		return -EIO;
	}
	digest_machine(digest, platform);
	for (size_t i = 0; i < builder->count; i++) {
		const struct scan_entry *entry = &builder->entries[i];
		uint32_t numbers[3] = {entry->kind, entry->id, entry->flags};
		EVP_DigestUpdate(digest, numbers, sizeof(numbers));
		digest_text(digest, entry->text);
	}
	int r = EVP_DigestFinal_ex(digest, ret_key->sha256, NULL) == 1 ? 0 : -EIO;
	EVP_MD_CTX_free(digest);
	return r;
}

int scan_store_write(const struct scan_set *set, struct buffer *out)
{
	char *bytes = NULL;
	size_t length = 0;
	if (set->database != NULL && hs_serialize_database(set->database, &bytes, &length) != HS_SUCCESS)
		return -ENOMEM;
	struct header header = {FORM, (uint32_t)set->words, set->min_width, (uint32_t)set->facts.pieces, length};
	buffer_add(out, slice_make(&header, sizeof(header)));
	buffer_add(out, slice_make(set->classes, set->words * 64));
	buffer_add(out, slice_make(bytes, length));
	free(bytes);
	return out->error;
}

static int read_into(struct reader *in, const struct header *header, struct scan_set *set)
{
	struct slice classes = reader_take(in, set->words * 64);
	struct slice database = reader_take(in, header->database_bytes);
	if (in->overrun || !reader_at_end(in))
		return -EBADMSG;
	memcpy(set->classes, classes.ptr, classes.len);
	set->min_width = header->min_width;
	set->facts.pieces = header->pieces;
	set->facts.from_cache = true;
	if (database.len == 0)
		return 0;
	hs_error_t r = hs_deserialize_database((const char *)database.ptr, database.len, &set->database);
	return r == HS_SUCCESS ? 0 : r == HS_NOMEM ? -ENOMEM : -EBADMSG;
}

int scan_store_read(struct slice bytes, struct scan_set **ret_set)
{
	struct reader in = reader_make(bytes);
	struct header header;
	struct slice start = reader_take(&in, sizeof(header));
	if (in.overrun)
		return -EBADMSG;
	memcpy(&header, start.ptr, sizeof(header));
	if (header.form != FORM || header.words > SCAN_ID_MAX / 64)
		return -EBADMSG;
	struct scan_set *set;
	int r = scan_set_make(header.words, &set);
	if (r != 0)
		return r;
	r = read_into(&in, &header, set);
	if (r != 0) {
		scan_set_free(set);
		return r;
	}
	scan_set_finish(set);
	*ret_set = set;
	return 0;
}
