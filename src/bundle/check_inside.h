/* What a check's files share: only check.c, check_files.c, check_log.c and check_records.c see it. */
#ifndef GUIA_BUNDLE_CHECK_INSIDE_H
#define GUIA_BUNDLE_CHECK_INSIDE_H

#include "bundle/bag.h"
#include "bundle/check.h"
#include "evidence/pyramid.h"

enum { CHECK_WHAT_BYTES = BAG_PATH_BYTES_MOST + 256, CHECK_EPOCHS_MOST = 64 };

/* An epoch of which the bag has hashes. */
struct checked_epoch {
	unsigned number;
	struct buffer note;
	struct checkpoint checkpoint; /* points into the note */
	struct public_key key;
	struct pyramid *pyramid;
	bool key_known;              /* its first record was seen, and rotations lead from its key to the one above */
	struct public_key first_key; /* what they led to so far, in `led_key` */
	struct public_key led_key;
	uint64_t records;
};

struct check {
	int bag;
	const struct verify_options *options;
	enum finding finding;
	uint64_t record;
	char what[CHECK_WHAT_BYTES];
	struct checked_epoch epochs[CHECK_EPOCHS_MOST];
	size_t epoch_count;
	uint64_t files, messages, stamps;
	bool anchor_is_of_here, anchored;
	struct buffer told;
};

#define CHECK_NO_RECORD VERIFY_NO_RECORD

/* The first finding counts. */
__attribute__((format(printf, 4, 5))) void check_find(struct check *check, enum finding finding, uint64_t record,
						      const char *format, ...);

/* A whole file of the bag, appended. 0, -ENOENT: it is not there, which is found; -EFBIG likewise; or -errno. */
int check_read(struct check *check, const char *path, size_t most, struct buffer *out);

/* Each: 0 also where something was found; -errno where it cannot be told. */
int check_export(struct check *check); /* the log's word of the bag */
int check_files(struct check *check);  /* of the manifests, and none besides */
int check_logs(struct check *check);   /* signatures, hashes, timestamps */
int check_records(struct check *check);

/* NULL: the bag has none of that number. */
struct checked_epoch *check_epoch(struct check *check, uint64_t number);
int check_tile(const struct check *check, unsigned epoch, struct tile_name name, struct buffer *out);

/* A timestamp of a checkpoint. */
int check_stamp(struct check *check, const char *reply_path, const char *content_path);

#endif
