#include "limit/ban_book.h"

#include "base/error.h"
#include "limit/test_bans.h"

static const struct ban_image nothing;

static struct ban_entry entry_of(const char *text, enum ban_kind kind, enum ban_rank rank, uint64_t expires_ms)
{
	struct prefix p = parsed(text);
	return (struct ban_entry){p.address, expires_ms, 7, p.bits, (uint8_t)kind, (uint8_t)rank, 0};
}

static struct buffer built(const struct ban_entry *entries, size_t count, uint64_t generation, uint64_t base)
{
	struct image_version version = {.generation = generation, .base = base};
	struct buffer image = buffer_make(NULL);
	memcpy(version.boot, boot, sizeof(boot));
	assert_int_equal(ban_image_build(entries, count, &version, &image), 0);
	return image;
}

static struct ban_image checked(const struct buffer *bytes)
{
	struct ban_image image;
	assert_int_equal(ban_image_check(buffer_slice(bytes), boot, &image), IMAGE_GOOD);
	return image;
}

static enum ban_kind kind_of(const struct ban_image *base, const struct ban_image *delta, const char *address,
			     uint64_t now_ms)
{
	struct prefix p = parsed(address);
	return ban_lookup(base, delta, &p.address, now_ms).kind;
}

/* ---- images ---- */

static void person_over_allow_over_automatic(void **state)
{
	(void)state;
	const struct ban_entry entries[] = {
		entry_of("192.0.2.0/24", BAN_REFUSE, BAN_AUTOMATIC, 1000),
		entry_of("192.0.2.128/25", BAN_ALLOW, BAN_LISTED, BAN_FOR_EVER),
		entry_of("192.0.2.200", BAN_REFUSE, BAN_AUTOMATIC, BAN_FOR_EVER),
		entry_of("192.0.2.192/28", BAN_REFUSE, BAN_BY_PERSON, BAN_FOR_EVER),
		entry_of("192.0.2.195", BAN_ALLOW, BAN_BY_PERSON, BAN_FOR_EVER),
		entry_of("192.0.2.195", BAN_REFUSE, BAN_AUTOMATIC, BAN_FOR_EVER),
		entry_of("2001:db8::/32", BAN_REFUSE, BAN_AUTOMATIC, BAN_FOR_EVER),
		entry_of("2001:db8:1::/48", BAN_ALLOW, BAN_LISTED, 500),
		entry_of("::/0", BAN_REFUSE, BAN_AUTOMATIC, 50),
		entry_of("198.51.100.0/24", BAN_ALLOW, BAN_BY_PERSON, 100),
		entry_of("198.51.0.0/16", BAN_REFUSE, BAN_BY_PERSON, 200),
	};
	static const struct {
		const char *address;
		uint64_t now_ms;
		enum ban_kind kind;
	} rows[] = {
		{"192.0.2.1", 0, BAN_REFUSE},     {"192.0.2.1", 999, BAN_REFUSE},    {"192.0.2.1", 1000, BAN_NONE},
		{"192.0.2.130", 0, BAN_ALLOW},    {"192.0.2.200", 0, BAN_REFUSE},    {"192.0.2.210", 0, BAN_ALLOW},
		{"192.0.2.195", 0, BAN_ALLOW},    {"192.0.2.196", 0, BAN_REFUSE},    {"192.0.3.1", 0, BAN_NONE},
		{"2001:db8:2::1", 0, BAN_REFUSE}, {"2001:db8:1::1", 0, BAN_ALLOW},   {"2001:db8:1::1", 500, BAN_REFUSE},
		{"2001:db9::1", 0, BAN_REFUSE},   {"2001:db9::1", 50, BAN_NONE},     {"203.0.113.9", 0, BAN_NONE},
		{"198.51.100.1", 0, BAN_ALLOW},   {"198.51.100.1", 100, BAN_REFUSE}, {"198.51.100.1", 200, BAN_NONE},
	};
	struct buffer bytes = built(entries, sizeof(entries) / sizeof(entries[0]), 1, 0);
	struct ban_image base = checked(&bytes);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (kind_of(&base, &nothing, rows[i].address, rows[i].now_ms) != rows[i].kind)
			fail_msg("%s at %lu is not of kind %d", rows[i].address, rows[i].now_ms, rows[i].kind);
	buffer_free(&bytes);
}

