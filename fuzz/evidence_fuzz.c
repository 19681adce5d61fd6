/* What is read of a log that came from elsewhere: a note, a checkpoint, a proof. */
#include "evidence/checkpoint.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct public_key key = {{1}};
	struct slice text = slice_make(data, size), body, signatures;
	struct buffer again = buffer_make(NULL);
	struct checkpoint checkpoint;
	struct log_proof proof;
	if (checkpoint_verify(text, &key, &checkpoint) == 0)
		abort();
	if (note_split(text, &body, &signatures) == 0 && body.len + 1 + signatures.len != size)
		abort();
	if (checkpoint_read(text, &checkpoint))
		checkpoint_write(&checkpoint, &again);
	if (again.len > size + 1 || (again.len > 0 && memcmp(again.ptr, data, again.len - 1) != 0))
		abort();
	if (log_proof_read(text, &proof) && proof.note.len >= size)
		abort();
	buffer_free(&again);
	return 0;
}
