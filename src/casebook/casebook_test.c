#include "casebook/casebook.h"

#include "base/test.h"

/* What a site does for a while, a row each; `times` seconds long. */
struct stretch {
	unsigned times;
	bool a_attacked, a_held;
	unsigned a_harm;
	unsigned a_rate;
	bool b_attacked, b_held;
	enum case_phase then; /* what the incident has come to at the end of it */
	uint64_t incident;    /* whose it is */
};

static uint64_t play(struct casebook *book, const struct stretch *s, uint64_t now_ms)
{
	for (unsigned i = 0; i < s->times; i++, now_ms += 1000) {
		const struct case_mitigation held = {
			.id = 77, .since_ms = 1, .hits = i + 1, .kind = "signature", .what = "no accept-language"};
		const struct case_sighting sightings[] = {
			{.site = "a.example",
			 .attacked = s->a_attacked,
			 .held = s->a_held,
			 .mitigations = &held,
			 .mitigation_count = s->a_held,
			 .harmed = s->a_harm != 0,
			 .harm = s->a_harm,
			 .up = s->a_harm == 0,
			 .probed = true,
			 .onset_ms = s->a_attacked ? now_ms - 500 : 0,
			 .requests = {.passed = 10,
				      .signature = s->a_held ? s->a_rate : 0,
				      .other = s->a_held ? 0 : s->a_rate},
			 .visitors = {100, s->a_harm == 0 ? 100 : 20}},
			{.site = "b.example",
			 .attacked = s->b_attacked,
			 .held = s->b_held,
			 .onset_ms = s->b_attacked ? now_ms - 300 : 0,
			 .requests = {.passed = 5}},
			{.site = "c.example", .requests = {.passed = 7}},
		};
		const struct case_second second = {.sightings = sightings, .count = 3};
		casebook_second(book, &second, now_ms);
	}
	return now_ms;
}

static void an_onset_opens_it_before_the_second_is_over(void **state)
{
	struct casebook *book = calloc(1, sizeof(*book));
	struct case_sighting sightings[] = {{.site = "a.example", .attacked = true, .onset_ms = 900},
					    {.site = "b.example"}};
	(void)state;
	casebook_begin(book, NULL, 4);
	casebook_note(book, CASE_ENTRY_ACTION, "a.example: begins", 1000);
	const struct case_second quiet = {.sightings = sightings + 1, .count = 1};
	const struct case_second second = {.sightings = sightings, .count = 2};
	casebook_onset(book, &quiet, 1000);
	assert_false(casebook_is_on(book) || book->changed);
	casebook_onset(book, &second, 1000);
	casebook_onset(book, &second, 1010);
	assert_true(book->changed);
	assert_int_equal(book->now.id, 5);
	assert_int_equal(book->now.phase, CASE_ONSET);
	assert_int_equal(book->now.onset_ms, 900);
	assert_int_equal(book->now.opened_ms, 1000);
	assert_int_equal(book->now.site_count, 1);
	assert_int_equal(book->entry_count, 3);
	assert_string_equal(book->entries[2].text, "a.example: under attack");
	assert_int_equal(book->point_count, 0);
	casebook_second(book, &second, 1600);
	assert_int_equal(book->now.id, 5);
	assert_int_equal(book->now.phase, CASE_RISING);
	assert_int_equal(book->point_count, 1);
	free(book);
}