static void a_delta_changes_what_its_base_says(void **state)
{
	(void)state;
	const struct ban_entry in_base[] = {entry_of("192.0.2.1", BAN_REFUSE, BAN_AUTOMATIC, 1000),
					    entry_of("192.0.2.2", BAN_REFUSE, BAN_AUTOMATIC, 1000),
					    entry_of("192.0.2.3", BAN_REFUSE, BAN_AUTOMATIC, 1000)};
	const struct ban_entry in_delta[] = {entry_of("192.0.2.1", BAN_LIFTED, BAN_AUTOMATIC, BAN_FOR_EVER),
					     entry_of("192.0.2.2", BAN_REFUSE, BAN_AUTOMATIC, 2000),
					     entry_of("192.0.2.4", BAN_REFUSE, BAN_AUTOMATIC, 1000)};
	struct buffer base_bytes = built(in_base, 3, 1, 0), delta_bytes = built(in_delta, 3, 2, 1);
	struct ban_image base = checked(&base_bytes), delta = checked(&delta_bytes);
	assert_int_equal(kind_of(&base, &delta, "192.0.2.1", 0), BAN_NONE);
	assert_int_equal(kind_of(&base, &delta, "192.0.2.2", 1500), BAN_REFUSE);
	assert_int_equal(kind_of(&base, &delta, "192.0.2.3", 999), BAN_REFUSE);
	assert_int_equal(kind_of(&base, &delta, "192.0.2.4", 0), BAN_REFUSE);
	assert_int_equal(kind_of(&base, &nothing, "192.0.2.1", 0), BAN_REFUSE);
	buffer_free(&base_bytes);
	buffer_free(&delta_bytes);
}

/* Against looking at every entry, over prefixes of all lengths close to one another. */
static void lookups_agree_with_looking_at_all(void **state)
{
	(void)state;
	enum { COUNT = 3000 };
	static struct ban_entry entries[COUNT];
	uint64_t seed = 5;
	size_t count = 0;
	for (size_t i = 0; i < COUNT; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		struct address a =
			i % 2 == 0
				? address_from_v4((uint8_t[]){10, 0, (uint8_t)(seed >> 40 & 3), (uint8_t)(seed >> 48)})
				: address_from_words(0x20010db800000000 | (seed >> 40 & 3), seed >> 45);
		struct prefix p = address_prefix(&a, i % 2 == 0 ? 96 + (unsigned)(seed >> 33) % 33
								: (unsigned)(seed >> 33) % 129);
		struct ban_entry e = {p.address,
				      1 + (seed >> 20) % 3,
				      (uint32_t)i,
				      p.bits,
				      (uint8_t)(BAN_REFUSE + (seed >> 50) % 2),
				      (uint8_t)((seed >> 52) % 3),
				      0};
		bool there = false;
		for (size_t j = 0; j < count; j++)
			there |= entries[j].bits == e.bits && entries[j].rank == e.rank &&
				 address_equal(&entries[j].address, &e.address);
		if (!there)
			entries[count++] = e;
	}
	struct buffer bytes = built(entries, count, 1, 0);
	struct ban_image image = checked(&bytes);
	for (uint64_t i = 0; i < 4000; i++) {
		struct address a = i % 2 == 0
					   ? address_from_v4((uint8_t[]){10, 0, (uint8_t)(i >> 9), (uint8_t)(i >> 1)})
					   : address_from_words(0x20010db800000000 | (i >> 3 & 3), i * 64);
		const struct ban_entry *best = NULL;
		for (size_t j = 0; j < count; j++) {
			const struct prefix p = {entries[j].address, entries[j].bits};
			if (prefix_has(&p, &a) && entries[j].expires_ms > 1 &&
			    (best == NULL || entries[j].rank > best->rank ||
			     (entries[j].rank == best->rank && entries[j].bits > best->bits)))
				best = &entries[j];
		}
		struct ban_answer answer = ban_lookup(&image, &nothing, &a, 1);
		assert_int_equal(answer.kind, best == NULL ? BAN_NONE : best->kind);
		assert_int_equal(answer.id, best == NULL ? 0 : best->id);
	}
	uint64_t walked = 0;
	struct ban_entry entry;
	for (uint64_t cursor = 0; ban_image_next(&image, &cursor, &entry);)
		walked++;
	assert_int_equal(walked, count);
	buffer_free(&bytes);
}

/* Cut anywhere, or with any byte changed, an image is refused; of another boot too. */
static void bad_images_are_refused(void **state)
{
	(void)state;
	const struct ban_entry entries[] = {entry_of("192.0.2.1", BAN_REFUSE, BAN_AUTOMATIC, 1000),
					    entry_of("2001:db8::/32", BAN_REFUSE, BAN_AUTOMATIC, 1000)};
	struct buffer bytes = built(entries, 2, 1, 0);
	struct ban_image image;
	for (size_t len = 0; len < bytes.len; len += 16) {
		struct slice cut = test_fenced(slice_make(bytes.ptr, len));
		assert_int_not_equal(ban_image_check(cut, boot, &image), IMAGE_GOOD);
	}
	for (size_t i = 0; i < bytes.len; i++) {
		bytes.ptr[i] ^= 0x10;
		assert_int_not_equal(ban_image_check(buffer_slice(&bytes), boot, &image), IMAGE_GOOD);
		bytes.ptr[i] ^= 0x10;
	}
	assert_int_equal(ban_image_check(buffer_slice(&bytes), (const uint8_t *)"another boot....", &image),
			 IMAGE_BOOT);
	for (unsigned fault = 0; fault < IMAGE_FAULTS; fault++)
		assert_true(strlen(image_fault_text(fault)) > 3);
	buffer_free(&bytes);
}

