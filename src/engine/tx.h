/*
 * The collection TX. Names that rules write literally are numbered at compile time and live in an array; names composed
 * at run time (setvar:tx.%{...}, captures beyond the ninth) are found through a table. Integers stay integers until
 * somebody wants their text.
 */
#ifndef GUIA_ENGINE_TX_H
#define GUIA_ENGINE_TX_H

#include "base/arena.h"
#include "engine/plan.h"

struct owed;

struct tx_entry {
	struct slice text; /* ptr NULL: not formatted yet, or owed */
	int64_t number;    /* what the text begins with, when has_number */
	uint32_t generation;
	bool has_number;
	struct owed *owed; /* what the text is then; NULL: the number's */
};

/* A name that no rule writes literally. */
struct tx_dynamic {
	struct slice name;
	struct tx_entry entry;
	uint32_t next; /* in its chain of the table; index + 1 */
};

enum { TX_TABLE = 64, TX_NONE = -1 };

struct tx_collection {
	const struct plan *plan;
	struct arena *arena;
	struct tx_entry *slots; /* by slot; present if its generation is the current one */
	size_t slot_capacity;
	uint32_t generation;
	struct tx_dynamic *dynamic;
	uint32_t dynamic_count;
	uint32_t dynamic_capacity;
	uint32_t table[TX_TABLE]; /* heads of chains; index + 1 */
	uint32_t *order;          /* handles as they were first set; those unset since are still among them */
	uint32_t order_count;
	uint32_t order_capacity;
	uint64_t *candidates; /* the transaction's: writes wake steps (gate.h); NULL: there are none yet */
};

/* Empties the collection for a new transaction; keeps the slots' memory. 0 or -ENOMEM. */
int tx_begin(struct tx_collection *tx, const struct plan *plan, struct arena *arena);
void tx_destroy(struct tx_collection *tx);

/* A handle is a slot, or stands for a composed name. tx_find: TX_NONE if the name was never set and no rule has it. */
int tx_find(const struct tx_collection *tx, struct slice name);
/* TX_NONE when the arena is exhausted. The name is not copied. */
int tx_intern(struct tx_collection *tx, struct slice name);

/* NULL if unset. */
struct tx_entry *tx_get(const struct tx_collection *tx, int handle);
struct slice tx_name(const struct tx_collection *tx, int handle);

/* The entry's text, formatted at need; empty when the arena is exhausted. */
struct slice tx_text(struct tx_collection *tx, struct tx_entry *entry);
/* What the text begins with, as atoll reads it. */
int64_t tx_number(struct tx_entry *entry);

/* The text must stay as long as the transaction, as must what it is owed by. 0 or -ENOMEM. */
int tx_set_text(struct tx_collection *tx, int handle, struct slice text);
int tx_set_owed(struct tx_collection *tx, int handle, struct owed *owed);
int tx_set_number(struct tx_collection *tx, int handle, int64_t number);
void tx_unset(struct tx_collection *tx, int handle);
/* What rules that are settled have set, in order. 0 or -ENOMEM. */
int tx_settle(struct tx_collection *tx, const struct course_write *writes, size_t count);

#endif
