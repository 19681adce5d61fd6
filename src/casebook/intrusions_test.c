#include "casebook/intrusions.h"

#include "base/random.h"
#include "base/test.h"
#include "casebook/actors.h"
#include "casebook/missing.h"

#include <stdio.h>

enum { START_MS = 1720612800 };

#define CLASS(name) (UINT32_C(1) << FINDING_CLASS_##name)

/* The book, and what is taken of it. */
struct fixture {
	struct intrusions *intrusions;
	struct intrusion_news news;
	uint64_t last_id;
	uint64_t now_ms;
};

static int set_up(void **state)
{
	const struct hash_key key = {1, 2};
	struct fixture *f = calloc(1, sizeof(*f));
	f->now_ms = UINT64_C(1000) * START_MS;
	*state = f;
	return intrusions_new(&key, &f->intrusions);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	intrusions_free(f->intrusions);
	free(f);
	return 0;
}

struct request {
	unsigned host; /* 198.51.100.0/24 and on */
	uint64_t path, query, agent, shape;
	uint32_t classes;
	unsigned found;
	int inbound;
	uint16_t site;
	const char *target, *agent_text, *body;
};

static void source_of(unsigned host, uint8_t source[16])
{
	const uint8_t v4[4] = {198, (uint8_t)(51 + (host >> 16)), (uint8_t)(100 + (host >> 8)), (uint8_t)host};
	struct address address = address_from_v4(v4);
	memcpy(source, address.bytes, 16);
}

static const char *site_name(uint16_t site)
{
	static const char *const names[] = {"a.example", "b.example", "c.example"};
	return names[site % 3];
}

static void found(struct fixture *f, const struct request *r)
{
	static struct finding finding;
	finding = (struct finding){.head = {.path = r->path,
					    .query = r->query,
					    .agent = r->agent,
					    .shape = r->shape,
					    .classes = r->classes,
					    .found = (uint16_t)r->found,
					    .inbound_score = r->inbound,
					    .match_count = 1}};
	source_of(r->host, finding.head.source);
	finding.matches[0] = (struct finding_match){.rule = 942100, .classes = r->classes};
	finding.match_texts[0].message = SLICE("Something");
	finding.texts[FINDING_TARGET] = slice_from_string(r->target != NULL ? r->target : "/path?q=1");
	finding.texts[FINDING_AGENT] = slice_from_string(r->agent_text != NULL ? r->agent_text : "agent");
	finding.texts[FINDING_BODY_SENT] = slice_from_string(r->body);
	intrusions_finding(f->intrusions, &finding, r->site, site_name(r->site), f->now_ms);
}

static void ended(struct fixture *f, unsigned host, uint64_t path, uint16_t status, uint64_t request)
{
	struct event event = {.kind = EVENT_END, .path = path, .request = request, .end.status = status};
	source_of(host, event.source);
	intrusions_event(f->intrusions, 3, &event, 0, site_name(0), f->now_ms);
}

static void pass(struct fixture *f, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		f->now_ms += 1000;
		intrusions_second(f->intrusions, &f->last_id, f->now_ms);
	}
}

/* What is new: how many incidents; the last of them stays in ->news. */
static unsigned take(struct fixture *f)
{
	unsigned count = 0;
	while (intrusions_take(f->intrusions, f->now_ms, &f->news))
		count++;
	return count;
}

static const struct request sqlmap = {.path = 7,
				      .query = 8,
				      .agent = 99,
				      .shape = 5,
				      .classes = CLASS(SQL_INJECTION) | CLASS(SCANNER),
				      .found = FINDING_DISRUPTED,
				      .inbound = 10,
				      .agent_text = "sqlmap/1.7#stable"};