static void impossible_entries_are_not_built(void **state)
{
	(void)state;
	struct ban_entry bits = entry_of("192.0.2.1", BAN_REFUSE, BAN_AUTOMATIC, 1), kind = bits, rank = bits;
	bits.bits = 120; /* with bits set behind them */
	kind.kind = BAN_KINDS;
	rank.rank = BAN_RANKS;
	struct image_version version = {.generation = 1};
	struct buffer out = buffer_make(NULL);
	assert_int_equal(ban_image_build(&bits, 1, &version, &out), -EINVAL);
	assert_int_equal(ban_image_build(&kind, 1, &version, &out), -EINVAL);
	assert_int_equal(ban_image_build(&rank, 1, &version, &out), -EINVAL);
	assert_int_equal(out.len, 0);
}

/* ---- the book ---- */

static void bans_double_as_their_prefix_returns(void **state)
{
	(void)state;
	struct ban_book *book = new_book(100);
	uint64_t now = 5 * MINUTE, expected = MINUTE;
	for (unsigned i = 0; i < 20; i++) {
		uint64_t lasts = punished(book, "192.0.2.1", now);
		assert_in_range(lasts, expected, expected + expected / 8);
		assert_int_equal(punished(book, "192.0.2.1", now + 1000), lasts - 1000);
		now += lasts + MINUTE;
		expected = expected * 2 < BAN_LONGEST_MS ? expected * 2 : BAN_LONGEST_MS;
	}
	assert_in_range(punished(book, "192.0.2.1", now + BAN_LONGEST_MS * 2), MINUTE, MINUTE + MINUTE / 8);
	ban_book_free(book);
}

static void bans_that_began_together_do_not_end_together(void **state)
{
	(void)state;
	struct ban_book *book = new_book(2000);
	unsigned by_second[8] = {0};
	for (unsigned i = 0; i < 1000; i++) {
		char text[32];
		snprintf(text, sizeof(text), "10.0.%u.%u", i >> 8, i & 255);
		by_second[(punished(book, text, 0) - MINUTE) / 1000]++;
	}
	for (unsigned i = 0; i < 7; i++)
		assert_in_range(by_second[i], 80, 200);
	ban_book_free(book);
}

static void what_is_allowed_or_too_wide_is_not_banned(void **state)
{
	(void)state;
	struct ban_book *book = new_book(100);
	struct ban_entry allow = entry_of("192.0.0.0/16", BAN_ALLOW, BAN_LISTED, 1000),
			 wide = entry_of("10.0.0.0/15", BAN_ALLOW, BAN_BY_PERSON, 1000),
			 wide6 = entry_of("2001:db8::/31", BAN_ALLOW, BAN_BY_PERSON, 1000),
			 automatic = entry_of("10.0.0.1", BAN_REFUSE, BAN_AUTOMATIC, 1);
	uint64_t expires_ms;
	assert_int_equal(ban_book_set(book, &allow, false), 0);
	assert_int_equal(ban_book_set(book, &wide, false), BAN_BOOK_TOO_WIDE);
	assert_int_equal(ban_book_set(book, &wide6, false), BAN_BOOK_TOO_WIDE);
	assert_int_equal(ban_book_set(book, &wide, true), 0);
	assert_int_equal(ban_book_set(book, &automatic, true), -EINVAL);
	struct prefix inside = parsed("192.0.2.0/24"), around = parsed("192.0.0.0/15"), within = parsed("10.1.2.3");
	assert_int_equal(ban_book_punish(book, &inside, 1, 0, &expires_ms), BAN_BOOK_ALLOWED);
	assert_int_equal(ban_book_punish(book, &within, 1, 0, &expires_ms), BAN_BOOK_ALLOWED);
	assert_int_equal(ban_book_punish(book, &around, 1, 0, &expires_ms), BAN_BOOK_TOO_WIDE);
	assert_int_equal(ban_book_punish(book, &inside, 1, 1000, &expires_ms), 0);
	ban_book_free(book);
}

