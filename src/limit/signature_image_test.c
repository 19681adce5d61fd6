#include "limit/signature_image.h"

#include "base/file.h"
#include "base/test.h"
#include "base/test_allocation.h"
#include "limit/signature_record.h"

#include <errno.h>

static const uint8_t boot[IMAGE_BOOT_BYTES] = "this boot";
static uint64_t languages[] = {10, 20, 30};
static uint64_t agents[] = {5, 7};

static struct prefix prefix_of(const char *text)
{
	struct prefix p;
	assert_true(prefix_parse(slice_from_string(text), &p));
	return p;
}

/* By an agent of two, with a language nobody has, without Accept. */
static struct signature_rule rule_of_agents(void)
{
	return (struct signature_rule){
		.id = 7,
		.site = SLICE("www.example.gov.mo"),
		.expires_ms = 5000,
		.why = SLICE("agent and language"),
		.signature = {.count = 1,
			      .conjunction = {{.count = 3,
					       .term = {{SIGNATURE_ONE_OF, SIGNATURE_AGENT, 0},
							{SIGNATURE_UNKNOWN, SIGNATURE_LANGUAGE, 0},
							{SIGNATURE_LACKS, 0, 1}}}},
			      .known = {[SIGNATURE_LANGUAGE] = {languages, 3}},
			      .listed = {[SIGNATURE_AGENT] = {agents, 2}},
			      .coverage = 0.9,
			      .collateral = 0.0005}};
}

static struct signature_rule rule_of_prefixes(void)
{
	return (struct signature_rule){
		.id = 8,
		.expires_ms = 9000,
		.signature = {
			.count = 1,
			.conjunction = {{.count = 2,
					 .term = {{SIGNATURE_FROM, 0, 0}, {SIGNATURE_EQUALS, SIGNATURE_PACE, 4}}}},
			.prefixes = 2,
			.prefix = {prefix_of("2001:db8::/48"), prefix_of("192.0.2.0/24")}}};
}

static struct buffer built(const struct signature_content *content)
{
	struct image_version version = {.generation = 3};
	struct buffer out = buffer_make(NULL);
	memcpy(version.boot, boot, sizeof(boot));
	assert_int_equal(signature_image_build(content, &version, &out), 0);
	return out;
}

static struct signature_image *opened(struct buffer bytes)
{
	struct signature_image *image;
	enum image_fault fault;
	assert_int_equal(signature_image_open(&bytes, boot, &image, &fault), 0);
	return image;
}

static struct signature_request request_of(uint64_t agent, uint64_t language, const char *source)
{
	const struct prefix p = prefix_of(source);
	struct signature_request request = {.source = p.address, .present = 1 << 2};
	request.field[SIGNATURE_AGENT] = agent;
	request.field[SIGNATURE_LANGUAGE] = language;
	request.field[SIGNATURE_PACE] = 4;
	signature_complete(&request);
	return request;
}

static uint32_t matched(const struct signature_image *image, const char *site, const struct signature_request *request,
			uint64_t now_ms)
{
	uint64_t rules = signature_image_rules_of(image, slice_from_string(site));
	const struct signature_rule *rule = signature_image_match(image, rules, request, now_ms);
	return rule == NULL ? 0 : rule->id;
}

static void what_is_published_is_what_matches(void **state)
{
	(void)state;
	const struct signature_rule rules[] = {rule_of_agents(), rule_of_prefixes()};
	struct signature_image *image = opened(built(&(struct signature_content){.rules = rules, .rule_count = 2}));
	struct signature_request both = request_of(7, 15, "192.0.2.9"), agent = request_of(5, 15, "198.51.100.1"),
				 known = request_of(7, 20, "198.51.100.1"), v6 = request_of(1, 10, "2001:db8::1");
	const char *site = "www.example.gov.mo";
	assert_int_equal(image->version.generation, 3);
	assert_true(image->asks_pace);
	assert_slice(image->rules[0].why, "agent and language");
	assert_true(image->rules[0].signature.coverage == 0.9);
	assert_int_equal(matched(image, site, &both, 0), 7);
	assert_int_equal(matched(image, site, &both, 5000), 8);
	assert_int_equal(matched(image, site, &both, 9000), 0);
	assert_int_equal(matched(image, "forms.example.gov.mo", &both, 0), 8);
	assert_int_equal(matched(image, site, &agent, 0), 7);
	assert_int_equal(matched(image, "forms.example.gov.mo", &agent, 0), 0);
	assert_int_equal(matched(image, site, &known, 0), 0);
	assert_int_equal(matched(image, site, &v6, 0), 8);
	signature_image_free(image);
}

