#include "casebook/test_intrusions.h"
#include "casebook/uploads.h"

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

/* Another actor has the place of who sent it, and another name that of the file. */
static void test_an_upload_is_not_laid_to_who_comes_after(void **state)
{
	struct fixture *f = *state;
	char body[64];
	struct request r = {.host = 7,
			    .classes = CLASS(UPLOAD) | CLASS(PHP),
			    .found = FINDING_WOULD_BLOCK,
			    .inbound = 5,
			    .body = "filename=\"c99x.php\""};
	found(f, &r);
	pass(f, 1);
	assert_int_equal(take(f), 1);
	for (unsigned i = 0; i < 2 * 3600; i++) {
		pass(f, 1);
		(void)take(f);
	}
	r.host = 8;
	r.body = "filename=\"first.php\"";
	found(f, &r);
	pass(f, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->last_id, 2);
	heads(f, "GET /c99x.php HTTP/1.1", 70);
	ended(f, 9, 1, 200, 70);
	pass(f, 1);
	assert_false(take(f) > 0 && told(f, "was asked for"));
	heads(f, "GET /first.php HTTP/1.1", 71);
	for (unsigned i = 0; i < UPLOADS_KEPT; i++) {
		snprintf(body, sizeof(body), "filename=\"%u.php\"", i);
		r.body = body;
		found(f, &r);
	}
	ended(f, 9, 1, 200, 71);
	pass(f, 1);
	assert_false(take(f) > 0 && told(f, "was asked for"));
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

static void test_a_flood_is_no_scan(void **state)
{
	struct fixture *f = *state;
	f->flood = true;
	for (unsigned i = 0; i < 100000; i++) {
		struct request r = {.host = i % 500 * 256,
				    .path = random_mix(i),
				    .agent = random_mix(i + 1),
				    .shape = random_mix(i % 500),
				    .classes = CLASS(PROTOCOL),
				    .found = FINDING_DISRUPTED,
				    .inbound = 5};
		if (i % 2 == 0)
			found(f, &r);
		else
			ended(f, r.host, r.path, 404, i);
		if (i % 5000 == 0)
			pass(f, 1);
	}
	pass(f, 1);
	f->flood = false;
	pass(f, 60);
	assert_int_equal(f->last_id, 0);
	/* What is graver is one all the same. */
	f->flood = true;
	for (unsigned i = 0; i < 20; i++)
		found(f, &sqlmap);
	pass(f, 1);
	assert_int_equal(f->last_id, 1);
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

/* What the rings still hold when a watch begins. */
static void test_what_is_past_is_not_taken_again(void **state)
{
	struct fixture *f = *state;
	struct intrusion_news before;
	for (unsigned i = 0; i < 20; i++)
		found(f, &sqlmap);
	pass(f, 400);
	while (take(f) > 0)
		before = f->news;
	assert_int_equal(before.record.phase, CASE_OVER);
	intrusions_free(f->intrusions);
	const struct hash_key key = {3, 4};
	assert_int_equal(intrusions_new(&key, &f->intrusions), 0);
	intrusions_resume(f->intrusions, &before.record, &before.actor);
	for (size_t i = 0; i < before.tally_count; i++)
		if (strcmp(before.tallies[i].dimension, "source") == 0)
			intrusions_resume_source(f->intrusions, 1, before.tallies[i].key);
	f->late_ms = 400 * 1000; /* within the window, and on record */
	for (unsigned i = 0; i < 20; i++)
		found(f, &sqlmap);
	struct request other = sqlmap; /* of whom nothing is on record, and longer ago than that */
	other.host = 3 << 16;
	f->late_ms = 11 * 60 * 1000;
	for (unsigned i = 0; i < 60; i++) {
		found(f, &other);
		ended(f, 4 << 16, i, 404, i);
	}
	pass(f, 2);
	assert_int_equal(take(f), 0);
	assert_int_equal(f->last_id, 1);
	f->late_ms = 0;
	found(f, &sqlmap);
	pass(f, 1);
	assert_int_equal(take(f), 1);
	assert_int_equal(f->news.actor.findings, 21);
	assert_int_equal(f->news.record.reopened, 1);
}

static void glance(void *context, const struct case_glance *seen)
{
	*(struct case_glance *)context = *seen;
}

/* Requests are told whose they are once there is an incident; and addresses, as long as it is on. */
static void test_what_belongs_to_one(void **state)
{
	struct fixture *f = *state;
	struct case_glance seen = {.id = 0};
	struct finding finding = {.head = {.wall_ms = f->now_ms,
					   .classes = sqlmap.classes,
					   .agent = sqlmap.agent,
					   .inbound_score = 10,
					   .match_count = 1},
				  .matches = {{.rule = 942100, .classes = sqlmap.classes}}};
	struct address source, other;
	source_of(5, finding.head.source);
	source = address_from_v6(finding.head.source);
	intrusions_each(f->intrusions, glance, &seen);
	assert_int_equal(seen.id, 0);
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(intrusions_finding(f->intrusions, &finding, 0, site_name(0), f->now_ms), 0);
	assert_int_equal(intrusions_incident_of(f->intrusions, &source), 0);
	pass(f, 1);
	assert_int_equal(intrusions_finding(f->intrusions, &finding, 1, site_name(1), f->now_ms), 1);
	assert_int_equal(intrusions_incident_of(f->intrusions, &source), 1);
	source_of(6, finding.head.source);
	other = address_from_v6(finding.head.source);
	assert_int_equal(intrusions_incident_of(f->intrusions, &other), 0);
	intrusions_each(f->intrusions, glance, &seen);
	assert_int_equal(seen.id, 1);
	assert_int_equal(seen.kind, CASE_INJECTION);
	assert_int_equal(seen.site_count, 2);
	assert_string_equal(seen.sites[1], site_name(1));
	assert_int_equal(case_requests_all(&seen.requests), 31);
	f->now_ms += INTRUSION_OVER_MS;
	pass(f, 1);
	intrusions_each(f->intrusions, glance, &seen);
	assert_int_equal(seen.phase, CASE_OVER);
	assert_int_equal(intrusions_incident_of(f->intrusions, &source), 0);
}

TEST_MAIN(CASE(test_what_belongs_to_one), CASE(test_what_is_not_of_note), CASE(test_a_scan_is_of_many_paths),
	  CASE(test_pages_that_are_not_there), CASE(test_an_upload_and_who_asks_for_it),
	  CASE(test_an_upload_is_not_laid_to_who_comes_after), CASE(test_one_that_goes_further_stays_one),
	  CASE(test_phases), CASE(test_a_flood_is_no_scan), CASE(test_it_goes_on_after_a_restart),
	  CASE(test_what_is_past_is_not_taken_again))
