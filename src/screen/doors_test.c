#include "screen/doors.h"

#include "base/test.h"
#include "screen/phrases.h"
#include "screen/screen.h"

static void only_this_machines_own_names_are_taken(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		bool own;
	} rows[] = {
		{"127.0.0.1:9180", true},
		{"localhost:9180", true},
		{"LOCALHOST", true},
		{"[::1]:9180", true},
		{"localhost:1", true},
		{NULL, false},
		{"", false},
		{"evil.example", false},
		{"127.0.0.1.evil.example", false},
		{"localhost.", false},
		{"localhost:", false},
		{"localhost:9180x", false},
		{"localhost@evil.example", false},
		{"127.0.0.1:9180/", false},
		{"127.0.0.2:9180", false},
		{"localhost:123456", false},
		{"evil.example:9180", false},
		{"0x7f.1", false},
		{" localhost", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (host_is_own(rows[i].host) != rows[i].own)
			fail_msg("%s", rows[i].host);
}

static void only_pages_of_ours_may_ask(void **state)
{
	(void)state;
	static const struct {
		const char *origin, *site;
		bool own;
	} rows[] = {
		{NULL, NULL, true},
		{"http://localhost:9180", NULL, true},
		{"http://localhost:9180", "same-origin", true},
		{NULL, "none", true},
		{NULL, "same-origin", true},
		{"http://localhost:9180", "cross-site", false},
		{NULL, "cross-site", false},
		{NULL, "same-site", false},
		{"http://localhost:9181", NULL, false},
		{"http://localhost", NULL, false},
		{"https://localhost:9180", NULL, false},
		{"http://evil.example", NULL, false},
		{"null", NULL, false},
		{"", NULL, false},
		{"http://localhost:9180.evil.example", NULL, false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (origin_is_own(rows[i].origin, rows[i].site, "localhost:9180") != rows[i].own)
			fail_msg("%s, %s", rows[i].origin, rows[i].site);
}

static void it_listens_on_the_loopback_alone(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool valid;
	} rows[] = {{"127.0.0.1:9180", true},
		    {"[::1]:9180", true},
		    {"127.0.0.1:0", true},
		    {"0.0.0.0:9180", false},
		    {"[::]:9180", false},
		    {"192.0.2.1:9180", false},
		    {"127.0.0.2:1", false},
		    {"127.0.0.1", false},
		    {"9180", false},
		    {"localhost:9180", false},
		    {"", false},
		    {":9180", false},
		    {"127.0.0.1:", false},
		    {"127.0.0.1:65536", false},
		    {"127.0.0.1:x", false}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((screen_listen_valid(slice_from_string(rows[i].text)) == NULL) != rows[i].valid)
			fail_msg("%s", rows[i].text);
}

static void the_best_of_the_languages_asked_for_is_spoken(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		enum language language;
	} rows[] = {{NULL, LANGUAGE_ENGLISH},
		    {"", LANGUAGE_ENGLISH},
		    {"pt", LANGUAGE_PORTUGUESE},
		    {"pt-PT,pt;q=0.9,en;q=0.8", LANGUAGE_PORTUGUESE},
		    {"zh-TW", LANGUAGE_CHINESE},
		    {"zh-Hant-MO, en;q=0.7", LANGUAGE_CHINESE},
		    {"fr, de", LANGUAGE_ENGLISH},
		    {"fr, zh;q=0.2, pt;q=0.4", LANGUAGE_PORTUGUESE},
		    {"en;q=0.1,pt;q=0.15", LANGUAGE_PORTUGUESE},
		    {"pt;q=0", LANGUAGE_ENGLISH},
		    {"*", LANGUAGE_ENGLISH},
		    {";;;,,,q=,pt;q=zz", LANGUAGE_ENGLISH},
		    {"PT;q=1.000", LANGUAGE_PORTUGUESE}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (language_accepted(rows[i].header) != rows[i].language)
			fail_msg("%s", rows[i].header);
}

/* A format that lost its place, or has one too many, would be shown with holes. */
static void what_is_filled_in_is_so_in_every_language(void **state)
{
	(void)state;
	for (enum say which = 0; which < SAYINGS; which++) {
		const char *english = say(which, LANGUAGE_ENGLISH);
		for (enum language l = 0; l < LANGUAGES; l++) {
			const char *text = say(which, l);
			assert_true(text[0] != '\0');
			assert_int_equal(strstr(text, "%s") != NULL, strstr(english, "%s") != NULL);
			assert_int_equal(strstr(text, "%lu") != NULL, strstr(english, "%lu") != NULL);
		}
	}
}

TEST_MAIN(cmocka_unit_test(only_this_machines_own_names_are_taken), cmocka_unit_test(only_pages_of_ours_may_ask),
	  cmocka_unit_test(it_listens_on_the_loopback_alone),
	  cmocka_unit_test(the_best_of_the_languages_asked_for_is_spoken),
	  cmocka_unit_test(what_is_filled_in_is_so_in_every_language))
