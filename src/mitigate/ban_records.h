/* Records of bans as a file: JSON, a document for people and for the next watch. */
#ifndef GUIA_MITIGATE_BAN_RECORDS_H
#define GUIA_MITIGATE_BAN_RECORDS_H

#include "mitigate/ban_register.h"

enum { BAN_RECORDS_BAD = 1 }; /* the file cannot be read as one of these */

/* One record as an object: id, prefix, kind, since, until (absent: until lifted), seconds_left, by (a user's id), why.
 */
void ban_record_write(const struct ban_record *record, struct ban_times now, struct buffer *out);

/* The whole file, appended; with the last number given, which may be of one that is over: hits are counted by it. */
void ban_records_write(const struct ban_record *records, size_t count, uint32_t last_id,
		       const uint8_t boot[IMAGE_BOOT_BYTES], struct ban_times now, struct buffer *out);

/*
 * Reads it: those that are over are left out. Ends hold over a new boot by the wall's clock. Room for BAN_RECORDS_MOST.
 * *ret_last_id is no less than any of theirs. 0 or BAN_RECORDS_BAD, with nothing read.
 */
int ban_records_read(struct slice text, const uint8_t boot[IMAGE_BOOT_BYTES], struct ban_times now,
		     struct ban_record *records, size_t *ret_count, uint32_t *ret_last_id);

#endif