static void phases_follow_what_is_seen(void **state)
{
	static const struct stretch stretches[] = {
		{3, .then = CASE_ONSET, .incident = 0},
		{1, true, false, 1, 1000, .then = CASE_ONSET, .incident = 1},
		{2, true, false, 1, 1000, .then = CASE_RISING, .incident = 1},
		{1, true, true, 1, 1000, .then = CASE_RISING, .incident = 1},
		{1, true, true, 0, 1000, .then = CASE_HELD, .incident = 1},
		{1, true, true, 0, 1000, true, false, CASE_RISING, 1},
		{1, true, true, 0, 1000, true, true, CASE_HELD, 1},
		{5, true, true, 0, 100, true, true, CASE_HELD, 1},
		{1, true, true, 0, 100, true, true, CASE_SUBSIDING, 1},
		{1, true, true, 0, 900, true, true, CASE_HELD, 1},
		{6, true, true, 0, 100, true, true, CASE_SUBSIDING, 1},
		{1, .then = CASE_OVER, .incident = 1},
		{3598, .then = CASE_OVER, .incident = 1},
		{1, true, false, 0, 50, .then = CASE_ONSET, .incident = 1},
		{1, .then = CASE_OVER, .incident = 1},
		{3599, .then = CASE_OVER, .incident = 1},
		{1, true, false, 0, 50, .then = CASE_ONSET, .incident = 2},
	};
	struct casebook *book = calloc(1, sizeof(*book));
	uint64_t now_ms = 1700000000000;
	(void)state;
	casebook_begin(book, NULL, 0);
	for (size_t i = 0; i < sizeof(stretches) / sizeof(stretches[0]); i++) {
		now_ms = play(book, &stretches[i], now_ms);
		if (book->now.phase != stretches[i].then || book->now.id != stretches[i].incident)
			fail_msg("row %zu: incident %u, %s", i, (unsigned)book->now.id,
				 case_phase_name(book->now.phase));
	}
	free(book);
}

static void an_incident_sums_up_its_sites(void **state)
{
	static const struct stretch stretches[] = {
		{2, true, false, 1, 1000, .then = CASE_RISING},
		{3, true, true, 0, 2000, true, true, CASE_HELD, 1},
		{1, .then = CASE_OVER},
	};
	struct casebook *book = calloc(1, sizeof(*book));
	uint64_t begin_ms = 1700000000000, now_ms = begin_ms;
	(void)state;
	casebook_begin(book, NULL, 0);
	for (size_t i = 0; i < 3; i++)
		now_ms = play(book, &stretches[i], now_ms);
	const struct case_record *record = &book->now;
	assert_int_equal(record->site_count, 2);
	assert_string_equal(record->sites[0].name, "a.example");
	assert_int_equal(record->onset_ms, begin_ms - 500);
	assert_int_equal(record->opened_ms, begin_ms);
	assert_int_equal(record->sites[0].held_ms, begin_ms + 2000);
	assert_int_equal(record->restored_ms, begin_ms + 2000);
	assert_int_equal(record->over_ms, begin_ms + 5000);
	assert_int_equal(record->sites[0].sums.signature, 6000);
	assert_int_equal(record->sites[0].sums.other, 2000);
	assert_int_equal(record->sites[1].sums.passed, 4 * 5);
	assert_int_equal(record->sites[0].worst_percent, 20);
	assert_true(record->peak > 2010 && record->peak < 2020);
	assert_int_equal(record->mitigation_count, 1);
	assert_int_equal(record->mitigations[0].hits, 3);
	assert_int_equal(record->mitigations[0].until_ms, begin_ms + 4000);
	struct case_requests sums = case_record_sums(record);
	assert_int_equal(case_requests_refused(&sums), 6000);
	free(book);
}

static void what_was_done_is_written_down_in_order(void **state)
{
	static const struct stretch on = {1, true, false, 1, 1000, .then = CASE_ONSET};
	struct casebook *book = calloc(1, sizeof(*book));
	(void)state;
	casebook_begin(book, NULL, 0);
	casebook_note(book, CASE_ENTRY_ORDER, "long ago", 1000);
	casebook_note(book, CASE_ENTRY_ACTION, "just before", 9500);
	assert_int_equal(book->entry_count, 0);
	play(book, &on, 12000);
	casebook_note(book, CASE_ENTRY_ORDER, "a ban", 12200);
	assert_int_equal(book->entry_count, 4);
	assert_string_equal(book->entries[0].text, "just before");
	assert_int_equal(book->entries[0].incident, 1);
	assert_string_equal(book->entries[1].text, "onset: a site is under attack");
	assert_string_equal(book->entries[2].text, "a.example: under attack");
	assert_string_equal(book->entries[3].text, "a ban");
	assert_int_equal(book->entries[3].kind, CASE_ENTRY_ORDER);
	for (size_t i = 0; i < CASE_ENTRIES; i++)
		casebook_note(book, CASE_ENTRY_ACTION, "more", 12300);
	assert_int_equal(book->entry_count, CASE_ENTRIES);
	assert_int_equal(book->entries_lost, 4);
	free(book);
}

