/* Findings and ends of requests for tests of intrusions, and what is taken of them. */
#ifndef GUIA_CASEBOOK_TEST_INTRUSIONS_H
#define GUIA_CASEBOOK_TEST_INTRUSIONS_H

#include "base/address.h"
#include "base/random.h"
#include "base/test.h"
#include "casebook/intrusions.h"

enum { START_MS = 1720612800 };

#define CLASS(name) (UINT32_C(1) << FINDING_CLASS_##name)

/* The book, and what is taken of it. */
struct fixture {
	struct intrusions *intrusions;
	struct intrusion_news news;
	uint64_t last_id;
	uint64_t now_ms;
	uint64_t late_ms; /* how long ago is what is found */
	bool flood;
};

static inline int set_up(void **state)
{
	const struct hash_key key = {1, 2};
	struct fixture *f = calloc(1, sizeof(*f));
	f->now_ms = UINT64_C(1000) * START_MS;
	*state = f;
	return intrusions_new(&key, &f->intrusions);
}

static inline int tear_down(void **state)
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

static inline void source_of(unsigned host, uint8_t source[16])
{
	const uint8_t v4[4] = {198, (uint8_t)(51 + (host >> 16)), (uint8_t)(100 + (host >> 8)), (uint8_t)host};
	struct address address = address_from_v4(v4);
	memcpy(source, address.bytes, 16);
}

static inline const char *site_name(uint16_t site)
{
	static const char *const names[] = {"a.example", "b.example", "c.example"};
	return names[site % 3];
}

static inline void found(struct fixture *f, const struct request *r)
{
	static struct finding finding;
	finding = (struct finding){.head = {.wall_ms = f->now_ms - f->late_ms,
					    .path = r->path,
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

static inline void ended(struct fixture *f, unsigned host, uint64_t path, uint16_t status, uint64_t request)
{
	struct event event = {.kind = EVENT_END,
			      .wall_ms = f->now_ms - f->late_ms,
			      .path = path,
			      .request = request,
			      .end.status = status};
	source_of(host, event.source);
	intrusions_event(f->intrusions, 3, &event, 0, site_name(0), f->now_ms);
}

static inline void pass(struct fixture *f, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		f->now_ms += 1000;
		intrusions_second(f->intrusions, f->flood, &f->last_id, f->now_ms);
	}
}

/* What is new: how many incidents; the last of them stays in ->news. */
static inline unsigned take(struct fixture *f)
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

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
