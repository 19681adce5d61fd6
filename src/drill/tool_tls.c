/*
 * A state machine over whole records: what is awaited decides what a message may be. The hash of all messages goes on
 * beside it, and what is to be said in answer is put together as one flight.
 */
#define OPENSSL_API_COMPAT 10100 /* as in tool_keys.c */

#include "drill/tool_tls.h"

#include "base/error.h"
#include "base/random.h"
#include "base/reader.h"

enum {
	CHANGE = 20, /* types of records */
	ALERT = 21,
	HANDSHAKE = 22,
	DATA = 23,
	CLIENT_HELLO = 1, /* of messages */
	SERVER_HELLO = 2,
	SERVER_KEY = 12,
	SERVER_DONE = 14,
	CLIENT_KEY = 16,
	FINISHED = 20,
	MESSAGE_HEAD = 4,
	HOST_MOST = 200,
	POINT_BYTES = 65,
};

#define P256  0, 23
#define SUITE 0xc0, 0x2b /* TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 */

static const uint8_t suites[] = {0, 4, SUITE, 0, 255 /* no renegotiation */, 1, 0 /* no compression */};
/* Groups, forms of points, signatures: ecdsa_secp256r1_sha256. */
static const uint8_t extensions[] = {0, 10, 0, 4, 0, 2, P256, 0, 11, 0, 2, 1, 0, 0, 13, 0, 4, 0, 2, 4, 3};

/* SEC 2, section 2.4.2: the base point, uncompressed. */
static const uint8_t base_point[POINT_BYTES] = {
	0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
	0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f,
	0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce,
	0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
};

struct writer {
	uint8_t *ptr;
	size_t len;
};

static void put(struct writer *w, struct slice bytes)
{
	memcpy(w->ptr + w->len, bytes.ptr, bytes.len);
	w->len += bytes.len;
}

static void put_number(struct writer *w, size_t value, unsigned bytes)
{
	while (bytes-- > 0)
		w->ptr[w->len++] = (uint8_t)(value >> 8 * bytes);
}

/* Its length is filled in by end_message. */
static size_t begin_message(struct writer *w, uint8_t type)
{
	size_t at = w->len;
	put(w, slice_make((const uint8_t[]){HANDSHAKE, 3, 3, 0, 0, type, 0, 0, 0}, TOOL_RECORD_HEAD + MESSAGE_HEAD));
	return at;
}

static void end_message(struct tool_tls *tls, struct writer *w, size_t at)
{
	size_t len = w->len - at - TOOL_RECORD_HEAD;
	struct writer record = {w->ptr + at + 3, 0}, message = {w->ptr + at + TOOL_RECORD_HEAD + 1, 0};
	put_number(&record, len, 2);
	put_number(&message, len - MESSAGE_HEAD, 3);
	SHA256_Update(&tls->said, w->ptr + at + TOOL_RECORD_HEAD, len);
}

/* Whose the random is protects nobody here either. */
static void draw_random(uint64_t *random, uint8_t bytes[TOOL_RANDOM_BYTES])
{
	for (size_t i = 0; i < TOOL_RANDOM_BYTES; i += sizeof(uint64_t)) {
		uint64_t word = random_next(random);
		memcpy(bytes + i, &word, sizeof(word));
	}
}

static void put_extensions(struct writer *w, struct slice host)
{
	put_number(w, 9 + host.len + sizeof(extensions), 2);
	put_number(w, 0, 2); /* the server's name */
	put_number(w, host.len + 5, 2);
	put_number(w, host.len + 3, 2);
	put_number(w, 0, 1);
	put_number(w, host.len, 2);
	put(w, host);
	put(w, slice_make(extensions, sizeof(extensions)));
}

size_t tool_tls_begin(struct tool_tls *tls, const struct tool_ciphers *ciphers, struct tool_session *session,
		      const char *host, uint64_t *random, uint8_t flight[TOOL_FLIGHT_BYTES])
{
	struct writer w = {flight, 0};
	struct slice name = slice_sub(slice_from_string(host), 0, HOST_MOST);
	*tls = (struct tool_tls){.ciphers = ciphers, .session = session};
	draw_random(random, tls->randoms);
	SHA256_Init(&tls->said);
	size_t at = begin_message(&w, CLIENT_HELLO);
	put_number(&w, 0x0303, 2);
	put(&w, slice_make(tls->randoms, TOOL_RANDOM_BYTES));
	put_number(&w, session->id_len, 1);
	put(&w, slice_make(session->id, session->id_len));
	put(&w, slice_make(suites, sizeof(suites)));
	put_extensions(&w, name);
	end_message(tls, &w, at);
	return w.len;
}

ssize_t tool_record_len(struct slice bytes)
{
	if (bytes.len < TOOL_RECORD_HEAD)
		return 0;
	size_t len = TOOL_RECORD_HEAD + (size_t)(bytes.ptr[3] << 8 | bytes.ptr[4]);
	if (bytes.ptr[0] < CHANGE || bytes.ptr[0] > DATA || bytes.ptr[1] != 3 || len > TOOL_RECORD_MOST)
		return -EIO;
	return len <= bytes.len ? (ssize_t)len : 0;
}

static int say_finished(struct tool_tls *tls, struct writer *w)
{
	uint8_t message[MESSAGE_HEAD + TOOL_FINISHED_BYTES] = {FINISHED, 0, 0, TOOL_FINISHED_BYTES};
	put(w, slice_make((const uint8_t[]){CHANGE, 3, 3, 0, 1, 1}, TOOL_RECORD_HEAD + 1));
	tool_finished(tls->next.master, "client finished", &tls->said, message + MESSAGE_HEAD);
	SHA256_Update(&tls->said, message, sizeof(message));
	int r = tool_seal(tls->ciphers, &tls->out, HANDSHAKE, slice_make(message, sizeof(message)), w->ptr + w->len);
	w->len += sizeof(message) + TOOL_SEALED_MORE;
	return r;
}

