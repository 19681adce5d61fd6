/*
 * Four ways in each of four sizes, as in remembered.c. The hash is of samples: a value is compared whole before it
 * counts as known, and one whose samples are the same takes the other's place.
 */
#include "engine/remembered_long.h"

#include <errno.h>
#include <stdlib.h>

enum { WAYS = 4, SIZES = 4, SAMPLES = 32, SAMPLE_BYTES = 8 };

static const struct {
	size_t bytes; /* of the longest value */
	size_t rows;
} sizes[SIZES] = {{2048, 64}, {8192, 32}, {65536, 16}, {REMEMBERED_LONG_BYTES, 4}};

struct entry {
	uint64_t hash; /* 0: empty */
	uint32_t number;
	uint32_t len;
	bool kept;       /* its bytes; else only that it came */
	bool seen_again; /* since it was kept, or since all of its row were */
	struct remembered_answer answer;
};

struct shelf {
	struct entry (*rows)[WAYS];
	uint8_t *bytes;
};

struct remembered_long {
	struct hash_key key;
	struct shelf shelves[SIZES];
};

int remembered_long_create(struct remembered_long **ret_values)
{
	struct remembered_long *values = calloc(1, sizeof(*values));
	if (values == NULL)
		return -ENOMEM;
	values->key = hash_key_random();
	for (size_t i = 0; i < SIZES; i++) {
		struct shelf *shelf = &values->shelves[i];
		shelf->rows = calloc(sizes[i].rows, sizeof(*shelf->rows));
		shelf->bytes = calloc(sizes[i].rows * WAYS, sizes[i].bytes);
		if (shelf->rows == NULL || shelf->bytes == NULL) {
			remembered_long_free(values);
			return -ENOMEM;
		}
	}
	*ret_values = values;
	return 0;
}

void remembered_long_free(struct remembered_long *values)
{
	for (size_t i = 0; values != NULL && i < SIZES; i++) {
		free(values->shelves[i].rows);
		free(values->shelves[i].bytes);
	}
	free(values);
}

/* Of words from all over the value: it is compared whole before it is taken for known. Never 0. */
static uint64_t hash_of(const struct remembered_long *values, uint32_t number, struct slice value)
{
	uint8_t sample[SAMPLES * SAMPLE_BYTES];
	struct hash_key seed = {values->key.k0 ^ (uint64_t)number << 32 ^ value.len, values->key.k1};
	size_t last = value.len - SAMPLE_BYTES;
	for (size_t i = 0; i < SAMPLES; i++)
		memcpy(sample + i * SAMPLE_BYTES, value.ptr + last * i / (SAMPLES - 1), SAMPLE_BYTES);
	return hash_quick(&seed, slice_make(sample, sizeof(sample))) | 1;
}

/* Where a value may be. */
struct place {
	struct entry *row;
	uint8_t *bytes; /* of the row's first way */
	size_t way_bytes;
	uint64_t hash;
};

static struct place place_of(struct remembered_long *values, uint32_t number, struct slice value)
{
	size_t size = 0;
	while (sizes[size].bytes < value.len)
		size++;
	uint64_t hash = hash_of(values, number, value);
	size_t row = (hash >> 32) % sizes[size].rows;
	struct shelf *shelf = &values->shelves[size];
	return (struct place){shelf->rows[row], shelf->bytes + row * WAYS * sizes[size].bytes, sizes[size].bytes, hash};
}

const struct remembered_answer *remembered_long_find(struct remembered_long *values, uint32_t number,
						     struct slice value)
{
	if (value.len > REMEMBERED_LONG_BYTES)
		return NULL;
	struct place place = place_of(values, number, value);
	for (size_t i = 0; i < WAYS; i++) {
		struct entry *entry = &place.row[i];
		if (entry->hash != place.hash || !entry->kept || entry->number != number ||
		    !slice_equal(slice_make(place.bytes + i * place.way_bytes, entry->len), value))
			continue;
		entry->seen_again = true;
		return &entry->answer;
	}
	return NULL;
}

/* One that came but was not kept, or else one that was not seen again. */
static size_t victim(struct entry *row, uint64_t hash)
{
	for (size_t i = 0; i < WAYS; i++)
		if (!row[i].kept)
			return i;
	size_t from = hash >> 24 & (WAYS - 1);
	for (size_t i = 0; i < WAYS; i++)
		if (!row[(from + i) % WAYS].seen_again)
			return (from + i) % WAYS;
	for (size_t i = 0; i < WAYS; i++)
		row[i].seen_again = false;
	return from;
}

/* The way of a value that came before: pages that differ in some words only are one to it. */
static size_t way_of(const struct entry *row, uint64_t hash)
{
	size_t i = 0;
	while (i < WAYS && row[i].hash != hash)
		i++;
	return i;
}

void remembered_long_add(struct remembered_long *values, uint32_t number, struct slice value,
			 const struct remembered_answer *answer)
{
	if (value.len > REMEMBERED_LONG_BYTES)
		return;
	struct place place = place_of(values, number, value);
	size_t way = way_of(place.row, place.hash);
	bool came_before = way < WAYS;
	if (!came_before)
		way = victim(place.row, place.hash);
	place.row[way] = (struct entry){
		.hash = place.hash,
		.number = number,
		.len = (uint32_t)value.len,
		.kept = came_before,
		.answer = *answer,
	};
	if (came_before)
		memcpy(place.bytes + way * place.way_bytes, value.ptr, value.len);
}
