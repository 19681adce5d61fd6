/* A cache in a folder of the test's own. */
#ifndef GUIA_MATCH_TEST_SCAN_CACHE_H
#define GUIA_MATCH_TEST_SCAN_CACHE_H

#include "base/test.h"
#include "match/scan_cache.h"

#include <stdio.h>
#include <stdlib.h>

static char folder[64];
static struct diagnostics told;

static inline int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/guia-scan-cache-XXXXXX");
	diagnostics_init(&told);
	return mkdtemp(folder) == NULL;
}

static inline int remove_folder(void **state)
{
	(void)state;
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	diagnostics_destroy(&told);
	return system(command);
}

static inline struct scan_cache *opened(void)
{
	struct scan_cache *cache = NULL;
	assert_int_equal(scan_cache_open(folder, &told, &cache), 0);
	return cache;
}

#endif
