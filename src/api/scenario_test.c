/*
 * Scenarios, as data: rules, a request, perhaps a response, and what must come of it. A file in scenarios/ holds many;
 * each begins with "== name" and goes on with lines "word: text", where text may hold \n \r \t \\ \xHH:
 *
 *   rules     a line of SecLang (SecRuleEngine On and bodies' access are given)     body, response-body   all of it
 *   request   METHOD URI [PROTOCOL]          header, response-header   "Name: value"
 *   response  STATUS                          client   ADDRESS          repeat   N, the same exchange N times
 *   matched   ids in order; "id/depth" for a link of a chain                 absent    an id that must not be there
 *   tx        NAME=VALUE, or NAME alone: unset                               verdict   pass | deny N | redirect N URL |
 * drop log, audit, no-audit     a text that is in the log lines, in the audit record; that there is none
 *
 * Every variable, operator, ctl and action must stand in some scenario: a row without a test is a failure.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/reader.h"
#include "base/test.h"
#include "guia.h"
#include "ruleset/ruleset.h"

#include <dirent.h>

enum { SCENARIOS_MAX = 1000, LINES_MAX = 64, NAME_BYTES = 128 };

struct line {
	struct slice word;
	struct slice text;
};

struct scenario {
	char name[NAME_BYTES];
	struct line lines[LINES_MAX];
	size_t line_count;
};

static struct scenario scenarios[SCENARIOS_MAX];
static size_t scenario_count;
static struct CMUnitTest tests[SCENARIOS_MAX + 1];
static struct guia_pool *pool;
static struct guia_collection_store *store;
static bool in_pieces;

static struct arena unescaped; /* the texts of every scenario, to the end */

static struct slice unescape(struct slice text)
{
	uint8_t *out = arena_alloc(&unescaped, text.len + 1);
	assert_non_null(out);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if (c == '\\' && i + 3 < text.len && text.ptr[i + 1] == 'x') {
			c = (uint8_t)(byte_hex_value(text.ptr[i + 2]) << 4 | byte_hex_value(text.ptr[i + 3]));
			i += 3;
		} else if (c == '\\' && i + 1 < text.len) {
			c = text.ptr[++i];
			c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
		}
		out[len++] = c;
	}
	return slice_make(out, len);
}

static void read_file(const char *path)
{
	struct buffer content = buffer_make(&unescaped); /* the scenarios keep slices of it */
	assert_int_equal(file_read(path, 1 << 20, &content), 0);
	struct scenario *scenario = NULL;
	for (struct reader r = reader_make(buffer_slice(&content)); !reader_at_end(&r);) {
		struct slice line = reader_until(&r, '\n');
		if (slice_starts_with(line, SLICE("== "))) {
			scenario = &scenarios[scenario_count++];
			assert_true(scenario_count < SCENARIOS_MAX);
			snprintf(scenario->name, NAME_BYTES, "%.*s", SLICE_ARG(slice_after(line, 3)));
		} else if (line.len > 0 && line.ptr[0] != '#') {
			struct line parsed;
			parsed.text = slice_trim(slice_cut(line, ':', &parsed.word));
			assert_true(scenario != NULL && scenario->line_count < LINES_MAX);
			scenario->lines[scenario->line_count++] = parsed;
		}
	}
}

static struct guia_slice outer(struct slice s)
{
	return (struct guia_slice){s.ptr, s.len};
}

static struct slice first_of(const struct scenario *s, const char *word)
{
	for (size_t i = 0; i < s->line_count; i++)
		if (slice_equal(s->lines[i].word, slice_from_string(word)))
			return s->lines[i].text;
	return (struct slice){0};
}

static void on_diagnostic(void *context, const struct guia_diagnostic *diagnostic)
{
	(void)context;
	if (diagnostic->severity == GUIA_ERROR)
		print_error("%s", diagnostic->text);
}

/* rules: lines keep their backslashes, SecLang has its own. */
static struct guia_rules *compile(const struct scenario *s)
{
	struct buffer text = buffer_make(NULL);
	struct guia_rules *rules = NULL;
	buffer_text(&text, "SecRuleEngine On\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n"
			   "SecResponseBodyMimeType text/html text/plain\n");
	for (size_t i = 0; i < s->line_count; i++) {
		if (!slice_equal(s->lines[i].word, SLICE("rules")))
			continue;
		buffer_add(&text, s->lines[i].text);
		buffer_byte(&text, '\n');
	}
	buffer_byte(&text, '\0');
	struct guia_source source = {GUIA_SOURCE_TEXT, (const char *)text.ptr, s->name, 1};
	int r = guia_rules_compile(pool, &source, 1, on_diagnostic, NULL, &rules, NULL);
	buffer_free(&text);
	if (r != 0)
		fail_msg("the rules do not compile: %d", r);
	return rules;
}