static void modes_are_of_a_site_or_of_all(void **state)
{
	(void)state;
	const struct prefix home[] = {prefix_of("192.0.2.0/25"), prefix_of("192.0.2.0/24"), prefix_of("10.0.0.0/8"),
				      prefix_of("::/0")};
	const struct site_mode_rule modes[] = {
		{.id = 1, .mode = SITE_GUARDED, .expires_ms = 100},
		{.id = 2, .mode = SITE_LOCAL, .site = SLICE("a"), .expires_ms = 200, .home = home, .homes = 4},
		{.id = 3, .mode = SITE_LOCAL, .site = SLICE("b"), .expires_ms = 200, .home = home, .homes = 4},
	};
	struct signature_image *image = opened(built(&(struct signature_content){.modes = modes, .mode_count = 3}));
	const struct site_mode_rule *a = signature_image_mode_of(image, SLICE("a"));
	assert_int_equal(signature_image_mode_of(image, SLICE("c"))->mode, SITE_GUARDED);
	assert_int_equal(a->mode, SITE_LOCAL);
	assert_int_equal(a->homes, 3);
	assert_ptr_equal(a->home, signature_image_mode_of(image, SLICE("b"))->home);
	static const struct {
		const char *source;
		bool home;
	} rows[] = {{"192.0.2.200", true},    {"10.1.2.3", true},   {"11.0.0.0", false},
		    {"9.255.255.255", false}, {"192.0.3.0", false}, {"2001:db8::1", true}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct prefix p = prefix_of(rows[i].source);
		assert_int_equal(site_mode_is_home(a, &p.address), rows[i].home);
	}
	signature_image_free(image);
}

/* Cut anywhere, or with any byte changed, it is refused; of another boot too. */
static void bad_images_are_refused(void **state)
{
	(void)state;
	const struct signature_rule rules[] = {rule_of_agents(), rule_of_prefixes()};
	struct buffer bytes = built(&(struct signature_content){.rules = rules, .rule_count = 2});
	struct signature_image *image;
	enum image_fault fault;
	for (size_t len = 0; len < bytes.len; len += 8) {
		struct slice cut = test_fenced(slice_make(bytes.ptr, len));
		struct buffer b = {.ptr = (uint8_t *)cut.ptr, .len = len, .capacity = len};
		assert_int_equal(signature_image_open(&b, boot, &image, &fault), SIGNATURE_IMAGE_BAD);
	}
	for (size_t i = 0; i < bytes.len; i++) {
		bytes.ptr[i] ^= 0x10;
		assert_int_equal(signature_image_open(&bytes, boot, &image, &fault), SIGNATURE_IMAGE_BAD);
		bytes.ptr[i] ^= 0x10;
	}
	assert_int_equal(signature_image_open(&bytes, (const uint8_t *)"another boot....", &image, &fault),
			 SIGNATURE_IMAGE_BAD);
	assert_int_equal(fault, IMAGE_BOOT);
	buffer_free(&bytes);
}

struct change {
	size_t at;
	uint32_t value;
};

#define OF_RULE(member)     (sizeof(struct signature_header) + offsetof(struct rule_record, member))
#define OF_RULE_TWO(member) (OF_RULE(member) + sizeof(struct rule_record))
#define OF_MODE(member)                                                                                                \
	(sizeof(struct signature_header) + 2 * sizeof(struct rule_record) + offsetof(struct mode_record, member))
#define OF_HEADER(member) offsetof(struct signature_header, member)

