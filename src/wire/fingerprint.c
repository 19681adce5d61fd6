/* A known name is told by its length and last letter, then compared by words with its case folded. */
#include "wire/fingerprint.h"

#include "base/word.h"

enum { QUERY_BYTES = 2048 };

/* In the order of the enum. */
static const struct slice names[FINGERPRINT_HEADERS] = {
	[FINGERPRINT_OTHER] = SLICE_INIT("other"),
	[FINGERPRINT_ACCEPT] = SLICE_INIT("accept"),
	[FINGERPRINT_ACCEPT_CHARSET] = SLICE_INIT("accept-charset"),
	[FINGERPRINT_ACCEPT_ENCODING] = SLICE_INIT("accept-encoding"),
	[FINGERPRINT_ACCEPT_LANGUAGE] = SLICE_INIT("accept-language"),
	[FINGERPRINT_AUTHORIZATION] = SLICE_INIT("authorization"),
	[FINGERPRINT_CACHE_CONTROL] = SLICE_INIT("cache-control"),
	[FINGERPRINT_CONNECTION] = SLICE_INIT("connection"),
	[FINGERPRINT_CONTENT_LENGTH] = SLICE_INIT("content-length"),
	[FINGERPRINT_CONTENT_TYPE] = SLICE_INIT("content-type"),
	[FINGERPRINT_COOKIE] = SLICE_INIT("cookie"),
	[FINGERPRINT_DNT] = SLICE_INIT("dnt"),
	[FINGERPRINT_HOST] = SLICE_INIT("host"),
	[FINGERPRINT_IF_MODIFIED_SINCE] = SLICE_INIT("if-modified-since"),
	[FINGERPRINT_IF_NONE_MATCH] = SLICE_INIT("if-none-match"),
	[FINGERPRINT_KEEP_ALIVE] = SLICE_INIT("keep-alive"),
	[FINGERPRINT_ORIGIN] = SLICE_INIT("origin"),
	[FINGERPRINT_PRAGMA] = SLICE_INIT("pragma"),
	[FINGERPRINT_PRIORITY] = SLICE_INIT("priority"),
	[FINGERPRINT_RANGE] = SLICE_INIT("range"),
	[FINGERPRINT_REFERER] = SLICE_INIT("referer"),
	[FINGERPRINT_SEC_CH_UA] = SLICE_INIT("sec-ch-ua"),
	[FINGERPRINT_SEC_FETCH_DEST] = SLICE_INIT("sec-fetch-dest"),
	[FINGERPRINT_SEC_FETCH_MODE] = SLICE_INIT("sec-fetch-mode"),
	[FINGERPRINT_SEC_FETCH_SITE] = SLICE_INIT("sec-fetch-site"),
	[FINGERPRINT_SEC_FETCH_USER] = SLICE_INIT("sec-fetch-user"),
	[FINGERPRINT_TE] = SLICE_INIT("te"),
	[FINGERPRINT_UPGRADE_INSECURE_REQUESTS] = SLICE_INIT("upgrade-insecure-requests"),
	[FINGERPRINT_USER_AGENT] = SLICE_INIT("user-agent"),
	[FINGERPRINT_VIA] = SLICE_INIT("via"),
	[FINGERPRINT_X_FORWARDED_FOR] = SLICE_INIT("x-forwarded-for"),
	[FINGERPRINT_X_REQUESTED_WITH] = SLICE_INIT("x-requested-with"),
};

_Static_assert(FINGERPRINT_HEADERS <= 32, "a bit each");

/* Of a name in small letters whose length is the same, and is known where this is inlined. */
static inline __attribute__((always_inline)) bool is_name(struct slice name, struct slice known)
{
	if (known.len < 4) {
		for (size_t i = 0; i < known.len; i++)
			if (byte_lower(name.ptr[i]) != known.ptr[i])
				return false;
		return true;
	}
	if (known.len < 8)
		return word_lower(word_load4(name.ptr)) == word_load4(known.ptr) &&
		       word_lower(word_load4(name.ptr + known.len - 4)) == word_load4(known.ptr + known.len - 4);
	for (size_t i = 0; i + 8 < known.len; i += 8)
		if (word_lower(word_load8(name.ptr + i)) != word_load8(known.ptr + i))
			return false;
	return word_lower(word_load8(name.ptr + known.len - 8)) == word_load8(known.ptr + known.len - 8);
}