static void test_five_addresses_with_one_tool_are_one(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 60; i++) {
		struct request r = sqlmap;
		r.host = i % 5 * 256; /* each in a network of its own */
		found(f, &r);
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.record.kind, CASE_INJECTION);
	assert_int_equal(f->news.actor.sources, 5);
	assert_int_equal(f->news.actor.findings, 60);
	assert_int_equal(f->news.record.site_count, 1);
	assert_string_equal(f->news.record.sites[0].name, "a.example");
	assert_int_equal(f->news.record.sites[0].sums.blocked, 60);
	assert_int_equal(f->news.point_count, 1);
	uint64_t sources = 0, agents = 0;
	for (size_t i = 0; i < f->news.tally_count; i++) {
		sources += strcmp(f->news.tallies[i].dimension, "source") == 0;
		agents += strcmp(f->news.tallies[i].key, "sqlmap/1.7#stable") == 0;
	}
	assert_int_equal(sources, 5);
	assert_int_equal(agents, 1);
	/* What was told is not told again. */
	found(f, &sqlmap);
	pass(f, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.tally_count, 5);
	assert_int_equal(f->news.record.sites[0].sums.blocked, 61);
	assert_int_equal(f->news.points[0].requests.blocked, 1);
}

/* Another name each time: the order of headers, what is asked for, and the class of attack are the same. */
static void test_random_agents_are_one(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 60; i++) {
		struct request r = sqlmap;
		r.host = i % 5 * 256;
		r.agent = 1000 + i;
		r.classes = CLASS(SQL_INJECTION);
		found(f, &r);
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.actor.sources, 5);
}

static void test_two_that_share_nothing_are_two(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 20; i++) {
		struct request r = sqlmap;
		found(f, &r);
		r = (struct request){.host = 70000,
				     .path = 70 + i,
				     .agent = 55,
				     .shape = 66,
				     .classes = CLASS(FILE_ACCESS),
				     .found = FINDING_WOULD_BLOCK,
				     .inbound = 5,
				     .site = 1};
		found(f, &r);
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 2);
}

/* Each from elsewhere, with another tool, for something else, once. */
static void test_one_off_probes_are_no_incident(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 5000; i++) {
		uint64_t mix = random_mix(i + 1);
		struct request r = {.host = i * 256 % 0xffffff,
				    .path = mix,
				    .agent = random_mix(mix),
				    .shape = random_mix(mix + 1),
				    .classes = CLASS(SQL_INJECTION) << i % 3,
				    .found = FINDING_DISRUPTED,
				    .inbound = 5};
		found(f, &r);
		if (i % 50 == 0)
			pass(f, 1);
	}
	assert_int_equal(f->last_id, 0);
	/* And who goes on among them is seen. */
	for (unsigned i = 0; i < 12; i++) {
		found(f, &sqlmap);
		for (unsigned k = 0; k < 100; k++) {
			struct request r = {.host = (unsigned)(random_mix(i * 100 + k) % 0xffffff),
					    .path = random_mix(i * 700 + k),
					    .agent = random_mix(i * 900 + k),
					    .classes = CLASS(FILE_ACCESS),
					    .found = FINDING_DISRUPTED,
					    .inbound = 5};
			found(f, &r);
		}
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 1);
	assert_int_equal(take(f), 1);
	assert_string_equal(f->news.record.sites[0].name, "a.example");
	assert_int_equal(f->news.actor.sources, 1);
}

static void test_what_is_not_of_note(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 1000; i++) {
		struct request r = {.host = 1, .path = i, .classes = CLASS(PROTOCOL), .inbound = 3};
		found(f, &r); /* a name of a host in digits, from every visitor */
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 0);
}

static void test_a_scan_is_of_many_paths(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 100; i++) {
		struct request r = {.host = 1, .path = 4, .classes = CLASS(SCANNER), .inbound = 5};
		found(f, &r);
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 0);
	for (unsigned i = 0; i < 10; i++) {
		struct request r = {.host = 1, .path = random_mix(i), .classes = CLASS(SCANNER), .inbound = 5};
		found(f, &r);
	}
	pass(f, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.record.kind, CASE_SCAN);
}

