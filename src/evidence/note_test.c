#include "evidence/checkpoint.h"

#include "base/error.h"
#include "base/test.h"
#include "base/test_cases.h"

#include <openssl/x509.h>
#include <unistd.h>

static struct signing_key *key;

static int set_up(void **state)
{
	char path[] = "/tmp/guia-note-XXXXXX";
	struct signing_key *again;
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(signing_key_create(path, &key), -EEXIST);
	assert_int_equal(signing_key_load(path, &key), SIGNING_KEY_BAD);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(signing_key_load(path, &key), -ENOENT);
	assert_int_equal(signing_key_create(path, &key), 0);
	assert_int_equal(signing_key_load(path, &again), 0);
	struct public_key public = signing_key_public(key), same = signing_key_public(again);
	assert_true(public_key_equal(&public, &same));
	signing_key_free(again);
	assert_int_equal(unlink(path), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	signing_key_free(key);
	return 0;
}

static struct public_key key_of(struct slice verifier)
{
	uint8_t typed[1 + PUBLIC_KEY_BYTES];
	struct public_key public;
	assert_true(base64_exact(verifier, typed, sizeof(typed)));
	assert_int_equal(typed[0], 1);
	memcpy(public.bytes, typed + 1, sizeof(public.bytes));
	return public;
}

/* Columns: the key's name, its identifier, its type and bytes in base64, the note, what comes of it. */
static void notes_of_others(void **state)
{
	struct test_cases cases;
	struct test_case test;
	(void)state;
	test_cases_open(&cases, "src/evidence/note_cases.txt");
	while (test_cases_next(&cases, &test)) {
		struct public_key public = key_of(test.column[2]);
		struct slice text = SLICE("");
		char id[9], *names[] = {"good", "malformed", "badly signed", "unsigned"};
		snprintf(id, sizeof(id), "%08x", note_key_id(test.column[0], &public));
		test_case_expect(&cases, &test, slice_from_string(id), test.column[1]);
		int r = note_verify(test.column[3], test.column[0], &public, &text);
		assert_in_range(r, 0, 3);
		test_case_expect(&cases, &test, slice_from_string(names[r]), test.column[4]);
		assert_int_equal(text.len > 0, r == 0);
	}
	test_cases_close(&cases);
}

static void make(struct buffer *note)
{
	struct checkpoint made = {SLICE("example.com/log"), 70000, merkle_leaf(SLICE("x"))};
	*note = buffer_make(NULL);
	assert_int_equal(checkpoint_sign(&made, key, note), 0);
}

static void a_checkpoint_is_what_was_signed(void **state)
{
	struct public_key public = signing_key_public(key);
	struct checkpoint read;
	struct buffer note;
	(void)state;
	make(&note);
	assert_int_equal(checkpoint_verify(test_fenced(buffer_slice(&note)), &public, &read), 0);
	assert_slice(read.origin, "example.com/log");
	assert_int_equal(read.size, 70000);
	struct merkle_hash root = merkle_leaf(SLICE("x"));
	assert_true(merkle_hash_equal(&read.root, &root));
	buffer_free(&note);
}

static void no_byte_of_it_may_change(void **state)
{
	struct public_key public = signing_key_public(key);
	struct checkpoint read;
	struct buffer note;
	(void)state;
	make(&note);
	for (size_t i = 0; i < note.len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			note.ptr[i] = (uint8_t)(note.ptr[i] ^ 1u << bit);
			assert_int_not_equal(checkpoint_verify(buffer_slice(&note), &public, &read), 0);
			note.ptr[i] = (uint8_t)(note.ptr[i] ^ 1u << bit);
		}
	for (size_t len = 0; len < note.len; len++)
		assert_int_not_equal(checkpoint_verify(slice_make(note.ptr, len), &public, &read), 0);
	buffer_free(&note);
}

/* A line for another key does not disturb; one for this key that is wrong does, wherever it stands. */
static void signatures_of_others_are_passed_over(void **state)
{
	struct public_key public = signing_key_public(key), other = {{1}};
	struct checkpoint read;
	struct buffer note;
	(void)state;
	make(&note);
	buffer_text(&note, "\xe2\x80\x94 witness.example AAAAAAAA\n");
	assert_int_equal(checkpoint_verify(buffer_slice(&note), &public, &read), 0);
	assert_int_equal(checkpoint_verify(buffer_slice(&note), &other, &read), NOTE_UNSIGNED);
	buffer_text(&note, "\xe2\x80\x94 witness example\n\n");
	assert_int_equal(checkpoint_verify(buffer_slice(&note), &public, &read), NOTE_MALFORMED);
	buffer_free(&note);
}

static void a_proof_comes_back_as_it_went(void **state)
{
	struct buffer note, text = buffer_make(NULL);
	(void)state;
	make(&note);
	for (size_t count = 0; count <= MERKLE_PROOF_MOST; count++) {
		struct log_proof proof = {.index = count * 1000,
					  .inclusion = {.count = count},
					  .note = buffer_slice(&note)},
				 read;
		for (size_t i = 0; i < count; i++)
			proof.inclusion.hashes[i] = merkle_leaf(slice_make(&i, sizeof(i)));
		buffer_clear(&text);
		log_proof_write(&proof, &text);
		assert_true(log_proof_read(test_fenced(buffer_slice(&text)), &read));
		assert_int_equal(read.index, proof.index);
		assert_int_equal(read.inclusion.count, count);
		assert_memory_equal(read.inclusion.hashes, proof.inclusion.hashes, count * sizeof(struct merkle_hash));
		assert_true(slice_equal(read.note, buffer_slice(&note)));
	}
	assert_false(log_proof_read(SLICE("c2sp.org/tlog-proof@v1\nindex 01\n\n"), &(struct log_proof){0}));
	assert_false(log_proof_read(SLICE("c2sp.org/tlog-proof@v1\nindex 1\n"), &(struct log_proof){0}));
	assert_false(log_proof_read(SLICE("c2sp.org/tlog-proof@v2\nindex 1\n\n"), &(struct log_proof){0}));
	assert_true(log_proof_read(SLICE("c2sp.org/tlog-proof@v1\nextra AA==\nindex 1\n\nx"), &(struct log_proof){0}));
	buffer_free(&text);
	buffer_free(&note);
}

static void a_key_is_known_by_its_fingerprint(void **state)
{
	struct public_key public = signing_key_public(key), back;
	uint8_t info[PUBLIC_KEY_INFO_BYTES], *encoded = NULL;
	(void)state;
	public_key_info(&public, info);
	EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public.bytes, sizeof(public.bytes));
	assert_int_equal(i2d_PUBKEY(theirs, &encoded), sizeof(info));
	assert_memory_equal(info, encoded, sizeof(info));
	assert_true(public_key_from_info(slice_make(info, sizeof(info)), &back));
	assert_true(public_key_equal(&public, &back));
	info[5] ^= 1;
	assert_false(public_key_from_info(slice_make(info, sizeof(info)), &back));
	assert_false(public_key_from_info(slice_make(info, sizeof(info) - 1), &back));
	OPENSSL_free(encoded);
	EVP_PKEY_free(theirs);
}

int main(void)
{
	const struct CMUnitTest unit_tests[] = {
		cmocka_unit_test(notes_of_others),
		cmocka_unit_test(a_checkpoint_is_what_was_signed),
		cmocka_unit_test(no_byte_of_it_may_change),
		cmocka_unit_test(signatures_of_others_are_passed_over),
		cmocka_unit_test(a_proof_comes_back_as_it_went),
		cmocka_unit_test(a_key_is_known_by_its_fingerprint),
	};
	return cmocka_run_group_tests(unit_tests, set_up, tear_down);
}
