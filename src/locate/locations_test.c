#include "locate/locations.h"

#include "base/error.h"
#include "base/file.h"
#include "base/test.h"

static const struct image_version version = {.generation = 1};

static struct place place_of(const struct place_image *image, const char *text)
{
	struct prefix prefix;
	assert_true(prefix_parse(slice_from_string(text), &prefix));
	return place_lookup(image, &prefix.address);
}

/* Allocations that have been the same for decades, in whatever edition of the data is installed. */
static void debians_data_is_read(void **state)
{
	(void)state;
	struct buffer bytes = buffer_make(NULL);
	struct place_image image;
	assert_int_equal(locations_image(LOCATIONS_FILE, &version, &bytes), 0);
	assert_int_equal(place_image_check(buffer_slice(&bytes), version.boot, &image), IMAGE_GOOD);
	assert_memory_equal(place_of(&image, "202.175.3.3").country, "MO", 2);
	assert_int_equal(place_of(&image, "202.175.3.3").network, 4609);
	assert_memory_equal(place_of(&image, "2001:da8::1").country, "CN", 2);
	assert_int_equal(place_of(&image, "8.8.8.8").network, 15169);
	assert_int_equal(place_of(&image, "127.0.0.1").network, 0);
	assert_slice(place_network_name(&image, 4609), "Companhia de Telecomunicacoes de Macau");
	assert_true(image.source.made_s > 1600000000);
	assert_true(image.v4.count > 100000 && image.v6.count > 10000);
	buffer_free(&bytes);
}

static void what_is_no_database_is_refused(void **state)
{
	(void)state;
	char path[] = "/tmp/guia-locations-XXXXXX";
	struct buffer bytes = buffer_make(NULL);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(locations_image(path, &version, &bytes), -EINVAL);
	assert_int_equal(file_replace(path, SLICE("LOCDBXX\1 and then something else, for longer than its head"), 0600),
			 0);
	assert_int_equal(locations_image(path, &version, &bytes), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(locations_image(path, &version, &bytes), LOCATIONS_NONE);
	assert_int_equal(bytes.len, 0);
	buffer_free(&bytes);
}

TEST_MAIN(cmocka_unit_test(debians_data_is_read), cmocka_unit_test(what_is_no_database_is_refused))
