/* "evidence" of `status`: how far it is sealed, signed and stamped, and what is wrong with it. */
#include "evidence/timestamp.h"
#include "watch/json.h"
#include "watch/witness_inside.h"

static const char *fault_of(const struct writer_state *state)
{
	if (!state->open)
		return state->fault != 0 ? log_fault_text(state->fault) : "it is being opened";
	return state->error != 0 ? strerror(-state->error) : "";
}

static void stamps_add(const struct writer_state *state, struct buffer *out)
{
	json_open(out, "timestamps", '{');
	json_number(out, "taken", state->stamped);
	json_number(out, "waiting", state->stamp_backlog);
	json_number(out, "oldest_s", state->stamp_waits_ms / 1000);
	json_text(out, "fault", state->stamp_error != 0 ? timestamp_fault_text(state->stamp_error) : "");
	buffer_byte(out, '}');
}

static void messages_add(struct body_store *bodies, struct buffer *out)
{
	const struct body_store_state state = body_store_state(bodies);
	json_open(out, "messages", '{');
	json_number(out, "kept", state.kept);
	json_number(out, "lost", state.lost);
	json_text(out, "fault", state.error != 0 ? strerror(-state.error) : "");
	buffer_byte(out, '}');
}

void witness_report(struct witness *witness, struct buffer *out)
{
	char fingerprint[FINGERPRINT_TEXT_BYTES];
	if (witness == NULL)
		return;
	const struct writer_state state = writer_state(witness->writer);
	json_open(out, "evidence", '{');
	json_text(out, "folder", witness->folder);
	json_text(out, "fault", fault_of(&state));
	json_number(out, "lost", state.lost);
	json_number(out, "unsealed_ms", state.unsealed_ms);
	if (state.open) {
		public_key_fingerprint(&state.key, fingerprint);
		json_number(out, "epoch", state.beginning.epoch);
		json_text(out, "new_epoch_because", state.beginning.why != NULL ? state.beginning.why : "");
		json_text(out, "key", fingerprint);
		json_number(out, "sealed", state.sizes.sealed);
		json_number(out, "signed", state.sizes.is_signed);
		json_number(out, "unsigned", state.sizes.sealed - state.sizes.is_signed);
		json_number(out, "unsigned_ms", state.unsigned_ms);
		json_decimal(out, "longest_unsealed_ms", (double)state.longest_unsealed_us / 1e3);
		json_decimal(out, "longest_unsigned_ms", (double)state.longest_unsigned_us / 1e3);
	}
	if (witness->bodies != NULL)
		messages_add(witness->bodies, out);
	if (state.open && witness->has_authority)
		stamps_add(&state, out);
	buffer_byte(out, '}');
}
