/* Messages read back by the holder of the export key: found by what records commit to. */
#ifndef GUIA_EVIDENCE_BODY_READ_H
#define GUIA_EVIDENCE_BODY_READ_H

#include "evidence/body_store.h"

struct body {
	enum body_what what;
	uint64_t at_ms;
	uint64_t cut;
	uint8_t salt[BODY_SALT_BYTES];
	struct slice message; /* in the parcel's memory */
};

/* The next message of a parcel that was opened. False at its end, and where it is not as it should be. */
struct reader;
bool body_next(struct reader *parcel, struct body *ret_body);

/* The parcels with a message between two times, in the order of their first: paths below the folder. */
struct body_parcels {
	char **paths;
	size_t count;
};

/* 0 or -errno; a folder that is not there has none. To be freed. */
int body_parcels_list(const char *folder, uint64_t from_ms, uint64_t to_ms, struct body_parcels *ret_parcels);
void body_parcels_free(struct body_parcels *parcels);

/* The times that a parcel's path tells; false: it is none. */
bool body_parcel_times(struct slice path, uint64_t *ret_first_ms, uint64_t *ret_last_ms);

struct body_index;

struct body_index_sums {
	uint64_t parcels;
	uint64_t unopened; /* sealed to another key, or altered */
	uint64_t messages;
};

/* Opens each of the parcels. 0, -ENOMEM or -errno; `parcels` must outlive it. */
int body_index_create(const char *folder, const struct body_parcels *parcels, const struct export_key *key,
		      struct body_index **ret_index);
void body_index_free(struct body_index *index); /* NULL is allowed */
struct body_index_sums body_index_sums(const struct body_index *index);
/* Whether that of the parcels is one of `unopened`. */
bool body_index_is_unopened(const struct body_index *index, size_t parcel);

/* The message of that commitment, until the next is looked for. 0, -ENOENT or -errno. */
int body_index_find(struct body_index *index, const struct merkle_hash *commitment, struct body *ret_body);

#endif
