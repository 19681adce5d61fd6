/* What a store is, for the two files that write and read it. */
#ifndef GUIA_CASEBOOK_STORE_INSIDE_H
#define GUIA_CASEBOOK_STORE_INSIDE_H

#include "casebook/store.h"

#include <sqlite3.h>

struct case_store {
	sqlite3 *db;
	uint64_t version; /* of its schema: older ones are read as they are */
};

#endif
