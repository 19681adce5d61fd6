/* The functions for one hash by themselves: EVP's allocate for each. */
#define OPENSSL_API_COMPAT 10100

#include "drill/tool_keys.h"

#include "base/error.h"

enum {
	BLOCK_BYTES = 64,
	SEED_MOST = 13 + 2 * TOOL_RANDOM_BYTES, /* of "master secret" or "key expansion", with both randoms */
	OPENED_HEAD = TOOL_RECORD_HEAD + TOOL_NONCE_BYTES,
	SIGNED_BYTES = 13, /* number, type, version, length: what a tag vouches for beside the text */
};

struct hmac {
	SHA256_CTX inner, outer;
};

static void hmac_begin(struct hmac *hmac, struct slice key)
{
	uint8_t inner[BLOCK_BYTES], outer[BLOCK_BYTES];
	for (size_t i = 0; i < BLOCK_BYTES; i++) {
		uint8_t byte = i < key.len ? key.ptr[i] : 0;
		inner[i] = byte ^ 0x36;
		outer[i] = byte ^ 0x5c;
	}
	SHA256_Init(&hmac->inner);
	SHA256_Update(&hmac->inner, inner, BLOCK_BYTES);
	SHA256_Init(&hmac->outer);
	SHA256_Update(&hmac->outer, outer, BLOCK_BYTES);
}

static void hmac_of(const struct hmac *hmac, struct slice first, struct slice second, uint8_t out[SHA256_DIGEST_LENGTH])
{
	SHA256_CTX inner = hmac->inner, outer = hmac->outer;
	uint8_t between[SHA256_DIGEST_LENGTH];
	SHA256_Update(&inner, first.ptr, first.len);
	SHA256_Update(&inner, second.ptr, second.len);
	SHA256_Final(between, &inner);
	SHA256_Update(&outer, between, sizeof(between));
	SHA256_Final(out, &outer);
}

/* P_SHA256 with A(i), as RFC 5246, section 5, has it. The secret is no longer than a block. */
static void expand(struct slice secret, const char *label, struct slice with, uint8_t *out, size_t len)
{
	struct hmac hmac;
	uint8_t seed[SEED_MOST], turn[SHA256_DIGEST_LENGTH], part[SHA256_DIGEST_LENGTH];
	size_t label_len = strlen(label);
	memcpy(seed, label, label_len);
	memcpy(seed + label_len, with.ptr, with.len);
	struct slice whole = slice_make(seed, label_len + with.len);
	hmac_begin(&hmac, secret);
	hmac_of(&hmac, whole, slice_make("", 0), turn);
	for (size_t at = 0; at < len; at += sizeof(part)) {
		hmac_of(&hmac, slice_make(turn, sizeof(turn)), whole, part);
		memcpy(out + at, part, len - at < sizeof(part) ? len - at : sizeof(part));
		if (at + sizeof(part) < len)
			hmac_of(&hmac, slice_make(turn, sizeof(turn)), slice_make("", 0), turn);
	}
}

void tool_master(struct slice shared, const uint8_t randoms[2 * TOOL_RANDOM_BYTES], uint8_t master[TOOL_MASTER_BYTES])
{
	expand(shared, "master secret", slice_make(randoms, 2 * TOOL_RANDOM_BYTES), master, TOOL_MASTER_BYTES);
}

/* Of this cipher: no keys for a hash, the client's key, the server's, and the salts likewise. */
void tool_ways(const uint8_t master[TOOL_MASTER_BYTES], const uint8_t randoms[2 * TOOL_RANDOM_BYTES],
	       struct tool_way *client, struct tool_way *server)
{
	uint8_t seed[2 * TOOL_RANDOM_BYTES], block[2 * (TOOL_KEY_BYTES + TOOL_SALT_BYTES)];
	memcpy(seed, randoms + TOOL_RANDOM_BYTES, TOOL_RANDOM_BYTES);
	memcpy(seed + TOOL_RANDOM_BYTES, randoms, TOOL_RANDOM_BYTES);
	expand(slice_make(master, TOOL_MASTER_BYTES), "key expansion", slice_make(seed, sizeof(seed)), block,
	       sizeof(block));
	*client = *server = (struct tool_way){0};
	memcpy(client->key, block, TOOL_KEY_BYTES);
	memcpy(server->key, block + TOOL_KEY_BYTES, TOOL_KEY_BYTES);
	memcpy(client->salt, block + 2 * TOOL_KEY_BYTES, TOOL_SALT_BYTES);
	memcpy(server->salt, block + 2 * TOOL_KEY_BYTES + TOOL_SALT_BYTES, TOOL_SALT_BYTES);
}

