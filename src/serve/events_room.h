/* Whether there is room for what the workers tell the watch: a file each, whole before it is used (wire/outbox.h). */
#ifndef GUIA_SERVE_EVENTS_ROOM_H
#define GUIA_SERVE_EVENTS_ROOM_H

#include "serve/notice.h"

#include <sys/vfs.h>

/* Where shared memory is. */
#define EVENTS_MEMORY "/dev/shm"

/* For so many workers (0: one a processor), and as many that begin while these still end. */
uint64_t events_room_needed_bytes(int64_t workers);

/* Of the file system that a folder at `path` lies in, or would if it were made. False: nobody knows. */
bool events_room_system(const char *path, struct statfs *ret_system);
uint64_t events_room_free_bytes(const char *path);

/* What files of workers take in a folder, or in several whose pattern (glob(7)) it is. */
uint64_t events_room_taken_bytes(const char *path);

/*
 * Says where there is too little: workers who find none serve and tell nothing. What workers have in the folder already
 * is theirs to be had. `memory_short`: it lies there because memory has too little.
 */
void events_room_tell(const char *path, bool memory_short, uint64_t needed_bytes, const struct notice *notice);

#endif
