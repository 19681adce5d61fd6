/* A scan set as bytes, and the key it is found under. Numbers are in the machine's own order: the key names the
 * machine. */
#include "base/error.h"
#include "base/reader.h"
#include "match/scan_internal.h"

#include <openssl/evp.h>
#include <stdlib.h>

enum { FORM = 4 }; /* grows with every change to the form, or to how patterns are prepared */

struct header {
	uint32_t form;
	uint32_t min_width;
	uint64_t entries;
	uint64_t database_bytes; /* serialised; 0: no database */
	uint64_t backup_bytes;
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

static int serialise(const hs_database_t *database, char **ret_bytes, size_t *ret_len)
{
	if (database == NULL)
		return 0;
	return hs_serialize_database(database, ret_bytes, ret_len) == HS_SUCCESS ? 0 : -ENOMEM;
}

int scan_store_write(const struct scan_set *set, struct buffer *out)
{
	char *bytes[2] = {NULL, NULL};
	size_t lengths[2] = {0, 0};
	int r = serialise(set->database, &bytes[0], &lengths[0]);
	if (r == 0)
		r = serialise(set->backup, &bytes[1], &lengths[1]);
	if (r == 0) {
		struct header header = {FORM, set->min_width, set->route_count, lengths[0], lengths[1]};
		buffer_add(out, slice_make(&header, sizeof(header)));
		buffer_add(out, slice_make(set->routes, set->route_count));
		buffer_add(out, slice_make(bytes[0], lengths[0]));
		buffer_add(out, slice_make(bytes[1], lengths[1]));
		r = out->error;
	}
	free(bytes[0]);
	free(bytes[1]);
	return r;
}

static int deserialise(struct slice bytes, hs_database_t **ret_database)
{
	if (bytes.len == 0)
		return 0;
	hs_error_t r = hs_deserialize_database((const char *)bytes.ptr, bytes.len, ret_database);
	return r == HS_SUCCESS ? 0 : r == HS_NOMEM ? -ENOMEM : -EBADMSG;
}

static int read_into(const struct scan_builder *builder, struct reader *in, const struct header *header,
		     struct scan_set *set)
{
	struct slice routes = reader_take(in, header->entries);
	struct slice database = reader_take(in, header->database_bytes);
	struct slice backup = reader_take(in, header->backup_bytes);
	if (in->overrun || !reader_at_end(in))
		return -EBADMSG;
	for (size_t i = 0; i < routes.len; i++) {
		if (routes.ptr[i] > SCAN_ROUTE_NONE)
			return -EBADMSG;
		set->routes[i] = routes.ptr[i];
	}
	set->min_width = header->min_width;
	set->facts.from_cache = true;
	int r = deserialise(database, &set->database);
	if (r == 0)
		r = deserialise(backup, &set->backup);
	return r != 0 ? r : scan_automata_build(builder, set);
}

int scan_store_read(const struct scan_builder *builder, struct slice bytes, struct scan_set **ret_set)
{
	struct reader in = reader_make(bytes);
	struct header header;
	struct slice start = reader_take(&in, sizeof(header));
	if (in.overrun)
		return -EBADMSG;
	memcpy(&header, start.ptr, sizeof(header));
	if (header.form != FORM || header.entries != builder->count)
		return -EBADMSG;
	struct scan_set *set;
	int r = scan_set_make(builder, &set);
	if (r != 0)
		return r;
	r = read_into(builder, &in, &header, set);
	if (r != 0) {
		scan_set_free(set);
		return r;
	}
	scan_set_finish(builder, set);
	*ret_set = set;
	return 0;
}