static void feed_header(struct guia_transaction *t, struct slice text, bool response)
{
	struct slice name;
	struct slice value = slice_trim(slice_cut(unescape(text), ':', &name));
	int r = response ? guia_response_header(t, outer(name), outer(value))
			 : guia_request_header(t, outer(name), outer(value));
	assert_int_equal(r, 0);
}

static void feed_headers(struct guia_transaction *t, const struct scenario *s, const char *word, bool response)
{
	for (size_t i = 0; i < s->line_count; i++)
		if (slice_equal(s->lines[i].word, slice_from_string(word)))
			feed_header(t, s->lines[i].text, response);
}

/* In place, or in pieces. */
static void feed_body(struct guia_transaction *t, struct slice body)
{
	if (!in_pieces) {
		assert_true(guia_request_body(t, outer(body), true) >= 0);
		return;
	}
	assert_int_equal(guia_request_body_expect(t, body.len), 0);
	int r = 0;
	for (size_t at = 0; at < body.len && r == 0; at += 7)
		r = guia_request_body(t, outer(slice_sub(body, at, at + 7 < body.len ? at + 7 : body.len)), false);
	assert_true(r >= 0);
}

static struct guia_verdict request(struct guia_transaction *t, const struct scenario *s)
{
	struct slice method;
	struct slice uri;
	struct slice protocol = slice_cut(slice_cut(first_of(s, "request"), ' ', &method), ' ', &uri);
	if (protocol.len == 0)
		protocol = SLICE("HTTP/1.1");
	assert_int_equal(guia_request_line(t, outer(method), outer(unescape(uri)), outer(protocol)), 0);
	feed_headers(t, s, "header", false);
	struct guia_verdict verdict = guia_request_headers_done(t);
	if (verdict.action != GUIA_PASS)
		return verdict;
	struct slice body = first_of(s, "body");
	if (body.ptr != NULL && guia_request_body_wanted(t))
		feed_body(t, unescape(body));
	return guia_request_body_done(t);
}

static struct guia_verdict response(struct guia_transaction *t, const struct scenario *s)
{
	struct slice status = first_of(s, "response");
	uint16_t code = status.ptr == NULL ? 200 : (uint16_t)strtoul((const char *)status.ptr, NULL, 10);
	feed_headers(t, s, "response-header", true);
	struct guia_verdict verdict = guia_response_headers_done(t, code, outer(SLICE("HTTP/1.1")));
	if (verdict.action != GUIA_PASS)
		return verdict;
	struct slice body = first_of(s, "response-body");
	if (body.ptr != NULL && guia_response_body_wanted(t))
		assert_true(guia_response_body(t, outer(unescape(body)), true) >= 0);
	return guia_response_body_done(t);
}

static struct guia_transaction *exchange(struct guia_worker *worker, struct guia_rules *rules, const struct scenario *s)
{
	struct slice client = first_of(s, "client");
	struct guia_connection connection = {
		.client_address = outer(client.ptr == NULL ? SLICE("203.0.113.9") : client),
		.client_port = 40000,
		.server_address = outer(SLICE("192.0.2.1")),
		.server_port = 80,
		.server_name = outer(SLICE("example.org")),
	};
	struct guia_transaction *t;
	assert_int_equal(
		guia_transaction_begin(worker, rules, &connection, outer(SLICE("unique-1")), 1700000000000000, &t), 0);
	struct guia_verdict verdict = request(t, s);
	if (verdict.action == GUIA_PASS)
		verdict = response(t, s);
	uint16_t status = verdict.action == GUIA_PASS ? 200 : verdict.status;
	struct slice asked = first_of(s, "response");
	if (verdict.action == GUIA_PASS && asked.ptr != NULL)
		status = (uint16_t)strtoul((const char *)asked.ptr, NULL, 10);
	guia_transaction_log(t, status, 0);
	return t;
}

static void matched_text(struct guia_transaction *t, struct buffer *out)
{
	for (size_t i = 0; i < guia_match_count(t); i++) {
		struct guia_match match;
		guia_match_at(t, i, &match);
		buffer_printf(out, "%s%lld", i == 0 ? "" : " ", (long long)match.rule_id);
		if (match.chain_depth > 0)
			buffer_printf(out, "/%u", match.chain_depth);
	}
}