void tool_finished(const uint8_t master[TOOL_MASTER_BYTES], const char *label, const SHA256_CTX *said,
		   uint8_t finished[TOOL_FINISHED_BYTES])
{
	SHA256_CTX so_far = *said;
	uint8_t hash[SHA256_DIGEST_LENGTH];
	SHA256_Final(hash, &so_far);
	expand(slice_make(master, TOOL_MASTER_BYTES), label, slice_make(hash, sizeof(hash)), finished,
	       TOOL_FINISHED_BYTES);
}

static EVP_CIPHER_CTX *make_one(bool seal)
{
	EVP_CIPHER_CTX *one = EVP_CIPHER_CTX_new();
	if (one != NULL && EVP_CipherInit_ex(one, EVP_aes_128_gcm(), NULL, NULL, NULL, seal) == 1)
		return one;
	EVP_CIPHER_CTX_free(one);
	return NULL;
}

int tool_ciphers_make(struct tool_ciphers *ret_ciphers)
{
	struct tool_ciphers ciphers = {make_one(true), make_one(false)};
	if (ciphers.seal == NULL || ciphers.open == NULL) {
		tool_ciphers_free(&ciphers);
		return -ENOMEM;
	}
	*ret_ciphers = ciphers;
	return 0;
}

void tool_ciphers_free(struct tool_ciphers *ciphers)
{
	EVP_CIPHER_CTX_free(ciphers->seal);
	EVP_CIPHER_CTX_free(ciphers->open);
	*ciphers = (struct tool_ciphers){0};
}

static void put_number(uint8_t bytes[TOOL_NONCE_BYTES], uint64_t number)
{
	for (size_t i = 0; i < TOOL_NONCE_BYTES; i++)
		bytes[i] = (uint8_t)(number >> (8 * (TOOL_NONCE_BYTES - 1 - i)));
}

/* Key, nonce, and what is signed beside the text. */
static bool begin(EVP_CIPHER_CTX *cipher, const struct tool_way *way, const uint8_t *record, size_t plain_len,
		  bool seal)
{
	uint8_t nonce[TOOL_SALT_BYTES + TOOL_NONCE_BYTES], beside[SIGNED_BYTES];
	int len;
	memcpy(nonce, way->salt, TOOL_SALT_BYTES);
	memcpy(nonce + TOOL_SALT_BYTES, record + TOOL_RECORD_HEAD, TOOL_NONCE_BYTES);
	put_number(beside, way->number);
	memcpy(beside + TOOL_NONCE_BYTES, record, 3);
	beside[SIGNED_BYTES - 2] = (uint8_t)(plain_len >> 8);
	beside[SIGNED_BYTES - 1] = (uint8_t)plain_len;
	return EVP_CipherInit_ex(cipher, NULL, NULL, way->key, nonce, seal) == 1 &&
	       EVP_CipherUpdate(cipher, NULL, &len, beside, sizeof(beside)) == 1;
}

int tool_seal(const struct tool_ciphers *ciphers, struct tool_way *way, uint8_t type, struct slice plain,
	      uint8_t *record)
{
	size_t len = TOOL_NONCE_BYTES + plain.len + TOOL_TAG_BYTES;
	int done;
	record[0] = type;
	record[1] = record[2] = 3; /* TLS 1.2 */
	record[3] = (uint8_t)(len >> 8);
	record[4] = (uint8_t)len;
	put_number(record + TOOL_RECORD_HEAD, way->number);
	if (!begin(ciphers->seal, way, record, plain.len, true) ||
	    EVP_CipherUpdate(ciphers->seal, record + OPENED_HEAD, &done, plain.ptr, (int)plain.len) != 1 ||
	    EVP_CipherFinal_ex(ciphers->seal, record + OPENED_HEAD + plain.len, &done) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ciphers->seal, EVP_CTRL_AEAD_GET_TAG, TOOL_TAG_BYTES,
				record + OPENED_HEAD + plain.len) != 1)
		return -EIO;
	way->number++;
	return 0;
}

int tool_open(const struct tool_ciphers *ciphers, struct tool_way *way, uint8_t *record, size_t len,
	      struct slice *ret_plain)
{
	int done;
	if (len < TOOL_SEALED_MORE)
		return -EIO;
	size_t plain_len = len - TOOL_SEALED_MORE;
	uint8_t *text = record + OPENED_HEAD;
	if (!begin(ciphers->open, way, record, plain_len, false) ||
	    EVP_CipherUpdate(ciphers->open, text, &done, text, (int)plain_len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ciphers->open, EVP_CTRL_AEAD_SET_TAG, TOOL_TAG_BYTES, text + plain_len) != 1 ||
	    EVP_CipherFinal_ex(ciphers->open, text + plain_len, &done) != 1)
		return -EIO;
	way->number++;
	*ret_plain = slice_make(text, plain_len);
	return 0;
}
