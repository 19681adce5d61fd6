#include "evidence/body_read.h"

#include "base/reader.h"
#include "evidence/test_log.h"

#include <openssl/pem.h>
#include <stdatomic.h>
#include <sys/resource.h>

#define AT_MS UINT64_C(1783708800123) /* 2026-07-10 */

static struct test_place place;
static char folder[96], key_path[96], certificate_path[96];
static atomic_bool full;

static int set_up(void **state)
{
	(void)state;
	place = test_place_make();
	snprintf(folder, sizeof(folder), "%s/bodies", place.folder);
	snprintf(key_path, sizeof(key_path), "%s/export.key", place.folder);
	snprintf(certificate_path, sizeof(certificate_path), "%s/export.pem", place.folder);
	assert_int_equal(export_key_create(key_path, certificate_path), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	test_remove(place.folder);
	return 0;
}

static int open_where_there_is_room(int at, const char *path, int flags, mode_t mode)
{
	return atomic_load(&full) && (flags & O_CREAT) != 0 ? -ENOSPC : disk_kernel.open(at, path, flags, mode);
}

/* What is in the store, by the key. */
static struct body_index *read_back(struct body_parcels *parcels, struct export_key **ret_key)
{
	struct body_index *index;
	assert_int_equal(export_key_load(key_path, ret_key), 0);
	assert_int_equal(body_parcels_list(folder, 0, UINT64_MAX, parcels), 0);
	assert_int_equal(body_index_create(folder, parcels, *ret_key, &index), 0);
	return index;
}

static void what_is_put_is_read_back_by_its_commitment(void **state)
{
	enum { COUNT = 300 };
	static struct merkle_hash commitments[COUNT];
	struct body_store *store;
	struct body_parcels parcels;
	struct export_key *key;
	struct body body;
	char message[9000] = "";
	(void)state;
	assert_int_equal(body_store_create(&disk_kernel, folder, certificate_path, &store), 0);
	for (unsigned i = 0; i < COUNT; i++) {
		snprintf(message, sizeof(message), "POST /%u HTTP/1.1\r\n\r\nsecret\n", i);
		assert_true(body_store_put(store, i % 2 == 0 ? BODY_REQUEST : BODY_RESPONSE,
					   slice_make(message, sizeof(message)), i, AT_MS + i, &commitments[i]));
	}
	body_store_end(store);
	struct body_index *index = read_back(&parcels, &key);
	assert_int_equal(body_index_sums(index).messages, COUNT);
	assert_true(parcels.count >= 1);
	assert_memory_equal(parcels.paths[0], "2026-07-10/1783708800123-", 25);
	for (unsigned i = COUNT; i-- > 0;) {
		snprintf(message, sizeof(message), "POST /%u HTTP/1.1\r\n\r\nsecret\n", i);
		assert_int_equal(body_index_find(index, &commitments[i], &body), 0);
		assert_true(slice_equal(body.message, slice_make(message, sizeof(message))));
		assert_true(body.at_ms == AT_MS + i && body.cut == i);
		assert_int_equal(body.what, i % 2 == 0 ? BODY_REQUEST : BODY_RESPONSE);
	}
	commitments[0].bytes[0] ^= 1;
	assert_int_equal(body_index_find(index, &commitments[0], &body), -ENOENT);
	body_index_free(index);
	body_parcels_free(&parcels);
	export_key_free(key);
}

static void nobody_else_reads_it(void **state)
{
	char line[512];
	struct body_parcels parcels;
	struct export_key *key;
	struct body_store *store;
	struct merkle_hash commitment;
	(void)state;
	assert_int_equal(body_store_create(&disk_kernel, folder, certificate_path, &store), 0);
	assert_true(body_store_put(store, BODY_REQUEST, SLICE("password=open-sesame"), 0, AT_MS, &commitment));
	body_store_end(store);
	snprintf(line, sizeof(line), "! grep -rq open-sesame '%s'", folder);
	assert_int_equal(system(line), 0);
	remove(key_path);
	remove(certificate_path);
	assert_int_equal(export_key_create(key_path, certificate_path), 0);
	struct body_index *index = read_back(&parcels, &key);
	assert_int_equal(body_index_sums(index).unopened, 1);
	assert_int_equal(body_index_sums(index).messages, 0);
	body_index_free(index);
	body_parcels_free(&parcels);
	export_key_free(key);
}

static void openssl_opens_a_parcel(void **state)
{
	char line[512];
	struct body_store *store;
	struct merkle_hash commitment;
	(void)state;
	assert_int_equal(body_store_create(&disk_kernel, folder, certificate_path, &store), 0);
	assert_true(body_store_put(store, BODY_REQUEST, SLICE("password=open-sesame"), 0, AT_MS, &commitment));
	body_store_end(store);
	snprintf(line, sizeof(line),
		 "openssl cms -decrypt -binary -inform DER -in '%s'/2026-07-10/*.cms -inkey '%s' | "
		 "grep -qx password=open-sesame",
		 folder, key_path);
	assert_int_equal(system(line), 0);
}

static void a_full_disk_is_waited_for(void **state)
{
	struct disk_calls disk = disk_kernel;
	struct body_store *store;
	struct merkle_hash commitment;
	(void)state;
	disk.open = open_where_there_is_room;
	atomic_store(&full, true);
	assert_int_equal(body_store_create(&disk, folder, certificate_path, &store), 0);
	assert_true(body_store_put(store, BODY_REQUEST, SLICE("one"), 0, AT_MS, &commitment));
	while (body_store_state(store).error != -ENOSPC)
		usleep(1000);
	atomic_store(&full, false);
	while (body_store_state(store).kept != 1)
		usleep(1000);
	assert_int_equal(body_store_state(store).lost, 0);
	atomic_store(&full, true);
	assert_true(body_store_put(store, BODY_REQUEST, SLICE("two"), 0, AT_MS, &commitment));
	while (body_store_state(store).error != -ENOSPC)
		usleep(1000);
	body_store_end(store);
	atomic_store(&full, false);
}

static void what_does_not_fit_is_cut_and_says_so(void **state)
{
	struct body_store *store;
	struct body_parcels parcels;
	struct export_key *key;
	struct merkle_hash commitment;
	struct body body;
	size_t len = BODY_BYTES_MOST + 10;
	char *message = calloc(len, 1);
	(void)state;
	assert_int_equal(body_store_create(&disk_kernel, folder, certificate_path, &store), 0);
	assert_true(body_store_put(store, BODY_REQUEST, slice_make(message, len), 5, AT_MS, &commitment));
	body_store_end(store);
	struct body_index *index = read_back(&parcels, &key);
	assert_int_equal(body_index_find(index, &commitment, &body), 0);
	assert_int_equal(body.message.len, BODY_BYTES_MOST);
	assert_int_equal(body.cut, 15);
	body_index_free(index);
	body_parcels_free(&parcels);
	export_key_free(key);
	free(message);
}

static void keys_and_certificates_that_are_none(void **state)
{
	struct body_store *store;
	struct export_key *key;
	(void)state;
	assert_int_equal(export_key_create(key_path, certificate_path), -EEXIST);
	assert_int_equal(body_store_create(&disk_kernel, folder, key_path, &store), ENVELOPE_BAD);
	assert_int_equal(export_key_load(certificate_path, &key), ENVELOPE_BAD);
	assert_int_equal(body_store_create(&disk_kernel, folder, place.log, &store), -ENOENT);
}

/* The certificate as it is, but for the last byte of its curve's name. */
static void change_curve(void)
{
	static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	uint8_t *der = NULL;
	FILE *file = fopen(certificate_path, "r");
	X509 *x509 = PEM_read_X509(file, NULL, NULL, NULL);
	int len = i2d_X509(x509, &der);
	fclose(file);
	X509_free(x509);
	assert_true(len > 0);
	size_t at = slice_find(slice_make(der, (size_t)len), slice_make(p256, sizeof(p256)), 0);
	assert_true(at < (size_t)len);
	der[at + sizeof(p256) - 1] = 0x7f;
	file = fopen(certificate_path, "w");
	assert_true(PEM_write(file, PEM_STRING_X509, "", der, len) > 0);
	fclose(file);
	OPENSSL_free(der);
}

static void a_certificate_of_an_unknown_curve_is_none(void **state)
{
	struct body_store *store;
	(void)state;
	change_curve();
	assert_int_equal(body_store_create(&disk_kernel, folder, certificate_path, &store), ENVELOPE_BAD);
}

/* Else an export would lack that day's messages, and nobody would know. What is no folder has none. */
static void a_day_that_cannot_be_read_is_told(void **state)
{
	struct body_store *store;
	struct body_parcels parcels;
	struct merkle_hash commitment;
	struct rlimit limit;
	char stray[128];
	(void)state;
	assert_int_equal(body_store_create(&disk_kernel, folder, certificate_path, &store), 0);
	assert_true(body_store_put(store, BODY_REQUEST, SLICE("GET / HTTP/1.1"), 0, AT_MS, &commitment));
	body_store_end(store);
	snprintf(stray, sizeof(stray), "%s/stray", folder);
	assert_int_equal(file_replace(stray, SLICE("x"), 0600), 0);
	snprintf(stray, sizeof(stray), "%s/link", folder);
	assert_int_equal(symlink(folder, stray), 0);
	assert_int_equal(body_parcels_list(folder, 0, UINT64_MAX, &parcels), 0);
	assert_int_equal(parcels.count, 1);
	body_parcels_free(&parcels);
	/* As many files may be open as are, and the folder. */
	int next = dup(0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	const struct rlimit less = {(rlim_t)next + 1, limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	int r = body_parcels_list(folder, 0, UINT64_MAX, &parcels);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(r, -EMFILE);
}

static void a_parcel_is_read_strictly(void **state)
{
	static const char *const bad[] = {
		"",
		"{\"at\":1,\"what\":\"request\",\"salt\":\"00\",\"bytes\":0,\"cut\":0}\n\n",
		"{\"at\":1,\"what\":\"other\",\"salt\":"
		"\"0000000000000000000000000000000000000000000000000000000000000000\",\"bytes\":0,\"cut\":0}\n\n",
		"{\"at\":1,\"what\":\"request\",\"salt\":"
		"\"0000000000000000000000000000000000000000000000000000000000000000\",\"bytes\":9,\"cut\":0}\nab\n",
		"{\"at\":1,\"what\":\"request\",\"salt\":"
		"\"000000000000000000000000000000000000000000000000000000000000000g\",\"bytes\":1,\"cut\":0}\na\n",
	};
	static const char good[] =
		"{\"at\":1,\"what\":\"request\",\"salt\":"
		"\"00000000000000000000000000000000000000000000000000000000000000ff\",\"bytes\":2,\"cut\":0}\n\n\n\n";
	struct body body;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct reader reader = reader_make(test_fenced(slice_from_string(bad[i])));
		assert_false(body_next(&reader, &body));
		assert_int_equal(reader.at, 0);
	}
	struct reader reader = reader_make(test_fenced(slice_from_string(good)));
	assert_true(body_next(&reader, &body));
	assert_true(reader_at_end(&reader));
	assert_slice(body.message, "\n\n");
	assert_int_equal(body.salt[BODY_SALT_BYTES - 1], 0xff);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
TEST_MAIN(CASE(what_is_put_is_read_back_by_its_commitment), CASE(nobody_else_reads_it), CASE(openssl_opens_a_parcel),
	  CASE(a_full_disk_is_waited_for), CASE(what_does_not_fit_is_cut_and_says_so),
	  CASE(keys_and_certificates_that_are_none), CASE(a_certificate_of_an_unknown_curve_is_none),
	  CASE(a_day_that_cannot_be_read_is_told), CASE(a_parcel_is_read_strictly))
