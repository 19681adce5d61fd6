#include "report/report.h"

#include "base/test.h"
#include "report/html.h"
#include "report/plot.h"

#include <math.h>

static char folder[] = "/tmp/guia-report-XXXXXX";
static char path[64];

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/history.db", folder);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* Which placeholders a text has, in order. */
static void placeholders(const char *text, struct buffer *out)
{
	for (const char *at = strchr(text, '%'); at != NULL; at = strchr(at + 1, '%')) {
		if (strncmp(at, "%s", 2) == 0)
			buffer_text(out, "s");
		if (strncmp(at, "%lu", 3) == 0)
			buffer_text(out, "u");
	}
}

static void every_phrase_is_in_every_language(void **state)
{
	(void)state;
	for (enum phrase p = 0; p < PHRASES; p++) {
		struct buffer first = buffer_make(NULL);
		placeholders(phrase(p, LANGUAGE_ENGLISH), &first);
		assert_true(first.len <= 1);
		for (enum language l = 0; l < LANGUAGES; l++) {
			struct buffer here = buffer_make(NULL);
			const char *text = phrase(p, l);
			assert_non_null(text);
			assert_true(strlen(text) > 0);
			placeholders(text, &here);
			if (!slice_equal(buffer_slice(&first), buffer_slice(&here)))
				fail_msg("phrase %u: %s", p, text);
			buffer_free(&here);
		}
		buffer_free(&first);
	}
	for (enum language l = 0; l < LANGUAGES; l++) {
		assert_int_equal(language_find(language_tag(l)), l);
		for (enum case_phase p = 0; p < CASE_PHASES; p++) {
			assert_non_null(phrase_of_phase(CASE_FLOOD, p, l));
			assert_non_null(phrase_of_phase(CASE_SCAN, p, l));
		}
		for (enum packet_flood_kind kind = 0; kind < PACKET_FLOODS; kind++)
			assert_non_null(phrase_of_packets(kind, l));
	}
	assert_int_equal(language_find("xx"), LANGUAGES);
}