static void test_pages_that_are_not_there(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 1000; i++)
		ended(f, 9, 1234, 404, i); /* one that was moved */
	for (unsigned i = 0; i < 1000; i++)
		ended(f, 10, random_mix(i), 200, i);
	pass(f, 1);
	assert_int_equal(f->last_id, 0);
	for (unsigned i = 0; i < 100; i++)
		ended(f, 11, random_mix(i), 404, i);
	pass(f, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.record.kind, CASE_SCAN);
	assert_int_equal(f->news.actor.missing, 100);
	assert_int_equal(f->news.actor.sources, 1);
	assert_int_equal(f->news.record.sites[0].sums.passed, 100);
}

static void test_a_site_that_leaks_is_one_whoever_asks(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 100; i++) {
		struct request r = {.host = i * 256,
				    .path = i,
				    .agent = i,
				    .shape = i,
				    .classes = CLASS(DISCLOSURE),
				    .found = FINDING_RESPONSE | FINDING_WOULD_BLOCK,
				    .site = i < 60 ? 1 : 2};
		found(f, &r);
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 2);
	assert_true(intrusions_take(f->intrusions, f->now_ms, &f->news));
	assert_int_equal(f->news.record.kind, CASE_LEAK);
	assert_int_equal(f->news.actor.findings, 60);
	assert_in_range(f->news.actor.sources, 55, 65);
	assert_string_equal(f->news.record.sites[0].name, "b.example");
	/* None of them did anything: what the next does is another matter. */
	struct request r = sqlmap;
	r.host = 256;
	for (unsigned i = 0; i < 20; i++)
		found(f, &r);
	pass(f, 1);
	assert_int_equal(f->last_id, 3);
}

static void heads(struct fixture *f, const char *text, uint64_t request)
{
	struct head head = {.request = request, .length = (uint16_t)strlen(text)};
	memcpy(head.text, text, head.length);
	intrusions_head(f->intrusions, 3, &head);
}

static bool told(const struct fixture *f, const char *text)
{
	for (size_t i = 0; i < f->news.entry_count; i++)
		if (strstr(f->news.entries[i].text, text) != NULL)
			return true;
	return false;
}

static void test_an_upload_and_who_asks_for_it(void **state)
{
	struct fixture *f = *state;
	struct request r = {
		.classes = CLASS(UPLOAD) | CLASS(PHP),
		.found = FINDING_WOULD_BLOCK,
		.inbound = 5,
		.body = "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"..\\img/c99x.php\"\r\n"};
	found(f, &r);
	pass(f, 2);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.record.kind, CASE_SHELL);
	heads(f, "GET /files/c99x.php?cmd=id HTTP/1.1\nHost: a.example", 70);
	heads(f, "GET /files/other.php HTTP/1.1\nHost: a.example", 71);
	heads(f, "GET /c99x.php HTTP/1.1", 72);
	ended(f, 9, 1, 200, 71);
	ended(f, 9, 1, 404, 72);
	pass(f, 1);
	assert_false(take(f) > 0 && told(f, "c99x.php"));
	ended(f, 9, 1, 200, 70);
	pass(f, 1);
	assert_int_equal(take(f), 1);
	assert_true(told(f, "c99x.php, was asked for and answered"));
	/* A name that every site has says nothing. */
	r.body = "filename=\"index.php\"";
	found(f, &r);
	heads(f, "GET /index.php HTTP/1.1", 80);
	ended(f, 9, 1, 200, 80);
	pass(f, 1);
	assert_false(take(f) > 0 && told(f, "index.php"));
}

static void test_one_that_goes_further_stays_one(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 30; i++) {
		struct request r = sqlmap;
		r.path = random_mix(i);
		r.classes = CLASS(SCANNER);
		found(f, &r);
	}
	pass(f, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.record.kind, CASE_SCAN);
	for (unsigned i = 0; i < 30; i++)
		found(f, &sqlmap);
	pass(f, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.record.kind, CASE_INJECTION);
	struct request r = sqlmap;
	r.classes = CLASS(DISCLOSURE);
	r.found = FINDING_RESPONSE | FINDING_WOULD_BLOCK;
	found(f, &r);
	pass(f, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.record.kind, CASE_LEAK);
	assert_int_equal(f->news.record.phase, CASE_RISING);
	assert_int_equal(f->news.actor.kinds, 1u << CASE_SCAN | 1u << CASE_INJECTION | 1u << CASE_LEAK);
	assert_int_equal(f->last_id, 1);
}

