/*
 * Rules by their id, to find the one that has an id already. A table of open addressing on the heap; ids are the
 * administrator's choice, so that the hash needs no key. Zeroed it is empty; id_table_free() it.
 */
#ifndef GUIA_SECLANG_ID_TABLE_H
#define GUIA_SECLANG_ID_TABLE_H

#include "ruleset/ruleset.h"

struct id_table {
	const struct rule **slots; /* NULL where there is none */
	size_t size;               /* a power of two; 0 at first */
	size_t count;
};

/* Adds a head. 0; ID_TAKEN with *ret_other, nothing being added; or -ENOMEM. */
enum { ID_TAKEN = 1 };
int id_table_add(struct id_table *table, const struct rule *rule, const struct rule **ret_other);

/* The rule with an id, or NULL. */
const struct rule *id_table_find(const struct id_table *table, int64_t id);

void id_table_free(struct id_table *table);

#endif
