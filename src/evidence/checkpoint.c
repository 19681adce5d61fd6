/* Both forms are read line by line, numbers and hashes in one spelling alone. */
#include "evidence/checkpoint.h"

#include "base/error.h"
#include "base/reader.h"
#include "codec/text.h"

#include <inttypes.h>

static void add_hash(const struct merkle_hash *hash, struct buffer *out)
{
	uint8_t text[(MERKLE_HASH_BYTES + 2) / 3 * 4];
	buffer_add(out, slice_make(text, base64_encode(slice_make(hash->bytes, sizeof(hash->bytes)), text)));
	buffer_byte(out, '\n');
}

static bool read_hash(struct slice line, struct merkle_hash *ret_hash)
{
	return base64_exact(line, ret_hash->bytes, sizeof(ret_hash->bytes));
}

bool decimal_read(struct slice text, uint64_t *ret_number)
{
	uint64_t number = 0;
	if (text.len == 0 || (text.len > 1 && text.ptr[0] == '0'))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!byte_is_digit(text.ptr[i]) || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(text.ptr[i] - '0'), &number))
			return false;
	*ret_number = number;
	return true;
}

void checkpoint_write(const struct checkpoint *checkpoint, struct buffer *out)
{
	buffer_add(out, checkpoint->origin);
	buffer_printf(out, "\n%" PRIu64 "\n", checkpoint->size);
	add_hash(&checkpoint->root, out);
}

bool checkpoint_read(struct slice text, struct checkpoint *ret_checkpoint)
{
	struct reader lines = reader_make(text);
	struct checkpoint read = {.origin = reader_until(&lines, '\n')};
	struct slice size = reader_until(&lines, '\n'), root = reader_until(&lines, '\n');
	if (read.origin.len == 0 || !decimal_read(size, &read.size) || !read_hash(root, &read.root))
		return false;
	while (!reader_at_end(&lines))
		if (reader_until(&lines, '\n').len == 0)
			return false;
	*ret_checkpoint = read;
	return true;
}

int checkpoint_sign(const struct checkpoint *checkpoint, const struct signing_key *key, struct buffer *out)
{
	struct buffer text = buffer_make(NULL);
	checkpoint_write(checkpoint, &text);
	int r = text.error != 0 ? text.error : note_sign(buffer_slice(&text), checkpoint->origin, key, out);
	buffer_free(&text);
	return r;
}

int checkpoint_read_note(struct slice note, struct checkpoint *ret_checkpoint)
{
	struct slice text, signatures;
	int r = note_split(note, &text, &signatures);
	return r == 0 && !checkpoint_read(text, ret_checkpoint) ? NOTE_MALFORMED : r;
}

int checkpoint_verify(struct slice note, const struct public_key *key, struct checkpoint *ret_checkpoint)
{
	struct checkpoint checkpoint;
	struct slice text;
	int r = checkpoint_read_note(note, &checkpoint);
	if (r == 0)
		r = note_verify(note, checkpoint.origin, key, &text);
	if (r == 0)
		*ret_checkpoint = checkpoint;
	return r;
}

/* ---- proofs ---- */

static const char proof_head[] = "c2sp.org/tlog-proof@v1\n";

void log_proof_write(const struct log_proof *proof, struct buffer *out)
{
	buffer_text(out, proof_head);
	buffer_printf(out, "index %" PRIu64 "\n", proof->index);
	for (size_t i = 0; i < proof->inclusion.count; i++)
		add_hash(&proof->inclusion.hashes[i], out);
	buffer_byte(out, '\n');
	buffer_add(out, proof->note);
}

bool log_proof_read(struct slice text, struct log_proof *ret_proof)
{
	struct reader lines = reader_make(text);
	struct log_proof proof = {.index = 0};
	if (!reader_accept(&lines, slice_from_string(proof_head)))
		return false;
	/* Nothing vouches for what an extra line holds. */
	if (reader_accept(&lines, SLICE("extra ")))
		(void)reader_until(&lines, '\n');
	if (!reader_accept(&lines, SLICE("index ")) || !decimal_read(reader_until(&lines, '\n'), &proof.index))
		return false;
	for (;;) {
		if (reader_at_end(&lines))
			return false;
		struct slice line = reader_until(&lines, '\n');
		if (line.len == 0)
			break;
		if (proof.inclusion.count == MERKLE_PROOF_MOST ||
		    !read_hash(line, &proof.inclusion.hashes[proof.inclusion.count++]))
			return false;
	}
	proof.note = reader_rest(&lines);
	*ret_proof = proof;
	return true;
}
