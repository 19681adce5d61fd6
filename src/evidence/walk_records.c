/* What the records of an epoch say of it: keys, gaps, deletions, the clock. */
#include "evidence/walk_inside.h"

#include "base/clock.h"
#include "base/vector.h"
#include "codec/text.h"
#include "evidence/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void walk_find(struct walk *walk, enum finding finding, uint64_t record, const char *format, ...)
{
	va_list arguments;
	if (walk->finding != FINDING_NONE)
		return;
	walk->finding = finding;
	walk->record = record;
	va_start(arguments, format);
	vsnprintf(walk->what, sizeof(walk->what), format, arguments);
	va_end(arguments);
}

static struct slice base64_value(const struct leaf_value *value)
{
	return value == NULL ? slice_make("", 0) : value->bytes;
}

bool walk_read_key(const struct leaf *leaf, const char *name, struct public_key *ret_key)
{
	uint8_t info[PUBLIC_KEY_INFO_BYTES];
	const struct leaf_value *value = leaf_get(leaf, name);
	return value != NULL && base64_exact(value->bytes, info, sizeof(info)) &&
	       public_key_from_info(slice_make(info, sizeof(info)), ret_key);
}

static bool hex_read(const struct leaf_value *value, struct merkle_hash *ret_hash)
{
	return value != NULL && hex_exact(value->bytes, ret_hash->bytes, sizeof(ret_hash->bytes));
}

void key_rotation_text(uint64_t size, const struct merkle_hash *root, const struct public_key *old_key,
		       const struct public_key *new_key, struct buffer *out)
{
	char old_print[FINGERPRINT_TEXT_BYTES], new_print[FINGERPRINT_TEXT_BYTES];
	uint8_t hex[2 * MERKLE_HASH_BYTES];
	public_key_fingerprint(old_key, old_print);
	public_key_fingerprint(new_key, new_print);
	buffer_printf(out, "guia evidence key rotation\n%" PRIu64 "\n", size);
	buffer_add(out, slice_make(hex, hex_encode(slice_make(root->bytes, sizeof(root->bytes)), hex)));
	buffer_printf(out, "\n%s\n%s\n", old_print, new_print);
}

static bool rotation_holds(const struct walk *walk, const struct leaf *leaf, struct public_key *ret_key)
{
	struct public_key old = walk->keys[walk->key_count - 1].key, given, new;
	struct key_signature old_signature, new_signature;
	struct merkle_hash root = merkle_root(&walk->frontier), told;
	struct buffer text = buffer_make(NULL);
	if (!walk_read_key(leaf, "old_key", &given) || !walk_read_key(leaf, "new_key", &new) ||
	    !public_key_equal(&given, &old) || leaf_get(leaf, "size")->number != walk->frontier.size ||
	    !hex_read(leaf_get(leaf, "root"), &told) || !merkle_hash_equal(&told, &root) ||
	    !base64_exact(base64_value(leaf_get(leaf, "old_signature")), old_signature.bytes, SIGNATURE_BYTES) ||
	    !base64_exact(base64_value(leaf_get(leaf, "new_signature")), new_signature.bytes, SIGNATURE_BYTES))
		return false;
	key_rotation_text(walk->frontier.size, &root, &old, &new, &text);
	bool good = text.error == 0 && public_key_verify(&old, buffer_slice(&text), &old_signature) &&
		    public_key_verify(&new, buffer_slice(&text), &new_signature);
	buffer_free(&text);
	*ret_key = new;
	return good;
}

static void take_key(struct walk *walk, const struct leaf *leaf)
{
	struct public_key key;
	bool good = leaf->kind == LEAF_EPOCH ? walk->key_count == 0 && walk_read_key(leaf, "public_key", &key)
					     : walk->key_count > 0 && rotation_holds(walk, leaf, &key);
	if (!good || walk->key_count == WALK_KEYS_MOST)
		walk_find(walk, FINDING_BADLY_SIGNED, walk->frontier.size,
			  "a key takes over without the one before it");
	else
		walk->keys[walk->key_count++] = (struct walk_key){walk->frontier.size, key};
}

/* UTC; as the number that the record has where it is no time of ours. */
static void add_moment(struct buffer *out, uint64_t ms)
{
	time_t seconds = (time_t)(ms / CLOCK_MS_PER_S);
	struct tm parts;
	char when[32];
	if (ms / CLOCK_MS_PER_S > UINT32_MAX || gmtime_r(&seconds, &parts) == NULL ||
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &parts) == 0)
		buffer_printf(out, "%" PRIu64, ms);
	else
		buffer_printf(out, "%s.%03uZ", when, (unsigned)(ms % CLOCK_MS_PER_S));
}