static void tx_value(struct guia_transaction *t, struct slice name, struct buffer *out)
{
	struct guia_slice found;
	struct guia_slice value;
	for (size_t i = 0; guia_tx_at(t, i, &found, &value); i++) {
		if (!slice_equal_nocase(slice_make(found.ptr, found.len), name))
			continue;
		buffer_byte(out, '=');
		buffer_add(out, slice_make(value.ptr, value.len));
	}
}

static void verdict_text(struct guia_transaction *t, struct buffer *out)
{
	struct guia_summary summary;
	guia_transaction_summary(t, &summary);
	struct guia_slice url = summary.verdict.redirect_to;
	switch (summary.verdict.action) {
	case GUIA_PASS:
		buffer_text(out, summary.verdict.would_block ? "would block" : "pass");
		break;
	case GUIA_DENY:
		buffer_printf(out, "deny %u", summary.verdict.status);
		break;
	case GUIA_REDIRECT:
		buffer_printf(out, "redirect %u %.*s", summary.verdict.status, (int)url.len, (const char *)url.ptr);
		break;
	case GUIA_DROP:
		buffer_text(out, "drop");
		break;
	}
}

static void expect(struct slice expected, struct buffer *got, const char *what)
{
	if (!slice_equal(buffer_slice(got), expected))
		fail_msg("%s: expected [%.*s], got [%.*s]", what, SLICE_ARG(expected), SLICE_ARG(buffer_slice(got)));
	buffer_free(got);
}

static void expect_within(struct slice expected, struct slice text, const char *what)
{
	if (slice_find(text, expected, 0) == text.len)
		fail_msg("%s: no [%.*s] in [%.*s]", what, SLICE_ARG(expected), SLICE_ARG(text));
}

static void check_tx(struct guia_transaction *t, struct slice text)
{
	struct buffer got = buffer_make(NULL);
	struct slice name;
	slice_cut(text, '=', &name);
	tx_value(t, name, &got);
	expect(unescape(slice_after(text, name.len)), &got, "tx");
}

static void check_absent(struct guia_transaction *t, struct slice text)
{
	struct buffer got = buffer_make(NULL);
	buffer_byte(&got, ' ');
	matched_text(t, &got);
	buffer_byte(&got, ' ');
	struct buffer id = buffer_make(NULL);
	buffer_printf(&id, " %.*s ", SLICE_ARG(text));
	if (slice_find(buffer_slice(&got), buffer_slice(&id), 0) < got.len)
		fail_msg("%.*s matched: [%.*s]", SLICE_ARG(text), SLICE_ARG(buffer_slice(&got)));
	buffer_free(&got);
	buffer_free(&id);
}

static void check_line(struct guia_transaction *t, const struct line *line)
{
	struct buffer got = buffer_make(NULL);
	if (slice_equal(line->word, SLICE("matched"))) {
		matched_text(t, &got);
		expect(line->text, &got, "matched");
	} else if (slice_equal(line->word, SLICE("verdict"))) {
		verdict_text(t, &got);
		expect(line->text, &got, "verdict");
	} else if (slice_equal(line->word, SLICE("tx"))) {
		check_tx(t, line->text);
	} else if (slice_equal(line->word, SLICE("absent"))) {
		check_absent(t, line->text);
	} else if (slice_equal(line->word, SLICE("log"))) {
		for (size_t i = 0; i < guia_log_line_count(t); i++) {
			struct guia_slice text = guia_log_line_at(t, i);
			buffer_add(&got, slice_make(text.ptr, text.len));
			buffer_byte(&got, '\n');
		}
		expect_within(line->text, buffer_slice(&got), "log");
		buffer_free(&got);
	} else if (slice_equal(line->word, SLICE("audit")) || slice_equal(line->word, SLICE("no-audit"))) {
		struct guia_slice text = guia_audit_record(t);
		if (line->word.ptr[0] == 'n')
			assert_int_equal(text.len, 0);
		else
			expect_within(line->text, slice_make(text.ptr, text.len), "audit");
	}
}

static void run_scenario(const struct scenario *s, bool reference_path)
{
	struct guia_worker_options options = {.store = store, .reference_path = reference_path};
	struct guia_worker *worker;
	struct guia_rules *rules = compile(s);
	struct slice repeat = first_of(s, "repeat");
	size_t times = repeat.ptr == NULL ? 1 : strtoul((const char *)repeat.ptr, NULL, 10);
	assert_int_equal(guia_store_new_local(1 << 18, &store), 0);
	options.store = store;
	assert_int_equal(guia_worker_new(&options, &worker), 0);
	assert_int_equal(guia_worker_prepare(worker, rules), 0);
	for (; times > 1; times--)
		guia_transaction_end(exchange(worker, rules, s));
	struct guia_transaction *t = exchange(worker, rules, s);
	for (size_t i = 0; i < s->line_count; i++)
		check_line(t, &s->lines[i]);
	guia_transaction_end(t);
	guia_worker_free(worker);
	guia_rules_unref(rules);
	guia_store_free_local(store);
}