static void a_book_goes_on_where_it_was(void **state)
{
	static const struct stretch on = {1, true, false, 1, 1000, .then = CASE_ONSET}, off = {1, .then = CASE_OVER};
	struct casebook *book = calloc(1, sizeof(*book)), *next = calloc(1, sizeof(*book));
	(void)state;
	casebook_begin(book, NULL, 0);
	play(book, &on, 1000);
	casebook_begin(next, &book->now, 0);
	play(next, &on, 2000);
	assert_int_equal(next->now.id, 1);
	assert_int_equal(next->now.phase, CASE_RISING);
	play(next, &off, 3000);
	casebook_begin(book, &next->now, 0);
	play(book, &on, 4000);
	assert_int_equal(book->now.id, 1);
	assert_int_equal(book->now.reopened, 1);
	free(book);
	free(next);
}

/* A second in which site a is attacked or not, and packets of a kind flood. */
static void flood(struct casebook *book, bool attacked, bool on, bool held, uint64_t packets, uint64_t now_ms)
{
	const struct case_sighting site = {.site = "a.example",
					   .attacked = attacked,
					   .held = attacked,
					   .up = true,
					   .probed = true,
					   .onset_ms = attacked ? now_ms - 100 : 0,
					   .requests = {.passed = 10}};
	struct case_second second = {.sightings = &site, .count = 1};
	second.packets[PACKET_FLOOD_UDP] = (struct case_packets){.on = on,
								 .held = held,
								 .onset_ms = on ? now_ms - 700 : 0,
								 .packets = packets,
								 .peak = (double)packets,
								 .traits = {.sampled = on, .ports = "udp/53 97 %"}};
	casebook_second(book, &second, now_ms);
}

static void packets_are_of_the_same_incident(void **state)
{
	struct casebook *book = calloc(1, sizeof(*book));
	const struct case_packets *udp = &book->now.packets[PACKET_FLOOD_UDP];
	(void)state;
	casebook_begin(book, NULL, 0);
	flood(book, false, true, false, 1000, 100000);
	assert_int_equal(book->now.id, 1);
	assert_int_equal(book->now.onset_ms, 99300);
	assert_string_equal(book->entries[0].text, "onset: packets flood the edge or the link");
	flood(book, false, true, false, 2000, 101000);
	assert_int_equal(book->now.phase, CASE_RISING);
	assert_int_equal(book->now.held_ms, 0);
	flood(book, false, true, true, 3000, 102000);
	assert_int_equal(book->now.phase, CASE_HELD);
	assert_int_equal(book->now.held_ms, 102000);
	assert_int_equal(book->now.restored_ms, 102000);
	/* requests flood a site too, then packets alone, then nothing does */
	flood(book, true, true, true, 4000, 103000);
	assert_int_equal(book->now.id, 1);
	assert_int_equal(book->now.site_count, 1);
	flood(book, false, true, true, 5000, 104000);
	assert_int_equal(book->now.phase, CASE_HELD);
	flood(book, false, false, false, 0, 105000);
	assert_int_equal(book->now.phase, CASE_OVER);
	assert_int_equal(udp->packets, 5000);
	assert_int_equal(udp->until_ms, 104000);
	assert_string_equal(udp->traits.ports, "udp/53 97 %");
	/* they come back within the hour: it adds up */
	flood(book, false, true, true, 600, 106000);
	flood(book, false, true, true, 700, 107000);
	assert_int_equal(book->now.id, 1);
	assert_int_equal(udp->packets, 5700);
	assert_int_equal(udp->onset_ms, 99300);
	free(book);
}

TEST_MAIN(cmocka_unit_test(phases_follow_what_is_seen), cmocka_unit_test(an_onset_opens_it_before_the_second_is_over),
	  cmocka_unit_test(an_incident_sums_up_its_sites), cmocka_unit_test(what_was_done_is_written_down_in_order),
	  cmocka_unit_test(a_book_goes_on_where_it_was), cmocka_unit_test(packets_are_of_the_same_incident))
