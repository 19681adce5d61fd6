#include "wire/finding.h"

#include "base/test.h"
#include "wire/parcel.h"

enum { SLOTS = 256 };

/* What a finding is sent as, in one piece. */
struct fixture {
	struct ring_control control;
	struct parcel_slot slots[SLOTS];
	struct parcel_writer writer;
	uint8_t bytes[PARCEL_BYTES_MOST];
};

static int set_up(void **state)
{
	struct fixture *f = aligned_alloc(64, (sizeof(*f) + 63) / 64 * 64);
	memset(f, 0, sizeof(*f));
	parcel_attach(&f->writer, &f->control, (uint8_t *)f->slots, SLOTS);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static struct slice sent(struct fixture *f, uint64_t first_slot)
{
	const struct parcel_slot *slot = &f->slots[first_slot % SLOTS];
	size_t bytes = slot->bytes;
	for (size_t done = 0; done < bytes; done += PARCEL_PART_BYTES, first_slot++) {
		size_t some = bytes - done < PARCEL_PART_BYTES ? bytes - done : PARCEL_PART_BYTES;
		memcpy(f->bytes + done, f->slots[first_slot % SLOTS].text, some);
	}
	return slice_make(f->bytes, bytes);
}

static struct slice a_finding(struct fixture *f, size_t match_count)
{
	struct finding_head head = {.request = 7, .status = 403, .rule = 949110, .match_count = (uint8_t)match_count};
	struct finding_match matches[FINDING_MATCHES_MOST] = {
		{.rule = 942100, .classes = finding_classes_of_tag(SLICE("attack-sqli")), .severity = 2},
		{.rule = 913100, .classes = finding_classes_of_tag(SLICE("attack-reputation-scanner"))}};
	struct finding_match_texts match_texts[FINDING_MATCHES_MOST] = {
		{SLICE("ARGS:q"), SLICE("SQL Injection"), SLICE("Matched Data: s&1c")}};
	struct slice texts[FINDING_TEXTS] = {[FINDING_METHOD] = SLICE("POST"),
					     [FINDING_TARGET] = SLICE("/?q=1"),
					     [FINDING_BODY_SENT] = SLICE("a=1\0\xff")};
	uint64_t first = f->writer.ring.next;
	finding_send(&f->writer, &head, matches, match_texts, texts);
	return sent(f, first);
}

static void test_what_is_sent_is_read(void **state)
{
	static struct finding finding;
	struct slice parcel = a_finding(*state, 2);
	assert_true(finding_read(parcel, &finding));
	assert_int_equal(finding.head.request, 7);
	assert_int_equal(finding.head.match_count, 2);
	assert_int_equal(finding.head.classes, 1u << FINDING_CLASS_SQL_INJECTION | 1u << FINDING_CLASS_SCANNER);
	assert_int_equal(finding.matches[0].rule, 942100);
	assert_slice(finding.match_texts[0].name, "ARGS:q");
	assert_slice(finding.match_texts[0].data, "Matched Data: s&1c");
	assert_slice(finding.match_texts[1].name, "");
	assert_slice(finding.texts[FINDING_METHOD], "POST");
	assert_slice(finding.texts[FINDING_AGENT], "");
	assert_int_equal(finding.texts[FINDING_BODY_SENT].len, 5);
	assert_true(finding_read(a_finding(*state, 0), &finding));
	assert_true(finding_read(a_finding(*state, FINDING_MATCHES_MOST), &finding));
}

/* All texts far too long: each is cut, and the whole fits into a parcel. */
static void test_texts_are_cut(void **state)
{
	static uint8_t much[2 * PARCEL_BYTES_MOST];
	static struct finding finding;
	struct fixture *f = *state;
	struct finding_head head = {.match_count = FINDING_MATCHES_MOST};
	struct finding_match matches[FINDING_MATCHES_MOST] = {0};
	struct finding_match_texts match_texts[FINDING_MATCHES_MOST];
	struct slice texts[FINDING_TEXTS], all = slice_make(much, sizeof(much));
	for (size_t i = 0; i < FINDING_MATCHES_MOST; i++)
		match_texts[i] = (struct finding_match_texts){all, all, all};
	for (size_t i = 0; i < FINDING_TEXTS; i++)
		texts[i] = all;
	finding_send(&f->writer, &head, matches, match_texts, texts);
	assert_int_equal(f->writer.parcel, 1);
	assert_true(finding_read(sent(f, 0), &finding));
	for (size_t i = 0; i < FINDING_TEXTS; i++)
		assert_int_equal(finding.texts[i].len, finding_text_bytes((enum finding_text)i));
	assert_int_equal(finding.match_texts[31].message.len, FINDING_MESSAGE_BYTES);
}

/* Copied so that it ends where nothing may be read; `fence` is of as many bytes, or more. */
static struct slice fenced(struct slice fence, const uint8_t *bytes, size_t len)
{
	uint8_t *to = (uint8_t *)(uintptr_t)fence.ptr + fence.len - len;
	memcpy(to, bytes, len);
	return slice_make(to, len);
}

/* Cut anywhere it is refused; whatever a byte is changed to, nothing outside of the parcel is read. */
static void test_hostile_findings(void **state)
{
	static struct finding finding;
	static uint8_t bytes[PARCEL_BYTES_MOST];
	struct slice parcel = a_finding(*state, 3);
	memcpy(bytes, parcel.ptr, parcel.len);
	struct slice fence = test_fenced(slice_make(bytes, parcel.len + 1));
	for (size_t len = 0; len < parcel.len; len++)
		assert_false(finding_read(fenced(fence, bytes, len), &finding));
	assert_false(finding_read(fenced(fence, bytes, parcel.len + 1), &finding));
	for (size_t at = 0; at < parcel.len; at++) {
		uint8_t before = bytes[at];
		for (unsigned value = 0; value < 256; value += 51) {
			bytes[at] = (uint8_t)value;
			(void)finding_read(fenced(fence, bytes, parcel.len), &finding);
		}
		bytes[at] = before;
	}
	assert_true(finding_read(fenced(fence, bytes, parcel.len), &finding));
}

static void test_classes(void **state)
{
	(void)state;
	assert_int_equal(finding_classes_of_tag(SLICE("attack-xss")), 1u << FINDING_CLASS_CROSS_SITE_SCRIPTING);
	assert_int_equal(finding_classes_of_tag(SLICE("ATTACK-LFI")), 1u << FINDING_CLASS_FILE_ACCESS);
	assert_int_equal(finding_classes_of_tag(SLICE("attack-sqlix")), 0);
	assert_int_equal(finding_classes_of_tag(SLICE("")), 0);
	assert_int_equal(finding_classes_of_variable(SLICE("FILES:photo")), 1u << FINDING_CLASS_UPLOAD);
	assert_int_equal(finding_classes_of_variable(SLICE("REQUEST_HEADERS:x-file-name")), 1u << FINDING_CLASS_UPLOAD);
	assert_int_equal(finding_classes_of_variable(SLICE("FILES_NAMES:x")), 0);
	assert_int_equal(finding_classes_of_variable(SLICE("ARGS:FILES")), 0);
	for (unsigned class = 0; class < FINDING_CLASSES; class ++)
		assert_string_not_equal(finding_class_name(class), "?");
	assert_string_equal(finding_class_name(FINDING_CLASSES), "?");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
TEST_MAIN(CASE(test_what_is_sent_is_read), CASE(test_texts_are_cut), CASE(test_hostile_findings), CASE(test_classes))