static void test_scenario(void **state)
{
	run_scenario(*state, false);
	in_pieces = true;
	run_scenario(*state, true);
	in_pieces = false;
}

static bool is_word_byte(uint8_t c)
{
	return byte_is_alpha(c) || byte_is_digit(c) || c == '_';
}

/* Whether the rules of some scenario hold `name` as a whole word. */
static bool is_tested(const char *name)
{
	struct slice needle = slice_from_string(name);
	for (size_t i = 0; i < scenario_count; i++) {
		for (size_t l = 0; l < scenarios[i].line_count; l++) {
			struct slice text = scenarios[i].lines[l].text;
			if (!slice_equal(scenarios[i].lines[l].word, SLICE("rules")))
				continue;
			for (size_t at = slice_find(text, needle, 0); at < text.len;
			     at = slice_find(text, needle, at + 1))
				if ((at == 0 || !is_word_byte(text.ptr[at - 1])) &&
				    (at + needle.len == text.len || !is_word_byte(text.ptr[at + needle.len])))
					return true;
		}
	}
	return false;
}

static const char *const action_names[] = {
	"setvar",
	"initcol",
	"expirevar",
	"deprecatevar",
	"setenv",
	"setuid",
	"setsid",
	"setrsc",
	"sanitiseArg",
	"sanitiseMatched",
	"sanitiseRequestHeader",
	"sanitiseResponseHeader",
	"skip",
	"skipAfter",
	"allow",
	"block",
	"deny",
	"drop",
	"redirect",
	"pass",
	"status",
	"chain",
	"capture",
	"multiMatch",
	"msg",
	"logdata",
	"tag",
	"rev",
	"ver",
	"severity",
	"maturity",
	"accuracy",
	"nolog",
	"noauditlog",
	"xmlns",
	"auditEngine",
	"auditLogParts",
	"debugLogLevel",
	"forceRequestBodyVariable",
	"requestBodyAccess",
	"requestBodyLimit",
	"requestBodyProcessor",
	"responseBodyAccess",
	"responseBodyLimit",
	"ruleEngine",
	"ruleRemoveById",
	"ruleRemoveByMsg",
	"ruleRemoveByTag",
	"ruleRemoveTargetById",
	"ruleRemoveTargetByMsg",
	"ruleRemoveTargetByTag",
	"parseXmlIntoArgs",
};

static void test_every_row(void **state)
{
	size_t missing = 0;
	(void)state;
	for (int i = 0; i < VARIABLE_COUNT; i++)
		if (!is_tested(variable_infos[i].name))
			print_error("variable %s: %zu\n", variable_infos[i].name, ++missing);
	for (int i = 0; i < OPERATOR_COUNT; i++)
		if (!is_tested(operator_infos[i].name))
			print_error("operator %s: %zu\n", operator_infos[i].name, ++missing);
	for (size_t i = 0; i < sizeof(action_names) / sizeof(action_names[0]); i++)
		if (!is_tested(action_names[i]))
			print_error("action %s: %zu\n", action_names[i], ++missing);
	assert_int_equal(missing, 0);
}

static int is_case_file(const struct dirent *entry)
{
	return slice_ends_with(slice_from_string(entry->d_name), SLICE(".txt"));
}

int main(int argc, char **argv)
{
	arena_init(&unescaped, SIZE_MAX / 2, 0);
	struct dirent **files;
	const char *folder = "src/api/scenarios";
	int count = scandir(folder, &files, is_case_file, alphasort);
	for (int i = 0; i < count; i++) {
		char path[512];
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]->d_name);
		read_file(path);
		free(files[i]);
	}
	if (count >= 0)
		free(files);
	struct guia_pool_options options = {0};
	if (scenario_count == 0 || guia_pool_new(&options, &pool) != 0)
		return 1;
	size_t test_count = 0;
	for (size_t i = 0; i < scenario_count; i++)
		if (argc < 2 || strstr(scenarios[i].name, argv[1]) != NULL)
			tests[test_count++] =
				(struct CMUnitTest){scenarios[i].name, test_scenario, NULL, NULL, &scenarios[i]};
	tests[test_count++] = (struct CMUnitTest){"every row has a scenario", test_every_row, NULL, NULL, NULL};
	int failed = _cmocka_run_group_tests("scenarios", tests, test_count, NULL, NULL);
	arena_destroy(&unescaped);
	guia_pool_free(pool);
	return failed;
}
