#include "limit/place_image.h"

#include "base/random.h"
#include "base/test.h"

static const uint8_t boot[IMAGE_BOOT_BYTES] = "this boot";
static const uint8_t other_boot[IMAGE_BOOT_BYTES] = "another boot";

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;
	assert_true(prefix_parse(slice_from_string(text), &prefix));
	return prefix;
}

static struct buffer build(struct place_prefix *prefixes, size_t count, const struct place_name *names,
			   size_t name_count)
{
	struct place_data data = {{1667023194, "somebody"}, prefixes, count, names, name_count};
	struct image_version version = {.generation = 1};
	struct buffer out = buffer_make(NULL);
	memcpy(version.boot, boot, sizeof(boot));
	assert_int_equal(place_image_build(&data, &version, &out), 0);
	return out;
}

static struct place_image checked(const struct buffer *bytes)
{
	struct place_image image = {0};
	assert_int_equal(place_image_check(buffer_slice(bytes), boot, &image), IMAGE_GOOD);
	return image;
}

static void the_longest_prefix_tells(void **state)
{
	(void)state;
	struct place_prefix prefixes[] = {
		{prefix_of("192.0.2.0/24"), {"MO", 4609}},      {prefix_of("192.0.0.0/16"), {"CN", 0}},
		{prefix_of("192.0.2.128/25"), {"PT", 2860}},    {prefix_of("255.255.255.0/24"), {"ZZ", 1}},
		{prefix_of("2001:db8::/32"), {"MO", 7}},        {prefix_of("2001:db8:ffff::/48"), {"HK", 8}},
		{prefix_of("2001:db8:ffff:1::/64"), {"TW", 9}}, {prefix_of("2001:db8:ffff:1::1/128"), {"XX", 10}},
	};
	static const struct {
		const char *address, *country;
		uint32_t network;
	} cases[] = {
		{"192.0.1.255", "CN", 0},
		{"192.0.2.0", "MO", 4609},
		{"192.0.2.127", "MO", 4609},
		{"192.0.2.128", "PT", 2860},
		{"192.0.2.255", "PT", 2860},
		{"192.0.3.0", "CN", 0},
		{"192.1.0.0", "\0", 0},
		{"0.0.0.0", "\0", 0},
		{"255.255.254.255", "\0", 0},
		{"255.255.255.255", "ZZ", 1},
		{"2001:db8::1", "MO", 7},
		{"2001:db8:ffff::1", "HK", 8},
		{"2001:db8:ffff:1::1", "TW", 9},
		{"2001:db8:ffff:2::1", "HK", 8},
		{"2001:db9::", "\0", 0},
		{"::", "\0", 0},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "\0", 0},
	};
	struct buffer bytes = build(prefixes, sizeof(prefixes) / sizeof(prefixes[0]), NULL, 0);
	struct place_image image = checked(&bytes);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix whole = prefix_of(cases[i].address);
		struct place place = place_lookup(&image, &whole.address);
		assert_memory_equal(place.country, cases[i].country, 2);
		assert_int_equal(place.network, cases[i].network);
	}
	assert_int_equal(image.source.made_s, 1667023194);
	buffer_free(&bytes);
}

static bool has(const struct prefix *prefixes, size_t count, const struct address *address)
{
	size_t found = 0;
	for (size_t i = 0; i < count; i++)
		found += prefix_has(&prefixes[i], address);
	assert_true(found <= 1);
	return found == 1;
}