/* With a checksum that holds, as somebody makes one who means harm. */
static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	const struct signature_rule rules[] = {rule_of_agents(), rule_of_prefixes()};
	const struct site_mode_rule mode = {.id = 1, .mode = SITE_GUARDED, .expires_ms = 100};
	struct buffer bytes =
		built(&(struct signature_content){.rules = rules, .rule_count = 2, .modes = &mode, .mode_count = 1});
	static const struct change changes[] = {
		{OF_HEADER(rules), 1},
		{OF_HEADER(rules), UINT32_MAX},
		{OF_HEADER(modes), 70000},
		{OF_HEADER(values), UINT32_MAX},
		{OF_HEADER(prefixes), 1},
		{OF_HEADER(text), UINT32_MAX},
		{OF_RULE(id), 0},
		{OF_RULE(conjunctions), 0},
		{OF_RULE(conjunctions), SIGNATURE_CONJUNCTIONS + 1},
		{OF_RULE(coverage) + 4, 0x7ff80000},
		{OF_RULE(site.first), UINT32_MAX},
		{OF_RULE(site.count), UINT32_MAX},
		{OF_RULE(why.count), 1000},
		{OF_RULE(known[SIGNATURE_LANGUAGE].first), 3},
		{OF_RULE(listed[0].first), UINT32_MAX},
		{OF_RULE(listed[0].count), 6},
		{OF_RULE(conjunction[0].count), 0},
		{OF_RULE(conjunction[0].count), SIGNATURE_TERMS + 1},
		{OF_RULE(conjunction[0].term[0].test), SIGNATURE_TESTS},
		{OF_RULE(conjunction[0].term[0].field), SIGNATURE_FIELDS},
		{OF_RULE(conjunction[0].term[2].value), 32},
		{OF_RULE_TWO(prefixes.count), SIGNATURE_PREFIXES + 1},
		{OF_RULE_TWO(prefixes.first), 1},
		{OF_MODE(id), 0},
		{OF_MODE(mode), SITE_MODES},
		{OF_MODE(home.count), 100},
	};
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct signature_image *image;
		enum image_fault fault = IMAGE_GOOD;
		struct buffer copy = buffer_make(NULL);
		buffer_add(&copy, buffer_slice(&bytes));
		memcpy(copy.ptr + changes[i].at, &changes[i].value, sizeof(changes[i].value));
		image_seal(copy.ptr, copy.len);
		if (signature_image_open(&copy, boot, &image, &fault) != SIGNATURE_IMAGE_BAD ||
		    fault != IMAGE_MALFORMED)
			fail_msg("change %zu is taken", i);
		buffer_free(&copy);
	}
	buffer_free(&bytes);
}

static void what_no_reader_would_take_is_not_built(void **state)
{
	(void)state;
	struct signature_rule none = rule_of_agents(), all = none, order = none, why = none;
	static uint64_t backwards[] = {2, 1};
	static uint8_t long_text[SIGNATURE_WHY_BYTES + 1];
	none.id = 0;
	all.signature.conjunction[0].count = 0;
	order.signature.known[0] = (struct signature_values){backwards, 2};
	why.why = slice_make(long_text, sizeof(long_text));
	const struct signature_rule bad[] = {none, all, order, why};
	const struct image_version version = {.generation = 1};
	struct buffer out = buffer_make(NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct signature_content content = {.rules = &bad[i], .rule_count = 1};
		assert_int_equal(signature_image_build(&content, &version, &out), -EINVAL);
		assert_int_equal(out.len, 0);
	}
	const struct site_mode_rule two[] = {{.id = 1, .mode = SITE_OPEN, .site = SLICE("a")},
					     {.id = 2, .mode = SITE_LOCAL, .site = SLICE("a")}};
	const struct signature_content of_one_site = {.modes = two, .mode_count = 2};
	assert_int_equal(signature_image_build(&of_one_site, &version, &out), -EINVAL);
	buffer_free(&out);
}