static int take_hello(struct tool_tls *tls, struct reader *message)
{
	static const uint8_t suite[] = {SUITE};
	reader_skip(message, 2);
	struct slice random = reader_take(message, TOOL_RANDOM_BYTES);
	struct slice id = reader_take(message, reader_byte(message));
	struct slice chosen = reader_take(message, sizeof(suite));
	if (message->overrun || id.len > TOOL_SESSION_BYTES || !slice_equal(chosen, slice_make(suite, sizeof(suite))))
		return -EIO;
	memcpy(tls->randoms + TOOL_RANDOM_BYTES, random.ptr, TOOL_RANDOM_BYTES);
	tls->resumed = id.len > 0 && slice_equal(id, slice_make(tls->session->id, tls->session->id_len));
	tls->next.id_len = id.len;
	memcpy(tls->next.id, id.ptr, id.len);
	tls->awaits = TOOL_AWAITS_KEY;
	if (tls->resumed) {
		memcpy(tls->next.master, tls->session->master, TOOL_MASTER_BYTES);
		tool_ways(tls->next.master, tls->randoms, &tls->out, &tls->in);
		tls->awaits = TOOL_AWAITS_CHANGE;
	}
	return 0;
}

/* Of a point times 1 the first half is what both share. */
static int take_key(struct tool_tls *tls, struct reader *message)
{
	bool good = reader_accept(message, slice_make((const uint8_t[]){3, P256, POINT_BYTES, 4}, 5));
	struct slice shared = reader_take(message, TOOL_SHARED_BYTES);
	if (!good || message->overrun)
		return -EIO;
	memcpy(tls->shared, shared.ptr, TOOL_SHARED_BYTES);
	tls->awaits = TOOL_AWAITS_DONE;
	return 0;
}

static int answer_done(struct tool_tls *tls, struct writer *w)
{
	size_t at = begin_message(w, CLIENT_KEY);
	put_number(w, POINT_BYTES, 1);
	put(w, slice_make(base_point, POINT_BYTES));
	end_message(tls, w, at);
	tool_master(slice_make(tls->shared, TOOL_SHARED_BYTES), tls->randoms, tls->next.master);
	tool_ways(tls->next.master, tls->randoms, &tls->out, &tls->in);
	tls->awaits = TOOL_AWAITS_CHANGE;
	return say_finished(tls, w);
}

/* The tag of its record says that the other end has the keys. */
static int answer_finished(struct tool_tls *tls, struct writer *w)
{
	tls->awaits = TOOL_AWAITS_NOTHING;
	*tls->session = tls->next;
	return tls->resumed ? say_finished(tls, w) : 0;
}

/* What comes between, a certificate, nobody looks at. */
static int take_message(struct tool_tls *tls, uint8_t type, struct slice body, struct writer *w)
{
	struct reader message = reader_make(body);
	if (tls->awaits == TOOL_AWAITS_HELLO)
		return type == SERVER_HELLO ? take_hello(tls, &message) : -EIO;
	if (tls->awaits == TOOL_AWAITS_KEY)
		return type == SERVER_KEY ? take_key(tls, &message) : 0;
	if (tls->awaits == TOOL_AWAITS_DONE)
		return type == SERVER_DONE ? answer_done(tls, w) : 0;
	return tls->awaits == TOOL_AWAITS_FINISHED && type == FINISHED ? answer_finished(tls, w) : -EIO;
}

/* The gate's messages end with their records: each is shorter than one. */
static int take_messages(struct tool_tls *tls, struct slice bytes, struct writer *w)
{
	struct reader all = reader_make(bytes);
	int r = 0;
	while (r == 0 && !reader_at_end(&all)) {
		struct slice whole = reader_rest(&all);
		uint8_t type = reader_byte(&all);
		size_t len = (size_t)reader_byte(&all) << 16;
		len |= (size_t)reader_byte(&all) << 8;
		len |= reader_byte(&all);
		struct slice body = reader_take(&all, len);
		if (all.overrun)
			return -EIO;
		SHA256_Update(&tls->said, whole.ptr, MESSAGE_HEAD + len);
		r = take_message(tls, type, body, w);
	}
	return r;
}

int tool_tls_take(struct tool_tls *tls, uint8_t *record, size_t len, struct tool_answer *ret_answer)
{
	struct writer w = {ret_answer->flight, 0};
	struct slice bytes = slice_make(record + TOOL_RECORD_HEAD, len - TOOL_RECORD_HEAD);
	int r = 0;
	ret_answer->plain = slice_make("", 0);
	ret_answer->flight_len = 0;
	if (record[0] == ALERT)
		return 1;
	if (record[0] == CHANGE) {
		r = tls->awaits == TOOL_AWAITS_CHANGE ? 0 : -EIO;
		tls->awaits = TOOL_AWAITS_FINISHED;
		return r;
	}
	if (tls->awaits >= TOOL_AWAITS_FINISHED)
		r = tool_open(tls->ciphers, &tls->in, record, len, &bytes);
	if (r == 0 && record[0] == HANDSHAKE)
		r = take_messages(tls, bytes, &w);
	else if (r == 0 && tls->awaits == TOOL_AWAITS_NOTHING)
		ret_answer->plain = bytes;
	else if (r == 0)
		r = -EIO;
	ret_answer->flight_len = w.len;
	return r;
}

int tool_tls_say(struct tool_tls *tls, struct slice plain, uint8_t *record)
{
	return tool_seal(tls->ciphers, &tls->out, DATA, plain, record);
}
