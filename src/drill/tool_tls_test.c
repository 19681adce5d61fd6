#include "drill/tool_tls.h"

#include "base/error.h"
#include "base/test.h"
#include "drill/identity.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>

/* The other end is the library that the gate has. */
struct gate {
	SSL_CTX *context;
	SSL *ssl;
	BIO *heard, *said;
	struct tool_ciphers ciphers;
	uint64_t random;
};

/* A connection of a tool's to the gate. */
struct talk {
	struct tool_tls tls;
	struct buffer read; /* of the application */
	bool over;
};

static int gate_begin(void **state)
{
	static const char *const hosts[] = {"one.example", "two.example"};
	static struct gate gate;
	struct buffer pem = buffer_make(NULL);
	assert_int_equal(identity_make(hosts, 2, &pem), 0);
	BIO *text = BIO_new_mem_buf(pem.ptr, (int)pem.len), *again = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	X509 *certificate = PEM_read_bio_X509(text, NULL, NULL, NULL);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(again, NULL, NULL, NULL);
	gate = (struct gate){.context = SSL_CTX_new(TLS_server_method()), .random = 7};
	SSL_CTX_use_certificate(gate.context, certificate);
	SSL_CTX_use_PrivateKey(gate.context, key);
	SSL_CTX_set_options(gate.context, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_id_context(gate.context, (const unsigned char *)"gate", 4);
	assert_int_equal(tool_ciphers_make(&gate.ciphers), 0);
	X509_free(certificate);
	EVP_PKEY_free(key);
	BIO_free(text);
	BIO_free(again);
	buffer_free(&pem);
	*state = &gate;
	return 0;
}

static int gate_end(void **state)
{
	struct gate *gate = *state;
	tool_ciphers_free(&gate->ciphers);
	SSL_CTX_free(gate->context);
	return 0;
}

static void gate_accept(struct gate *gate)
{
	gate->ssl = SSL_new(gate->context);
	gate->heard = BIO_new(BIO_s_mem());
	gate->said = BIO_new(BIO_s_mem());
	SSL_set_bio(gate->ssl, gate->heard, gate->said);
	SSL_set_accept_state(gate->ssl);
}

static void tell_gate(struct gate *gate, const uint8_t *bytes, size_t len)
{
	assert_int_equal(BIO_write(gate->heard, bytes, (int)len), (int)len);
}

/* All that the gate said meanwhile, a record at a time, and what there is to answer. */
static int hear_gate(struct gate *gate, struct talk *talk)
{
	static uint8_t bytes[64 << 10];
	struct tool_answer answer;
	int count = BIO_read(gate->said, bytes, sizeof(bytes));
	struct slice left = slice_make(bytes, count > 0 ? (size_t)count : 0);
	while (left.len > 0) {
		ssize_t len = tool_record_len(left);
		assert_true(len > 0);
		int r = tool_tls_take(&talk->tls, bytes + (left.ptr - bytes), (size_t)len, &answer);
		if (r < 0)
			return r;
		talk->over = talk->over || r == 1;
		buffer_add(&talk->read, answer.plain);
		if (answer.flight_len > 0)
			tell_gate(gate, answer.flight, answer.flight_len);
		left = slice_after(left, (size_t)len);
	}
	return 0;
}

static void shake_hands(struct gate *gate, struct talk *talk, struct tool_session *session)
{
	uint8_t flight[TOOL_FLIGHT_BYTES];
	gate_accept(gate);
	*talk = (struct talk){.read = buffer_make(NULL)};
	size_t len = tool_tls_begin(&talk->tls, &gate->ciphers, session, "two.example", &gate->random, flight);
	assert_true(len <= sizeof(flight));
	tell_gate(gate, flight, len);
	for (int turn = 0; turn < 3; turn++) {
		(void)SSL_do_handshake(gate->ssl);
		assert_int_equal(hear_gate(gate, talk), 0);
	}
	assert_int_equal(talk->tls.awaits, TOOL_AWAITS_NOTHING);
	assert_true(SSL_is_init_finished(gate->ssl));
}

static void hang_up(struct gate *gate, struct talk *talk)
{
	SSL_set_shutdown(gate->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(gate->ssl);
	buffer_free(&talk->read);
}

static void talk_both_ways(struct gate *gate, struct talk *talk)
{
	uint8_t record[256], read[256];
	static const char page[] = "a page", asked[] = "GET / HTTP/1.1";
	for (int turn = 0; turn < 3; turn++) {
		assert_int_equal(tool_tls_say(&talk->tls, SLICE("GET / HTTP/1.1"), record), 0);
		tell_gate(gate, record, sizeof(asked) - 1 + TOOL_SEALED_MORE);
		assert_int_equal(SSL_read(gate->ssl, read, sizeof(read)), (int)sizeof(asked) - 1);
		assert_memory_equal(read, asked, sizeof(asked) - 1);
		assert_int_equal(SSL_write(gate->ssl, page, sizeof(page) - 1), (int)sizeof(page) - 1);
		buffer_clear(&talk->read);
		assert_int_equal(hear_gate(gate, talk), 0);
		assert_true(slice_equal(buffer_slice(&talk->read), SLICE("a page")));
	}
}

static void the_gate_takes_a_tool_for_a_client(void **state)
{
	struct gate *gate = *state;
	struct talk talk;
	struct tool_session session = {.id_len = 0};
	shake_hands(gate, &talk, &session);
	assert_int_equal(SSL_session_reused(gate->ssl), 0);
	assert_string_equal(SSL_get_cipher_name(gate->ssl), "ECDHE-ECDSA-AES128-GCM-SHA256");
	assert_string_equal(SSL_get_servername(gate->ssl, TLSEXT_NAMETYPE_host_name), "two.example");
	talk_both_ways(gate, &talk);
	hang_up(gate, &talk);
}

static void a_session_is_resumed_as_often_as_one_likes(void **state)
{
	struct gate *gate = *state;
	struct talk talk;
	struct tool_session session = {.id_len = 0};
	for (int turn = 0; turn < 3; turn++) {
		shake_hands(gate, &talk, &session);
		assert_int_equal(SSL_session_reused(gate->ssl), turn > 0);
		assert_int_equal(talk.tls.resumed, turn > 0);
		talk_both_ways(gate, &talk);
		hang_up(gate, &talk);
	}
}

static void a_session_that_the_gate_forgot_is_got_anew(void **state)
{
	struct gate *gate = *state;
	struct talk talk;
	struct tool_session session = {.id_len = TOOL_SESSION_BYTES};
	memset(session.id, 7, sizeof(session.id));
	shake_hands(gate, &talk, &session);
	assert_false(talk.tls.resumed);
	talk_both_ways(gate, &talk);
	hang_up(gate, &talk);
	shake_hands(gate, &talk, &session);
	assert_true(talk.tls.resumed);
	hang_up(gate, &talk);
}

static void what_the_gate_ends_is_over(void **state)
{
	struct gate *gate = *state;
	struct talk talk;
	struct tool_session session = {.id_len = 0};
	shake_hands(gate, &talk, &session);
	SSL_shutdown(gate->ssl);
	assert_int_equal(hear_gate(gate, &talk), 0);
	assert_true(talk.over);
	hang_up(gate, &talk);
}

static void a_changed_record_is_refused(void **state)
{
	struct gate *gate = *state;
	struct talk talk;
	struct tool_session session = {.id_len = 0};
	struct tool_answer answer;
	uint8_t bytes[256];
	shake_hands(gate, &talk, &session);
	(void)SSL_write(gate->ssl, "a page", 6);
	int len = BIO_read(gate->said, bytes, sizeof(bytes));
	bytes[len - 1] ^= 1;
	assert_int_equal(tool_tls_take(&talk.tls, bytes, (size_t)len, &answer), -EIO);
	hang_up(gate, &talk);
}

static void a_record_is_told_by_its_head(void **state)
{
	(void)state;
	assert_int_equal(tool_record_len(SLICE("\x16\x03\x03\x00")), 0);
	assert_int_equal(tool_record_len(SLICE("\x16\x03\x03\x00\x02x")), 0);
	assert_int_equal(tool_record_len(SLICE("\x16\x03\x03\x00\x02xyz")), 7);
	assert_int_equal(tool_record_len(SLICE("HTTP/1.1 400 ")), -EIO);
	assert_int_equal(tool_record_len(SLICE("\x17\x03\x03\xff\xff")), -EIO);
}

static void what_is_no_message_is_refused(void **state)
{
	struct gate *gate = *state;
	struct tool_tls tls;
	struct tool_session session = {.id_len = 0};
	struct tool_answer answer;
	uint8_t flight[TOOL_FLIGHT_BYTES];
	static const uint8_t records[][12] = {
		{22, 3, 3, 0, 4, 2, 0, 0, 9},         /* shorter than it says */
		{22, 3, 3, 0, 4, 2, 0, 0, 0},         /* a hello that says nothing */
		{22, 3, 3, 0, 5, 11, 0, 0, 1, 0},     /* a certificate before the hello */
		{20, 3, 3, 0, 1, 1},                  /* keys before there are any */
		{23, 3, 3, 0, 4, 'p', 'a', 'g', 'e'}, /* a page likewise */
	};
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		uint8_t record[12];
		memcpy(record, records[i], sizeof(record));
		(void)tool_tls_begin(&tls, &gate->ciphers, &session, "one.example", &gate->random, flight);
		assert_int_equal(tool_tls_take(&tls, record, TOOL_RECORD_HEAD + (size_t)record[4], &answer), -EIO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_gate_takes_a_tool_for_a_client),
		cmocka_unit_test(a_session_is_resumed_as_often_as_one_likes),
		cmocka_unit_test(a_session_that_the_gate_forgot_is_got_anew),
		cmocka_unit_test(what_the_gate_ends_is_over),
		cmocka_unit_test(a_changed_record_is_refused),
		cmocka_unit_test(a_record_is_told_by_its_head),
		cmocka_unit_test(what_is_no_message_is_refused),
	};
	return cmocka_run_group_tests(tests, gate_begin, gate_end);
}