static void expect_phase(struct fixture *f, enum case_phase phase)
{
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.record.phase, phase);
	assert_int_equal(f->news.record.id, 1);
}

static void test_phases(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 20; i++)
		found(f, &sqlmap);
	pass(f, 1);
	expect_phase(f, CASE_ONSET);
	pass(f, 1);
	expect_phase(f, CASE_HELD);
	pass(f, 70);
	expect_phase(f, CASE_SUBSIDING);
	pass(f, 60);
	assert_int_equal(take(f), 0);
	found(f, &sqlmap);
	pass(f, 1);
	expect_phase(f, CASE_HELD);
	struct request r = sqlmap;
	r.found = FINDING_WOULD_BLOCK;
	found(f, &r);
	pass(f, 1);
	expect_phase(f, CASE_RISING);
	pass(f, 300);
	expect_phase(f, CASE_OVER);
	assert_true(f->news.record.over_ms > 0);
	pass(f, 3000);
	assert_int_equal(take(f), 0);
	found(f, &sqlmap);
	pass(f, 1);
	expect_phase(f, CASE_ONSET);
	assert_int_equal(f->news.record.reopened, 1);
	assert_int_equal(f->news.record.over_ms, 0);
	pass(f, 400);
	(void)take(f);
	pass(f, 3700);
	for (unsigned i = 0; i < 20; i++)
		found(f, &sqlmap);
	pass(f, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.record.id, 2);
}

/* A million addresses, each with a page that is not there and an attack like the others': one, and no more memory. */
static void test_a_flood_of_sources(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 200000; i++) {
		struct request r = sqlmap;
		r.host = (unsigned)(random_mix(i) % 0xffffff);
		ended(f, r.host, random_mix(i), 404, i);
		if (i % 4 == 0)
			found(f, &r);
		if (i % 2000 == 0)
			pass(f, 1);
	}
	pass(f, 1);
	assert_int_equal(f->last_id, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.actor.findings, 50000);
	assert_true(f->news.actor.sources > 10000);
}

static void test_it_goes_on_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct intrusion_news before;
	for (unsigned i = 0; i < 20; i++)
		found(f, &sqlmap);
	pass(f, 2);
	assert_int_equal(take(f), 1);
	before = f->news;
	intrusions_free(f->intrusions);
	const struct hash_key key = {3, 4};
	assert_int_equal(intrusions_new(&key, &f->intrusions), 0);
	intrusions_resume(f->intrusions, &before.record, &before.actor);
	for (size_t i = 0; i < before.tally_count; i++)
		if (strcmp(before.tallies[i].dimension, "source") == 0)
			intrusions_resume_source(f->intrusions, 1, before.tallies[i].key);
	intrusions_resume_source(f->intrusions, 1, "no address");
	pass(f, 1);
	struct request r = sqlmap;
	r.agent = 12345; /* known by its address */
	found(f, &r);
	r = sqlmap;
	r.host = 256 * 256; /* known by its tool, what it asks for, and how */
	found(f, &r);
	pass(f, 1);
	assert_int_equal(f->last_id, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.record.id, 1);
	assert_int_equal(f->news.actor.findings, 22);
	assert_int_equal(f->news.record.sites[0].sums.blocked, 22);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
TEST_MAIN(CASE(test_five_addresses_with_one_tool_are_one), CASE(test_random_agents_are_one),
	  CASE(test_two_that_share_nothing_are_two), CASE(test_one_off_probes_are_no_incident),
	  CASE(test_what_is_not_of_note), CASE(test_a_scan_is_of_many_paths), CASE(test_pages_that_are_not_there),
	  CASE(test_a_site_that_leaks_is_one_whoever_asks), CASE(test_an_upload_and_who_asks_for_it),
	  CASE(test_one_that_goes_further_stays_one), CASE(test_phases), CASE(test_a_flood_of_sources),
	  CASE(test_it_goes_on_after_a_restart))