static void note_gap(struct walk *walk, const struct leaf *leaf)
{
	const struct leaf_value *records = leaf_get(leaf, "records"), *of = leaf_get(leaf, "of");
	buffer_printf(walk->notes, "record %" PRIu64 " states a gap: %.*s; ", walk->frontier.size,
		      SLICE_ARG(leaf_get(leaf, "cause")->bytes));
	if (records != NULL)
		buffer_printf(walk->notes, "%" PRIu64 " records", records->number);
	else
		buffer_text(walk->notes, "nobody knows how many records");
	if (of != NULL)
		buffer_printf(walk->notes, " of kind %.*s", SLICE_ARG(of->bytes));
	buffer_text(walk->notes, ", between ");
	add_moment(walk->notes, leaf_get(leaf, "since")->number);
	buffer_text(walk->notes, " and ");
	add_moment(walk->notes, leaf_get(leaf, "until")->number);
	buffer_byte(walk->notes, '\n');
}

/* A span takes in those that it touches. */
static int add_span(struct walk_spans *spans, struct walk_span span)
{
	size_t kept = 0;
	int r = vector_grow((void **)&spans->list, &spans->room, spans->count, sizeof(span));
	if (r != 0)
		return r;
	for (size_t i = 0; i < spans->count; i++) {
		const struct walk_span other = spans->list[i];
		if (other.epoch != span.epoch || other.to < span.from || other.from > span.to) {
			spans->list[kept++] = other;
			continue;
		}
		span.from = other.from < span.from ? other.from : span.from;
		span.to = other.to > span.to ? other.to : span.to;
	}
	spans->list[kept] = span;
	spans->count = kept + 1;
	return 0;
}

static void note_deletion(struct walk *walk, const struct leaf *leaf)
{
	struct slice of = leaf_get(leaf, "of")->bytes, name = SLICE(WALK_DELETED_RECORDS);
	uint64_t epoch, from = leaf_get(leaf, "from")->number, to = leaf_get(leaf, "to")->number;
	if (slice_starts_with(of, name) && decimal_read(slice_after(of, name.len), &epoch) &&
	    epoch <= LOG_EPOCHS_MOST && from < to) {
		int r = add_span(walk->deleted, (struct walk_span){(unsigned)epoch, from, to});
		walk->error = walk->error != 0 ? walk->error : r;
	}
	buffer_printf(walk->notes,
		      "record %" PRIu64 " states that %.*s were deleted, from %" PRIu64 " to %" PRIu64 "\n",
		      walk->frontier.size, SLICE_ARG(of), from, to);
}

void walk_look_at(struct walk *walk, struct slice record)
{
	struct leaf leaf;
	int r = leaf_read(record, &leaf);
	if (r == LEAF_MALFORMED) {
		walk_find(walk, FINDING_ALTERED, walk->frontier.size, "it is not a record");
		return;
	}
	walk->counts[leaf.kind]++;
	if (leaf.kind == LEAF_CLOCK_STEP)
		buffer_printf(walk->notes,
			      "record %" PRIu64 " states that the clock was set from %" PRIu64 " to %" PRIu64 "\n",
			      walk->frontier.size, leaf_get(&leaf, "from")->number, leaf_get(&leaf, "to")->number);
	else if (leaf.time_ms < walk->last_ms)
		walk_find(walk, FINDING_CLOCK, walk->frontier.size,
			  "the time goes back by %" PRIu64 " ms, and no record states that the clock was set",
			  walk->last_ms - leaf.time_ms);
	walk->last_ms = leaf.time_ms;
	walk->closed = leaf.kind == LEAF_CLOSE;
	if (leaf.kind == LEAF_GAP)
		note_gap(walk, &leaf);
	if (leaf.kind == LEAF_DELETION)
		note_deletion(walk, &leaf);
	if (leaf.kind == LEAF_EPOCH || leaf.kind == LEAF_KEY_ROTATION)
		take_key(walk, &leaf);
	if (walk->frontier.size > 0)
		return;
	buffer_add(&walk->first_text, record);
	if (walk->first_text.error == 0)
		(void)leaf_read(buffer_slice(&walk->first_text), &walk->first);
}