static void prefixes_of_countries_are_what_lookups_say(void **state)
{
	(void)state;
	struct place_prefix prefixes[] = {
		{prefix_of("0.0.0.0/7"), {"MO", 1}},
		{prefix_of("192.0.0.0/16"), {"CN", 0}},
		{prefix_of("192.0.2.128/25"), {"PT", 2860}},
		{prefix_of("192.0.3.0/24"), {"MO", 5}},
		{prefix_of("192.0.4.0/22"), {"PT", 6}},
		{prefix_of("255.255.255.0/24"), {"MO", 1}},
		{prefix_of("2001:db8::/32"), {"MO", 7}},
		{prefix_of("2001:db8:ffff::/48"), {"HK", 8}},
		{prefix_of("2001:db8:ffff:1::/64"), {"PT", 9}},
		{prefix_of("ffff::/16"), {"PT", 9}},
	};
	static const char wanted[][2] = {{'M', 'O'}, {'P', 'T'}};
	struct buffer bytes = build(prefixes, sizeof(prefixes) / sizeof(prefixes[0]), NULL, 0);
	struct place_image image = checked(&bytes);
	struct prefix *found;
	size_t count;
	assert_int_equal(place_image_prefixes(&image, wanted, 2, 1000, &found, &count), 0);
	static const char *const asked[] = {"0.0.0.0",
					    "1.255.255.255",
					    "255.255.255.255",
					    "255.255.254.255",
					    "2001:db8:ffff:1::1",
					    "ffff:ffff:ffff:ffff::",
					    "2.0.0.0",
					    "192.0.2.127",
					    "192.0.2.128",
					    "192.0.3.255",
					    "192.0.4.0",
					    "192.0.7.255",
					    "192.0.8.0",
					    "192.1.0.0",
					    "2001:db8:fffe:ffff::",
					    "2001:db8:ffff::",
					    "2001:db9::",
					    "2001:db7:ffff::",
					    "::"};
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct address address = prefix_of(asked[i]).address;
		struct place place = place_lookup(&image, &address);
		bool is_home = memcmp(place.country, "MO", 2) == 0 || memcmp(place.country, "PT", 2) == 0;
		assert_int_equal(has(found, count, &address), is_home);
	}
	struct prefix *none = NULL;
	assert_int_equal(place_image_prefixes(&image, wanted, 2, count - 1, &none, &count), PLACE_TOO_MANY);
	assert_null(none);
	free(found);
	buffer_free(&bytes);
}

static struct prefix draw_prefix(uint64_t *random)
{
	uint64_t shape = random_next(random), spread = random_next(random);
	if (shape % 2 == 0) {
		/* Few beginnings, so that they nest. */
		uint32_t v4 = (uint32_t)spread & 0x0303ffff;
		uint8_t four[4] = {(uint8_t)(v4 >> 24), (uint8_t)(v4 >> 16), (uint8_t)(v4 >> 8), (uint8_t)v4};
		struct address address = address_from_v4(four);
		return address_prefix(&address, ADDRESS_V4_BITS + (unsigned)(shape >> 8) % 33);
	}
	struct address address = address_from_words(0x2001000000000000u | (spread & 0x00030003ffffu), 0);
	return address_prefix(&address, (unsigned)(shape >> 8) % 65);
}

static const struct place_prefix *longest(const struct place_prefix *prefixes, size_t count,
					  const struct address *address)
{
	const struct place_prefix *best = NULL;
	for (size_t i = 0; i < count; i++)
		if (prefix_has(&prefixes[i].prefix, address) &&
		    (best == NULL || prefixes[i].prefix.bits > best->prefix.bits))
			best = &prefixes[i];
	return best;
}

static bool is_there(const struct place_prefix *prefixes, size_t count, const struct prefix *prefix)
{
	for (size_t i = 0; i < count; i++)
		if (prefixes[i].prefix.bits == prefix->bits &&
		    address_equal(&prefixes[i].prefix.address, &prefix->address))
			return true;
	return false;
}

static void it_agrees_with_a_plain_search(void **state)
{
	(void)state;
	enum { PREFIXES = 300, ADDRESSES = 2000 };
	for (uint64_t seed = 1; seed <= 20; seed++) {
		uint64_t random = seed;
		struct place_prefix prefixes[PREFIXES];
		size_t count = 0;
		while (count < PREFIXES) {
			struct prefix prefix = draw_prefix(&random);
			if (is_there(prefixes, count, &prefix))
				continue;
			prefixes[count] = (struct place_prefix){prefix, {{'A', (char)('A' + count % 3)}, random % 4}};
			count++;
		}
		struct buffer bytes = build(prefixes, count, NULL, 0);
		struct place_image image = checked(&bytes);
		for (size_t i = 0; i < ADDRESSES; i++) {
			struct prefix drawn = draw_prefix(&random);
			struct place place = place_lookup(&image, &drawn.address);
			const struct place_prefix *best = longest(prefixes, count, &drawn.address);
			static const struct place nowhere;
			const struct place *expected = best != NULL ? &best->place : &nowhere;
			assert_memory_equal(place.country, expected->country, 2);
			assert_int_equal(place.network, expected->network);
		}
		buffer_free(&bytes);
	}
}

