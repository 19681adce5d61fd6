/*
 * The order in which ModSecurity looks at the values of a collection. It keeps them in a hash table, so the order is
 * not that of arrival, and rules can tell: the value that matches last is the one whose captures stay in TX. The table
 * is libstdc++'s unordered_multimap with a hash that is the sum of a name's lower-case bytes; this works out where a
 * walk over it would come by.
 */
#ifndef GUIA_ENGINE_ORDER_H
#define GUIA_ENGINE_ORDER_H

#include "engine/value.h"

/* Beyond this many values the order of arrival is kept: names with equal sums would make the table quadratic. */
enum { ORDER_MAX = 256 };

/* The values in ModSecurity's order: ->count of them, remembered with the set. NULL when the arena is exhausted. */
struct value *const *order_values(const struct value_set *set, struct arena *arena);

#endif