static void a_full_book_keeps_room_for_a_person(void **state)
{
	(void)state;
	struct ban_book *book = new_book(160);
	uint64_t expires_ms;
	for (unsigned i = 0; i < 150; i++) {
		char text[32];
		snprintf(text, sizeof(text), "10.0.0.%u", i);
		punished(book, text, 0);
	}
	struct prefix p = parsed("192.0.2.1");
	struct ban_entry by_person = entry_of("192.0.2.1", BAN_REFUSE, BAN_BY_PERSON, BAN_FOR_EVER);
	assert_int_equal(ban_book_punish(book, &p, 1, 0, &expires_ms), BAN_BOOK_FULL);
	assert_int_equal(ban_book_set(book, &by_person, false), 0);
	assert_int_equal(ban_book_lookup(book, &p.address, 0).rank, BAN_BY_PERSON);
	/* what is over and told gives way */
	struct buffer out = buffer_make(NULL);
	uint64_t generation;
	assert_int_equal(ban_book_base(book, boot, 0, &out, &generation), 0);
	assert_int_equal(ban_book_punish(book, &p, 1, 5 * MINUTE, &expires_ms), 0);
	assert_int_equal(ban_book_count(book, 5 * MINUTE), 2);
	buffer_free(&out);
	ban_book_free(book);
}

static void a_full_book_is_looked_through_seldom(void **state)
{
	(void)state;
	struct ban_book *book = new_book(16);
	struct buffer out = buffer_make(NULL);
	uint64_t generation, expires_ms, first = UINT64_MAX, last = 0;
	for (unsigned i = 0; i < 15; i++) {
		char text[32];
		snprintf(text, sizeof(text), "10.0.0.%u", i);
		uint64_t ends = punished(book, text, 0);
		first = ends < first ? ends : first;
		last = ends > last ? ends : last;
	}
	assert_int_equal(ban_book_base(book, boot, 0, &out, &generation), 0);
	struct prefix p = parsed("192.0.2.1"), q = parsed("192.0.2.2");
	assert_int_equal(ban_book_punish(book, &p, 1, first - 1, &expires_ms), BAN_BOOK_FULL);
	assert_int_equal(ban_book_punish(book, &p, 1, first - 2 + BAN_SWEEP_MS, &expires_ms), BAN_BOOK_FULL);
	assert_in_range(last, first, first - 1 + BAN_SWEEP_MS);
	assert_int_equal(ban_book_punish(book, &p, 1, first - 1 + BAN_SWEEP_MS, &expires_ms), 0);
	/* what it gave is there for all */
	assert_int_equal(ban_book_punish(book, &q, 1, first - 1 + BAN_SWEEP_MS, &expires_ms), 0);
	buffer_free(&out);
	ban_book_free(book);
}

/* Laid out anew again and again, in two tables by turns, of which neither keeps what was in it before. */
static void a_book_forgets_what_it_has_laid_aside(void **state)
{
	(void)state;
	enum { EACH = 200, TURNS = 5 };
	struct ban_book *book = new_book(8 * EACH);
	char text[64];
	for (size_t turn = 0; turn < TURNS; turn++) {
		struct buffer out = buffer_make(NULL);
		uint64_t generation, now_ms = turn * 2 * BAN_LONGEST_MS;
		for (size_t i = 0; i < EACH; i++) {
			snprintf(text, sizeof(text), "10.%zu.%zu.1", turn % 2, i);
			punished(book, text, now_ms);
		}
		assert_int_equal(ban_book_changed(book), EACH);
		assert_int_equal(ban_book_base(book, boot, now_ms, &out, &generation), 0);
		assert_int_equal(ban_book_changed(book), 0);
		assert_int_equal(ban_book_count(book, now_ms), EACH);
		for (size_t i = 0; i < EACH; i++) {
			snprintf(text, sizeof(text), "10.%zu.%zu.1", turn % 2, i);
			struct prefix prefix = parsed(text);
			assert_int_equal(ban_book_lookup(book, &prefix.address, now_ms).kind, BAN_REFUSE);
		}
		buffer_free(&out);
	}
	ban_book_free(book);
}

TEST_MAIN(cmocka_unit_test(person_over_allow_over_automatic), cmocka_unit_test(a_delta_changes_what_its_base_says),
	  cmocka_unit_test(lookups_agree_with_looking_at_all), cmocka_unit_test(bad_images_are_refused),
	  cmocka_unit_test(impossible_entries_are_not_built), cmocka_unit_test(bans_double_as_their_prefix_returns),
	  cmocka_unit_test(bans_that_began_together_do_not_end_together),
	  cmocka_unit_test(what_is_allowed_or_too_wide_is_not_banned),
	  cmocka_unit_test(a_full_book_keeps_room_for_a_person), cmocka_unit_test(a_full_book_is_looked_through_seldom),
	  cmocka_unit_test(a_book_forgets_what_it_has_laid_aside))