static void an_arrival_is_a_request(void **state)
{
	(void)state;
	const struct event arrival = {
		.kind = EVENT_ARRIVAL,
		.source = {[10] = 0xff, 0xff, 192, 0, 2, 1},
		.method = EVENT_POST,
		.flags = EVENT_TLS | EVENT_REPEATED,
		.path = 1,
		.agent = 2,
		.shape = 3,
		.arrival = {.query = 4, .accept = 5, .language = 6, .length = 1000, .present = 7, .headers = 8}};
	struct signature_request r = signature_request_from(&arrival, 250, true), again = r;
	struct prefix source = prefix_of("192.0.2.1");
	const uint64_t given[SIGNATURE_GIVEN] = {
		3, 2, 5, 6, 1, 4, EVENT_POST, 1 + EVENT_TLS, 8, signature_class(1000), signature_class(250)};
	assert_memory_equal(r.field, given, sizeof(given));
	assert_int_equal(r.present, 7);
	assert_true(r.regular);
	assert_true(address_equal(&r.source, &source.address));
	signature_complete(&again);
	assert_memory_equal(&again.field, &r.field, sizeof(r.field));
	/* Of nobody in particular nobody knows when he came last. */
	struct event unnamed = arrival;
	memset(unnamed.source, 0, sizeof(unnamed.source));
	const struct signature_request r_unnamed = signature_request_from(&unnamed, 250, false);
	const struct signature of_all = {.count = 1,
					 .conjunction = {{.count = 1, .term = {{SIGNATURE_FROM, 0, 0}}}},
					 .prefixes = 1,
					 .prefix = {prefix_of("::/0")}};
	assert_int_equal(r_unnamed.field[SIGNATURE_PACE], 0);
	assert_false(signature_matches(&of_all, &r_unnamed));
}

static void a_file_is_read_or_said_why_not(void **state)
{
	(void)state;
	char path[] = "/tmp/guia-signatures-XXXXXX";
	close(mkstemp(path));
	const struct signature_rule rule = rule_of_agents();
	struct buffer bytes = built(&(struct signature_content){.rules = &rule, .rule_count = 1});
	struct signature_image *image;
	enum image_fault fault;
	uint64_t word = 0;
	assert_int_equal(signature_image_read(path, boot, &image, &fault), SIGNATURE_IMAGE_BAD);
	assert_int_equal(fault, IMAGE_SHORT);
	assert_int_equal(image_publish(path, buffer_slice(&bytes), 3, &word), 0);
	assert_int_equal(word, 3);
	assert_int_equal(signature_image_read(path, boot, &image, &fault), 0);
	assert_int_equal(image->rule_count, 1);
	signature_image_free(image);
	unlink(path);
	assert_int_equal(signature_image_read(path, boot, &image, &fault), -ENOENT);
	buffer_free(&bytes);
}

#if TEST_ALLOCATIONS
static void memory_may_run_out_anywhere(void **state)
{
	(void)state;
	const struct signature_rule rules[] = {rule_of_agents(), rule_of_prefixes()};
	const struct signature_content content = {.rules = rules, .rule_count = 2};
	struct image_version version = {.generation = 3};
	assert_true(test_allocations_fail());
	for (long left = 0;; left++) {
		struct buffer out = buffer_make(NULL);
		test_allocations_begin(left);
		int r = signature_image_build(&content, &version, &out);
		bool none_failed = test_allocations_end();
		buffer_free(&out);
		assert_true(r == 0 || r == -ENOMEM);
		if (none_failed) {
			assert_int_equal(r, 0);
			return;
		}
	}
}
#endif

#define TESTS                                                                                                          \
	cmocka_unit_test(what_is_published_is_what_matches), cmocka_unit_test(modes_are_of_a_site_or_of_all),          \
		cmocka_unit_test(bad_images_are_refused), cmocka_unit_test(what_cannot_be_is_refused),                 \
		cmocka_unit_test(what_no_reader_would_take_is_not_built), cmocka_unit_test(an_arrival_is_a_request),   \
		cmocka_unit_test(a_file_is_read_or_said_why_not)

#if TEST_ALLOCATIONS
TEST_MAIN(TESTS, cmocka_unit_test(memory_may_run_out_anywhere))
#else
TEST_MAIN(TESTS)
#endif
