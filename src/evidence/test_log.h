/* Logs made for tests, in folders of their own. */
#ifndef GUIA_EVIDENCE_TEST_LOG_H
#define GUIA_EVIDENCE_TEST_LOG_H

#include "base/error.h"
#include "base/file.h"
#include "base/test.h"
#include "evidence/journal.h"
#include "evidence/log.h"
#include "evidence/verify.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#define TEST_NOW_MS UINT64_C(1764200000000)

struct test_place {
	char folder[64];
	char log[80];
	char key[80];
};

static inline struct log_config test_config(const struct test_place *place, const struct disk_calls *disk)
{
	return (struct log_config){place->log, "test.example/log", place->key, disk, NULL, 0, JOURNAL_HALF_BYTES_LEAST};
}

static inline struct test_place test_place_make(void)
{
	/* In memory where that can be had: it is the order of calls that matters, not the disk. */
	struct test_place place = {"/dev/shm/guia-evidence-XXXXXX", "", ""};
	if (access("/dev/shm", W_OK) != 0)
		strcpy(place.folder, "/tmp/guia-evidence-XXXXXX");
	assert_non_null(mkdtemp(place.folder));
	snprintf(place.log, sizeof(place.log), "%s/log", place.folder);
	snprintf(place.key, sizeof(place.key), "%s/key.pem", place.folder);
	return place;
}

static inline int test_remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void test_remove(const char *path)
{
	(void)nftw(path, test_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void test_copy(const char *from, const char *to)
{
	char line[1024];
	snprintf(line, sizeof(line), "rm -rf '%s' && cp -a '%s' '%s'", to, from, to);
	assert_int_equal(system(line), 0);
}

/* A record whose number shows. */
static inline int test_add(struct log *log, uint64_t number, uint64_t time_ms)
{
	char why[32];
	int len = snprintf(why, sizeof(why), "%06u", (unsigned)number);
	const struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_text(SLICE("a.test")), leaf_number(number),
							    leaf_text(SLICE("shown")),
							    leaf_text(slice_make(why, (size_t)len))};
	return log_add_values(log, LEAF_DECISION, time_ms, values);
}

/* Seals, and waits for the tiles where the journal is full. */
static inline void test_seal(struct log *log)
{
	int r;
	while ((r = log_seal(log, LOG_KEEPS_RESERVE)) == -ENOSPC) {
		assert_int_equal(log_sign(log), 0);
		usleep(1000);
	}
	assert_int_equal(r, 0);
}

/* Takes the log up, adds `count`, signs and, with `closes`, says that it was closed. */
static inline void test_write(const struct test_place *place, uint64_t count, uint64_t now_ms, bool closes)
{
	static const struct leaf_value why[LEAF_FIELDS_MOST] = {{.bytes = SLICE_INIT("a test ended")}};
	const struct log_config config = test_config(place, &disk_kernel);
	struct log *log;
	assert_int_equal(log_open(&config, now_ms, &log), 0);
	test_seal(log);
	for (uint64_t i = 0; i < count; i++) {
		assert_int_equal(test_add(log, i, now_ms + i), 0);
		if (log_batch_full(log))
			test_seal(log);
	}
	if (closes)
		assert_int_equal(log_add_values(log, LEAF_CLOSE, now_ms + count, why), 0);
	test_seal(log);
	assert_int_equal(log_sign(log), 0);
	log_close(log);
}

#endif