static void networks_have_names(void **state)
{
	(void)state;
	static const struct place_name names[] = {{7, "Seven"}, {4609, "A telecom"}, {70000, ""}};
	struct buffer bytes = build(NULL, 0, names, 3);
	struct place_image image = checked(&bytes);
	assert_slice(place_network_name(&image, 7), "Seven");
	assert_slice(place_network_name(&image, 4609), "A telecom");
	assert_slice(place_network_name(&image, 70000), "");
	assert_slice(place_network_name(&image, 8), "");
	assert_slice(place_network_name(&image, UINT32_MAX), "");
	buffer_free(&bytes);
}

static void without_data_nothing_is_known(void **state)
{
	(void)state;
	struct place_image none = {0};
	struct prefix whole = prefix_of("192.0.2.1");
	assert_int_equal(place_lookup(&none, &whole.address).network, 0);
	assert_slice(place_network_name(&none, 1), "");
}

/* Whatever stands in an image, whose checksum anybody can make, is refused or looked up within it. */
static void hostile_images_are_refused_or_harmless(void **state)
{
	(void)state;
	struct place_prefix prefixes[] = {{prefix_of("192.0.2.0/24"), {"MO", 1}},
					  {prefix_of("2001:db8::/32"), {"HK", 2}}};
	static const struct place_name names[] = {{1, "one"}, {2, "two"}};
	struct buffer good = build(prefixes, 2, names, 2);
	size_t refused = 0;
	uint64_t random = 1;
	for (size_t i = 0; i < 4000; i++) {
		struct buffer bad = buffer_make(NULL);
		struct place_image image = {0};
		buffer_add(&bad, buffer_slice(&good));
		size_t at = sizeof(struct image_head) +
			    random_next(&random) % (i % 2 == 0 ? 128 : bad.len - sizeof(struct image_head));
		bad.ptr[at] = (uint8_t)random_next(&random);
		image_seal(bad.ptr, bad.len);
		if (place_image_check(buffer_slice(&bad), boot, &image) == IMAGE_GOOD)
			for (size_t j = 0; j < 100; j++) {
				struct address address = address_from_words(random_next(&random), random_next(&random));
				(void)place_lookup(&image, &address);
				address = address_from_v4((const uint8_t *)&random);
				struct place place = place_lookup(&image, &address);
				(void)place_network_name(&image, place.network);
			}
		else
			refused++;
		buffer_free(&bad);
	}
	assert_in_range(refused, 1, 3999);
	buffer_free(&good);
}

static void damaged_images_are_refused(void **state)
{
	(void)state;
	struct buffer bytes = build(NULL, 0, NULL, 0);
	struct place_image image = {0};
	assert_int_equal(place_image_check(buffer_slice(&bytes), other_boot, &image), IMAGE_BOOT);
	for (size_t len = 0; len < bytes.len; len += 97)
		assert_int_not_equal(place_image_check(slice_make(bytes.ptr, len), boot, &image), IMAGE_GOOD);
	bytes.ptr[bytes.len - 9] ^= 1;
	assert_int_equal(place_image_check(buffer_slice(&bytes), boot, &image), IMAGE_CHECKSUM);
	assert_null(image.v4_starts);
	buffer_free(&bytes);
}

TEST_MAIN(cmocka_unit_test(the_longest_prefix_tells), cmocka_unit_test(prefixes_of_countries_are_what_lookups_say),
	  cmocka_unit_test(it_agrees_with_a_plain_search), cmocka_unit_test(networks_have_names),
	  cmocka_unit_test(without_data_nothing_is_known), cmocka_unit_test(hostile_images_are_refused_or_harmless),
	  cmocka_unit_test(damaged_images_are_refused))
