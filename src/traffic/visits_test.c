#include "traffic/visits.h"

#include "base/test.h"

enum { SITE = 3, BEGAN_MS = 1000000 };

static const struct hash_key key = {61, 62};
static uint64_t seed = 7;

static uint64_t lot(uint64_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

struct stage {
	struct offenders *offenders;
	struct visits *visits;
};

static struct stage stage_make(void)
{
	struct stage stage;
	assert_int_equal(offenders_new(1 << 12, &key, &stage.offenders), 0);
	assert_int_equal(visits_new(5, &stage.visits), 0);
	return stage;
}

static void stage_free(struct stage *stage)
{
	offenders_free(stage->offenders);
	visits_free(stage->visits);
}

static struct address source_of(uint64_t number)
{
	return address_from_words(0x20010db800000000 + number, 1);
}

static void ask(struct stage *stage, uint64_t source, uint64_t path, uint64_t at_ms)
{
	struct sampled request = {
		.field = {[SIGNATURE_PATH] = path}, .source = source_of(source), .at_s = (uint32_t)(at_ms / 1000)};
	struct offender *offender = offenders_get(stage->offenders, SITE, &request.source, at_ms);
	offender->paths |= (uint64_t)1 << path % 64;
	visits_arrival(stage->visits, offender, &request, at_ms);
}

static bool is_visitor(const struct stage *stage, uint64_t source, uint64_t at_ms)
{
	const struct address address = source_of(source);
	const struct offender *offender = offenders_find(stage->offenders, SITE, &address);
	return offender != NULL && offender_is_visitor(offender, at_ms);
}

/* A page with what belongs to it, and as long a pause as it takes to be sure. */
static void a_page_and_its_parts_are_a_visit(void **state)
{
	(void)state;
	struct stage stage = stage_make();
	const struct sampled *kept;
	for (uint64_t i = 0; i < 9; i++)
		ask(&stage, 1, i, BEGAN_MS + i * 30);
	assert_false(is_visitor(&stage, 1, BEGAN_MS + 1000));
	assert_int_equal(visits_gather(stage.visits, stage.offenders, SITE, BEGAN_MS + 1000, &kept), 0);
	assert_true(is_visitor(&stage, 1, BEGAN_MS + 6000));
	assert_int_equal(visits_gather(stage.visits, stage.offenders, SITE, BEGAN_MS + 6000, &kept), VISIT_REQUESTS);
	for (uint64_t i = 0; i < VISIT_REQUESTS; i++)
		assert_int_equal(kept[i].field[SIGNATURE_PATH], i); /* the page is among them */
	stage_free(&stage);
}

struct machine {
	const char *what;
	uint64_t pause_ms, pages, on_ms, off_ms;
};

/* Slow or fast, on many pages, all the time or by turns: what asks at a pace of its own comes in no visits. */
static void machines_make_no_visits(void **state)
{
	(void)state;
	static const struct machine machines[] = {
		{"one in five seconds", 5000, 400, 1, 0},
		{"one a second", 1000, 400, 1, 0},
		{"two a second", 500, 400, 1, 0},
		{"three a second", 333, 400, 1, 0},
		{"fifty a second", 20, 400, 1, 0},
		{"bursts on one page", 5, 1, 50, 10000},
		{"twenty seconds on and off", 300, 400, 20000, 20000},
	};
	enum { EACH = 200, LASTS_MS = 60000 };
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		const struct machine *m = &machines[i];
		struct stage stage = stage_make();
		unsigned taken = 0;
		for (uint64_t source = 0; source < EACH; source++) {
			uint64_t ms = 0;
			for (ms = lot(m->pause_ms); ms < LASTS_MS; ms += 1 + lot(2 * m->pause_ms))
				if (ms % (m->on_ms + m->off_ms) < m->on_ms || m->off_ms == 0)
					ask(&stage, source, lot(m->pages), BEGAN_MS + ms);
			taken += is_visitor(&stage, source, BEGAN_MS + LASTS_MS);
		}
		assert_true(taken <= 1);
		stage_free(&stage);
	}
}

/* Of very many requests between those of a visit the first are held no more: fewer are kept, and none of another. */
static void what_is_not_held_any_more_is_not_kept(void **state)
{
	(void)state;
	struct stage stage = stage_make();
	const struct sampled *kept;
	for (uint64_t i = 0; i < 9; i++) {
		for (uint64_t other = 0; other < VISITS_RECENT / 2; other++)
			ask(&stage, 100 + other % 2000, other % 50, BEGAN_MS + i * 30);
		ask(&stage, 1, i, BEGAN_MS + i * 30);
	}
	size_t count = visits_gather(stage.visits, stage.offenders, SITE, BEGAN_MS + 8000, &kept);
	const struct address visitor = source_of(1);
	assert_true(count > 0 && count <= VISIT_REQUESTS);
	for (size_t i = 0; i < count; i++)
		assert_true(address_equal(&kept[i].source, &visitor));
	stage_free(&stage);
}

TEST_MAIN(cmocka_unit_test(a_page_and_its_parts_are_a_visit), cmocka_unit_test(machines_make_no_visits),
	  cmocka_unit_test(what_is_not_held_any_more_is_not_kept))