#define IS(header)          (is_name(name, names[FINGERPRINT_##header]) ? FINGERPRINT_##header : FINGERPRINT_OTHER)
#define ONE_OF(first, rest) (IS(first) != FINGERPRINT_OTHER ? FINGERPRINT_##first : (rest))

/* Few names share a length and a last letter. */
static enum fingerprint_header header_find(struct slice name)
{
	uint8_t last = name.len > 0 ? byte_lower(name.ptr[name.len - 1]) : 0;
	switch (name.len) {
	case 2:
		return IS(TE);
	case 3:
		return last == 'a' ? IS(VIA) : IS(DNT);
	case 4:
		return IS(HOST);
	case 5:
		return IS(RANGE);
	case 6:
		return last == 't' ? IS(ACCEPT) : last == 'e' ? IS(COOKIE) : last == 'n' ? IS(ORIGIN) : IS(PRAGMA);
	case 7:
		return IS(REFERER);
	case 8:
		return IS(PRIORITY);
	case 9:
		return IS(SEC_CH_UA);
	case 10:
		return last == 't' ? IS(USER_AGENT) : last == 'n' ? IS(CONNECTION) : IS(KEEP_ALIVE);
	case 12:
		return IS(CONTENT_TYPE);
	case 13:
		return last == 'l' ? IS(CACHE_CONTROL) : last == 'h' ? IS(IF_NONE_MATCH) : IS(AUTHORIZATION);
	case 14:
		return last == 'h'   ? IS(CONTENT_LENGTH)
		       : last == 'r' ? IS(SEC_FETCH_USER)
		       : last == 'e' ? ONE_OF(SEC_FETCH_MODE, IS(SEC_FETCH_SITE))
				     : ONE_OF(SEC_FETCH_DEST, IS(ACCEPT_CHARSET));
	case 15:
		return last == 'g' ? IS(ACCEPT_ENCODING) : last == 'e' ? IS(ACCEPT_LANGUAGE) : IS(X_FORWARDED_FOR);
	case 16:
		return IS(X_REQUESTED_WITH);
	case 17:
		return IS(IF_MODIFIED_SINCE);
	case 25:
		return IS(UPGRADE_INSECURE_REQUESTS);
	default:
		return FINGERPRINT_OTHER;
	}
}

uint64_t fingerprint_text(const struct hash_key *key, struct slice text)
{
	uint64_t hash = hash_quick(key, text);
	return hash != 0 ? hash : 1;
}

/* Order matters. What is joined is keyed already. */
static uint64_t join(uint64_t before, uint64_t next)
{
	return (before << 23 | before >> 41) * 0x9e3779b97f4a7c15u + next;
}

void fingerprint_add(struct fingerprint *fingerprint, const struct hash_key *key, struct slice name, struct slice value)
{
	enum fingerprint_header header = header_find(name);
	fingerprint->shape = join(fingerprint->shape, hash_quick(key, name));
	fingerprint->present |= UINT32_C(1) << header;
	if (fingerprint->headers < UINT16_MAX)
		fingerprint->headers++;
	switch (header) {
	case FINGERPRINT_USER_AGENT:
		fingerprint->agent = fingerprint_text(key, value);
		break;
	case FINGERPRINT_ACCEPT:
	case FINGERPRINT_ACCEPT_ENCODING:
		fingerprint->accept = join(fingerprint->accept, fingerprint_text(key, value));
		break;
	case FINGERPRINT_ACCEPT_LANGUAGE:
		fingerprint->language = fingerprint_text(key, value);
		break;
	default:
		break;
	}
}

uint64_t fingerprint_query(const struct hash_key *key, struct slice query)
{
	uint64_t hash = 0;
	query = slice_sub(query, 0, QUERY_BYTES);
	while (query.len > 0) {
		struct slice name, argument;
		query = slice_cut(query, '&', &argument);
		(void)slice_cut(argument, '=', &name);
		hash = join(hash, fingerprint_text(key, name));
	}
	return hash;
}

const char *fingerprint_header_name(unsigned header)
{
	return header < FINGERPRINT_HEADERS ? (const char *)names[header].ptr : "?";
}
