/*
 * One epoch of a log, read from its beginning, every file held against the records: what was there, and the first thing
 * that is not as it should be. Nothing is trusted but that the records hash to what others say they do.
 */
#ifndef GUIA_EVIDENCE_WALK_H
#define GUIA_EVIDENCE_WALK_H

#include "evidence/checkpoint.h"
#include "evidence/leaf.h"

enum finding {
	FINDING_NONE,
	FINDING_ALTERED,
	FINDING_MISSING,
	FINDING_TRUNCATED,
	FINDING_BADLY_SIGNED,
	FINDING_CLOCK,
	FINDING_NEWER,
};

enum { WALK_KEYS_MOST = 32, WALK_WHAT_BYTES = 256 };

/* A size whose root is asked for. */
struct walk_mark {
	uint64_t size;
	struct merkle_hash root;
	uint64_t last_ms; /* of the record before it */
	bool reached;
};

/* Records [from, to) of an epoch, of which a record says that they were deleted. */
struct walk_span {
	unsigned epoch;
	uint64_t from, to;
};

/* Those that touch are one. */
struct walk_spans {
	struct walk_span *list;
	size_t count, room;
};

struct walk_key {
	uint64_t from; /* the record that brought it */
	struct public_key key;
};

struct walk {
	int folder;
	struct walk_mark *marks; /* the caller's, in the order of their sizes */
	size_t mark_count;
	struct buffer *notes;       /* lines: what the records themselves tell, such as gaps */
	struct walk_spans *deleted; /* what records said of this and other epochs; the caller's */

	enum finding finding;
	uint64_t record; /* the first that is wrong */
	char what[WALK_WHAT_BYTES];
	size_t next_mark;
	struct merkle_frontier frontier; /* over all that is there */
	uint64_t in_tiles;               /* records below this are in tiles, the others in the journal only */
	struct leaf first;               /* points into first_text; kind LEAF_KINDS: none */
	struct buffer first_text;
	struct walk_key keys[WALK_KEYS_MOST];
	size_t key_count;
	uint64_t counts[LEAF_KINDS + 1]; /* by kind; the last: of a newer version */
	uint64_t last_ms;
	uint64_t *gone; /* bundles of which the hashes are there alone */
	size_t gone_count;
	bool closed;
	bool torn; /* the journal goes on with something that is not whole */
	int error; /* what was said could not be kept */
};

/* 0 also where something was found; -errno where it cannot be told. To be freed in any case. */
int walk_epoch(struct walk *walk);
void walk_free(struct walk *walk);

/* NULL where that size was not asked for. */
const struct walk_mark *walk_mark_of(const struct walk *walk, uint64_t size);

/* The key that a record names in a field (SubjectPublicKeyInfo in base64). False where there is none. */
bool walk_read_key(const struct leaf *leaf, const char *name, struct public_key *ret_key);

/* The key that signs for a tree of `size`; NULL: none. */
const struct public_key *walk_key_at(const struct walk *walk, uint64_t size);

/* The records of bundle `number`: of its file, whole or the widest there is, or of the journal. Appended. -ENOENT:
 * none. */
int walk_read_bundle(int folder, uint64_t number, struct buffer *out, unsigned *ret_width);

/* What a record of kind deletion is of: these words and an epoch's number. */
#define WALK_DELETED_RECORDS "records of epoch "

/* What both keys sign when one takes the other's place. */
void key_rotation_text(uint64_t size, const struct merkle_hash *root, const struct public_key *old_key,
		       const struct public_key *new_key, struct buffer *out);

#endif