static void text_stays_text(void **state)
{
	static const struct {
		const char *text, *html;
	} cases[] = {
		{"a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;"},
		{"\x1b[31mred\n", "\\x1b[31mred\\n"},
		{"\xe2\x80\xae"
		 "evil",
		 "\\xe2\\x80\\xaeevil"},
		{"\xff", "\\xff"},
		{"Guia 東望洋", "Guia 東望洋"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer out = buffer_make(NULL);
		html_add(&out, cases[i].text);
		if (!slice_equal(buffer_slice(&out), slice_from_string(cases[i].html)))
			fail_msg("[%s] came as [%.*s]", cases[i].html, SLICE_ARG(buffer_slice(&out)));
		buffer_free(&out);
	}
	struct buffer out = buffer_make(NULL);
	html_add_with(&out, "<%s> 5 %", "%s&");
	html_add_number(&out, " n. %lu", 7);
	assert_slice(buffer_slice(&out), "&lt;%s&amp;&gt; 5 % n. 7");
	buffer_free(&out);
}

static const char hostile[] = "</td><script>alert('1')</script>\x1b]0;x\x07";

static struct case_record *record_of(bool full)
{
	struct case_record *record = calloc(1, sizeof(*record));
	*record = (struct case_record){
		.id = 3, .phase = full ? CASE_OVER : CASE_ONSET, .onset_ms = 1720612800000, .opened_ms = 1720612800700};
	if (!full)
		return record;
	record->held_ms = record->onset_ms + 1300;
	record->restored_ms = record->onset_ms + 2000;
	record->over_ms = record->onset_ms + 3600 * 1000;
	record->peak = 1234567;
	record->site_count = 2;
	snprintf(record->sites[0].name, CASE_NAME_BYTES, "%s", hostile);
	record->sites[0].sums.signature = 1234567;
	record->sites[0].visitors = (struct case_visitors){1000, 999};
	record->sites[0].worst_percent = 12;
	record->mitigation_count = 1;
	record->mitigations[0] =
		(struct case_mitigation){.id = 9, .since_ms = record->held_ms, .until_ms = record->over_ms, .hits = 77};
	snprintf(record->mitigations[0].what, CASE_TEXT_BYTES, "%s", hostile);
	record->packets[PACKET_FLOOD_UDP] =
		(struct case_packets){.onset_ms = record->onset_ms, .packets = 99, .traits = {.ports = "udp/53 97 %"}};
	snprintf(record->packets[PACKET_FLOOD_UDP].traits.networks, PACKET_TRAITS_BYTES, "%s", hostile);
	snprintf(record->places, sizeof(record->places), "%s", hostile);
	return record;
}

static void write_all(const struct case_record *record, bool full)
{
	struct case_store *store;
	struct case_entry entry = {.incident = 3, .at_ms = record->onset_ms, .kind = CASE_ENTRY_ORDER};
	struct case_point points[50];
	struct case_tally tallies[] = {{"network", hostile, 5}, {"agent", hostile, 6}};
	struct case_news news = {.record = record};
	snprintf(entry.text, sizeof(entry.text), "%s", hostile);
	for (size_t i = 0; i < 50; i++)
		points[i] = (struct case_point){.incident = 3,
						.at_ms = record->opened_ms + 60000 * i,
						.requests = {.passed = 100, .signature = i * 50},
						.visitors = {i % 2 * 200, 100}};
	if (full) {
		news.entries = &entry;
		news.entry_count = 1;
		news.points = points;
		news.point_count = 50;
		news.tallies = tallies;
		news.tally_count = 2;
	}
	assert_int_equal(case_store_open(path, &store), 0);
	assert_int_equal(case_store_write(store, &news, 1), 0);
	case_store_close(store);
}

static size_t count_of(struct slice text, const char *what)
{
	size_t count = 0;
	for (size_t at = slice_find(text, slice_from_string(what), 0); at < text.len;
	     at = slice_find(text, slice_from_string(what), at + 1))
		count++;
	return count;
}

static void read_in(struct case_store *store, const struct case_record *record, enum language language, bool full)
{
	struct buffer out = buffer_make(NULL);
	assert_int_equal(report_add(store, record, language, record->onset_ms + 5000, &out), 0);
	struct slice text = buffer_slice(&out);
	assert_int_equal(count_of(text, "<script"), 0);
	assert_int_equal(count_of(text, "\x1b"), 0);
	assert_int_equal(count_of(text, "%s") + count_of(text, "%lu"), 0);
	assert_int_equal(count_of(text, "nan"), 0);
	assert_int_equal(count_of(text, "<h2>"), full ? 10 : 9);
	assert_int_equal(count_of(text, "udp/53 97 %"), full);
	assert_int_equal(count_of(text, "<figure>"), full ? 2 : 0);
	assert_true(count_of(text, phrase(PHRASE_NOT_YET_KNOWN, language)) >= (full ? 1u : 9u));
	assert_int_equal(count_of(text, "http"), 1); /* the attribute http-equiv: nothing comes from elsewhere */
	buffer_free(&out);
}

static void a_report_is_whole_at_any_time(void **state)
{
	(void)state;
	for (int full = 0; full < 2; full++) {
		struct case_record *record = record_of(full);
		struct case_store *store;
		write_all(record, full);
		assert_int_equal(case_store_look(path, &store), 0);
		for (enum language language = 0; language < LANGUAGES; language++)
			read_in(store, record, language, full);
		case_store_close(store);
		free(record);
	}
}

static void an_axis_says_what_it_shows(void **state)
{
	(void)state;
	static const struct {
		double most;
		const char *labels[4];
	} rows[] = {
		{1, {">0.25<", ">0.50<", ">0.75<", ">1.00<"}},  {2.5, {">0.625<", ">1.250<", ">1.875<", ">2.500<"}},
		{8, {">2.5<", ">5.0<", ">7.5<", ">10.0<"}},     {24, {">6.25<", ">12.50<", ">18.75<", ">25.00<"}},
		{50, {">12.5<", ">25.0<", ">37.5<", ">50.0<"}}, {90, {">25<", ">50<", ">75<", ">100<"}},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer out = buffer_make(NULL);
		const uint64_t at_ms = 1000;
		const struct plot plot = {.id = "a",
					  .title = "b",
					  .layers = 1,
					  .names = {"c"},
					  .step_ms = 1000,
					  .count = 1,
					  .at_ms = &at_ms,
					  .values = &rows[i].most};
		plot_add(&out, &plot);
		for (size_t j = 0; j < 4; j++)
			if (slice_find(buffer_slice(&out), slice_from_string(rows[i].labels[j]), 0) == out.len)
				fail_msg("%g: no %s", rows[i].most, rows[i].labels[j]);
		buffer_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_phrase_is_in_every_language),
		cmocka_unit_test(text_stays_text),
		cmocka_unit_test(a_report_is_whole_at_any_time),
		cmocka_unit_test(an_axis_says_what_it_shows),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
