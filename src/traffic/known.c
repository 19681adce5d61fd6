/* What values of a field visitors have: those of the half that trains while a signature is sought, all when it is
 * found.
 */
#include "traffic/search_inside.h"

#include "base/error.h"
#include "traffic/values.h"

#include <stdlib.h>

static int by_value_and_source(const void *a, const void *b)
{
	const struct owned_value *x = a, *y = b;
	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return memcmp(&x->source, &y->source, ADDRESS_BYTES);
}

struct owned_value *owned_values(const struct search *search, enum part part, enum signature_field field)
{
	size_t count = search->count[part];
	struct owned_value *owned = malloc((count + 1) * sizeof(*owned));
	if (owned == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const struct signature_request *request = part_request(search, part, i);
		owned[i] = (struct owned_value){request->field[field], request->source};
	}
	qsort(owned, count, sizeof(*owned), by_value_and_source);
	return owned;
}

/* From one value's first on: where the next value's begin. */
static size_t after_equal(const struct owned_value *owned, size_t count, size_t at)
{
	size_t next = at + 1;
	while (next < count && owned[next].value == owned[at].value)
		next++;
	return next;
}

/* A visitor's own rarities are known because he is in the sample: of the next one's nobody knows. */
int known_learn(struct search *search, enum signature_field field)
{
	size_t seen = search->count[PART_TRAIN];
	struct signature_values *known = &search->signature.known[field], *lonely = &search->lonely[field];
	struct owned_value *owned = owned_values(search, PART_TRAIN, field);
	known->values = malloc((seen + 1) * sizeof(*known->values));
	lonely->values = malloc((seen + 1) * sizeof(*lonely->values));
	if (owned == NULL || known->values == NULL || lonely->values == NULL) {
		free(owned);
		return -ENOMEM;
	}
	for (size_t i = 0, next; i < seen; i = next) {
		next = after_equal(owned, seen, i);
		known->values[known->count++] = owned[i].value;
		if (address_equal(&owned[i].source, &owned[next - 1].source))
			lonely->values[lonely->count++] = owned[i].value;
	}
	free(owned);
	return 0;
}

static int complete(struct search *search, enum signature_field field)
{
	struct signature_values *known = &search->signature.known[field];
	size_t before = known->count, seen = search->count[PART_PROOF], in_attack = search->count[PART_ATTACK], at = 0;
	double normal = expected_of_one(search, PART_PROOF);
	uint64_t *values = realloc(known->values, (before + seen + 1) * sizeof(*values));
	if (values == NULL)
		return -ENOMEM;
	known->values = values;
	struct owned_value *judges = owned_values(search, PART_PROOF, field),
			   *attack = owned_values(search, PART_ATTACK, field);
	for (size_t i = 0, next; judges != NULL && attack != NULL && i < seen; i = next) {
		next = after_equal(judges, seen, i);
		while (at < in_attack && attack[at].value < judges[i].value)
			at++;
		size_t its = at < in_attack && attack[at].value == judges[i].value
				     ? after_equal(attack, in_attack, at) - at
				     : 0;
		const struct signature_values those = {values, before};
		if (!is_excess((double)its, normal * (double)(next - i)) &&
		    !signature_values_have(&those, judges[i].value))
			values[known->count++] = judges[i].value;
	}
	values_sort(values, known->count);
	int r = judges == NULL || attack == NULL ? -ENOMEM : 0;
	free(judges);
	free(attack);
	return r;
}

int known_complete(struct search *search)
{
	int r = 0;
	for (enum signature_field field = 0; field < SIGNATURE_FIELDS && r == 0; field++)
		if (search->signature.known[field].count > 0)
			r = complete(search, field);
	return r;
}
