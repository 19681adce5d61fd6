/* The proof of one record. */
#include "evidence/verify.h"

#include "base/error.h"
#include "evidence/view.h"

int verify_prove(int folder, uint64_t index, struct buffer *proof, struct buffer *record)
{
	struct log_proof made = {.index = index};
	struct view view;
	int r = view_open(folder, &view);
	const struct merkle_source source = view_source(&view);
	const struct checkpoint *checkpoint = &view.checkpoint;
	if (r == 0)
		r = index < checkpoint->size ? view_record(&view, index, record) : -ENOENT;
	if (r == 0)
		r = merkle_prove_inclusion(&source, index, checkpoint->size, &made.inclusion);
	struct merkle_hash leaf = merkle_leaf(buffer_slice(record));
	if (r == 0 && !merkle_verify_inclusion(&made.inclusion, &leaf, index, checkpoint->size, &checkpoint->root))
		r = -EBADMSG;
	if (r == 0) {
		made.note = buffer_slice(&view.note);
		log_proof_write(&made, proof);
		r = proof->error;
	}
	view_close(&view);
	return r;
}
