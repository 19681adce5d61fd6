/* Rules made by hand, run over requests: what does not need the compiler of SecLang. */
#include "base/test.h"
#include "base/test_allocation.h"
#include "engine/body_bytes.h"
#include "engine/phase.h"
#include "engine/plan.h"
#include "engine/report.h"
#include "engine/request.h"
#include "ruleset/wording.h"

#include <errno.h>

enum { SLOT_SCORE, SLOT_0, SLOT_NAME, SLOTS };
static const char *const names[SLOTS] = {"anomaly_score_pl1", "0", "name"};

/* "attack" in any argument, with captures, adds 5 and then denies what scored. */
struct fixture {
	struct regex *regex;
	struct target argument;
	struct target score;
	enum transform lower;
	struct macro_part name_part;
	struct action add;
	struct action keep;
	struct rule rules[2];
	const struct rule *order[2];
	struct ruleset ruleset;
	struct plan *plan;
	struct worker *worker;
	struct arena arena;
};

static struct macro literal(const char *text)
{
	return (struct macro){.text = slice_from_string(text)};
}

static void make_rules(struct fixture *f)
{
	f->argument = (struct target){.variable = VARIABLE_ARGS, .tx_slot = SLOT_NONE, .scan_group = SCAN_GROUP_NONE};
	f->score = (struct target){
		.variable = VARIABLE_TX,
		.selector_kind = SELECTOR_NAME,
		.selector = SLICE("anomaly_score_pl1"),
		.tx_slot = SLOT_SCORE,
		.scan_group = SCAN_GROUP_NONE,
	};
	f->lower = TRANSFORM_LOWERCASE;
	f->name_part =
		(struct macro_part){.is_variable = true, .variable = VARIABLE_MATCHED_VAR_NAME, .tx_slot = SLOT_NONE};
	f->add = (struct action){.kind = ACTION_SETVAR,
				 .setvar = {.kind = SETVAR_ADD, .collection = VARIABLE_TX, .tx_slot = SLOT_SCORE}};
	f->add.setvar.value = literal("5");
	f->keep = (struct action){.kind = ACTION_SETVAR,
				  .setvar = {.kind = SETVAR_SET, .collection = VARIABLE_TX, .tx_slot = SLOT_NAME}};
	f->keep.setvar.value = (struct macro){&f->name_part, 1, SLICE("%{MATCHED_VAR_NAME}")};
	f->rules[0] = (struct rule){
		.id = 1,
		.phase = 2,
		.capture = true,
		.log = true,
		.severity = 2,
		.disruptive = DISRUPTIVE_PASS,
		.targets = &f->argument,
		.target_count = 1,
		.operation = {.kind = OPERATOR_RX, .regex = f->regex, .argument = literal("at+ack")},
		.transforms = &f->lower,
		.transform_count = 1,
		.pipeline = 1,
		.file = "rules.conf",
		.line = 3,
		.message = literal("an attack"),
	};
	f->rules[1] = (struct rule){
		.id = 2,
		.phase = 2,
		.severity = SEVERITY_UNSET,
		.disruptive = DISRUPTIVE_DENY,
		.targets = &f->score,
		.target_count = 1,
		.operation = {.kind = OPERATOR_GE, .argument = literal("5")},
		.file = "rules.conf",
	};
}

static struct action setvars[2];

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_int_equal(regex_compile(SLICE("at+ack"), 0, &f->regex, NULL), 0);
	make_rules(f);
	arena_init(&f->arena, SIZE_MAX, 0);
	assert_int_equal(wording_make(&f->arena, &f->rules[0], &f->rules[0]), 0);
	setvars[0] = f->add;
	setvars[1] = f->keep;
	f->rules[0].actions = setvars;
	f->rules[0].action_count = 2;
	f->order[0] = &f->rules[0];
	f->order[1] = &f->rules[1];
	f->ruleset = (struct ruleset){.rules = f->order, .rule_count = 2, .tx_names = names, .tx_slot_count = SLOTS};
	f->ruleset.settings.rule_engine = SWITCH_ON;
	f->ruleset.settings.request_body_access = true;
	f->ruleset.phases[2].rules = f->order;
	f->ruleset.phases[2].count = 2;
	assert_int_equal(plan_create(&f->ruleset, &f->plan), 0);
	struct guia_worker_options options = {0};
	assert_int_equal(worker_create(&options, &f->worker), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	worker_free(f->worker);
	plan_free(f->plan);
	regex_free(f->regex);
	arena_destroy(&f->arena);
	free(f);
	return 0;
}

static struct transaction *begin(struct fixture *f, const char *uri)
{
	struct transaction *t;
	struct guia_connection connection = {0};
	assert_int_equal(transaction_begin(f->worker, f->plan, &connection, SLICE("id"), 0, &t), 0);
	(void)request_line(t, SLICE("GET"), slice_from_string(uri), SLICE("HTTP/1.1"));
	return t;
}

static void test_deny(void **state)
{
	struct transaction *t = begin(*state, "/?q=an+ATTTACK&r=1");
	struct guia_verdict verdict = phase_run(t, PHASE_REQUEST_HEADERS);
	assert_int_equal(verdict.action, GUIA_PASS);
	verdict = phase_run(t, PHASE_REQUEST_BODY);
	assert_int_equal(verdict.action, GUIA_DENY);
	assert_int_equal(verdict.status, 403);
	assert_int_equal(verdict.rule_id, 2);
	assert_int_equal(t->match_count, 2);
	struct slice name;
	struct slice value;
	assert_true(report_tx(t, 0, &name, &value));
	assert_slice(name, "0");
	assert_slice(value, "atttack");
	assert_true(report_tx(t, 1, &name, &value));
	assert_slice(value, "5");
	assert_true(report_tx(t, 2, &name, &value));
	assert_slice(value, "ARGS:q");
	assert_false(report_tx(t, 3, &name, &value));
	assert_int_equal(t->log_count, 1);
	assert_slice(
		report_log_line(t, 0),
		"[client ] ModSecurity: Warning. Matched \"Operator `Rx' with parameter `at+ack' against variable "
		"`ARGS:q' (Value: `an ATTTACK' ) [file \"rules.conf\"] [line \"3\"] [id \"1\"] [rev \"\"] [msg \"an "
		"attack\"] [data \"\"] [severity \"2\"] [ver \"\"] [maturity \"0\"] [accuracy \"0\"] [hostname \"\"] "
		"[uri \"/\"] [unique_id \"id\"] [ref \"o3,7v8,10t:lowercase\"]");
	transaction_end(t);
}

static void test_pass(void **state)
{
	struct transaction *t = begin(*state, "/?q=hello");
	assert_int_equal(phase_run(t, PHASE_REQUEST_BODY).action, GUIA_PASS);
	assert_int_equal(t->match_count, 0);
	transaction_end(t);
}

static void test_detection_only(void **state)
{
	struct fixture *f = *state;
	f->ruleset.settings.rule_engine = SWITCH_DETECTION_ONLY;
	struct transaction *t = begin(f, "/?q=attack");
	struct guia_verdict verdict = phase_run(t, PHASE_REQUEST_BODY);
	assert_int_equal(verdict.action, GUIA_PASS);
	assert_true(verdict.would_block);
	transaction_end(t);
}

/* A form of one field and one file, given in pieces, through phase 2. */
static struct transaction *upload(struct fixture *f, struct slice *ret_file)
{
	static const char head[] = "--b\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\nhello\r\n--b\r\n"
				   "Content-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\r\n";
	static const char tail[] = "\r\n--b--\r\n";
	static uint8_t content[100000];
	struct transaction *t = begin(f, "/");
	size_t len = sizeof(head) - 1 + sizeof(content) + sizeof(tail) - 1;
	memset(content, 'x', sizeof(content));
	assert_int_equal(request_header(t, SLICE("Content-Type"), SLICE("multipart/form-data; boundary=b")), 0);
	assert_int_equal(phase_run(t, PHASE_REQUEST_HEADERS).action, GUIA_PASS);
	assert_int_equal(body_expect(t, &t->request_body, len), 0);
	assert_int_equal(body_add(t, &t->request_body, slice_from_string(head), false), 0);
	for (size_t at = 0; at < sizeof(content); at += 1000)
		assert_int_equal(body_add(t, &t->request_body, slice_make(content + at, 1000), false), 0);
	assert_int_equal(body_add(t, &t->request_body, slice_from_string(tail), false), 0);
	assert_int_equal(t->request_body.bytes.len, len);
	*ret_file = slice_make(t->request_body.bytes.ptr + sizeof(head) - 1, sizeof(content));
	assert_int_equal(phase_run(t, PHASE_REQUEST_BODY).action, GUIA_PASS);
	return t;
}

/* What fields hold stays, what files hold goes, unless a later phase has a rule for it. */
static void test_file_given_back(void **state)
{
	struct fixture *f = *state;
	struct slice file;
	struct transaction *t = upload(f, &file);
	assert_int_equal(file.ptr[0], 'x');
	assert_int_equal(file.ptr[file.len / 2], 0);
	assert_slice(t->sets[VARIABLE_ARGS_POST].items[0]->bytes, "hello");
	assert_slice(t->sets[VARIABLE_FILES_SIZES].items[0]->bytes, "100000");
	transaction_end(t);

	f->plan->body_readers = 1u << PHASE_LOGGING;
	t = upload(f, &file);
	assert_int_equal(file.ptr[file.len / 2], 'x');
	transaction_end(t);
}

/* The room that was made is not taken for room behind a piece that stays where it is. */
static void test_more_behind_what_stays(void **state)
{
	struct transaction *t = begin(*state, "/");
	uint8_t callers[] = "hello, and what is the caller's";
	assert_int_equal(body_expect(t, &t->request_body, 1000), 0);
	assert_int_equal(body_add(t, &t->request_body, slice_make(callers, 5), true), 0);
	assert_int_equal(body_add(t, &t->request_body, SLICE(" world"), false), 0);
	assert_slice(t->request_body.bytes, "hello world");
	assert_string_equal((const char *)callers, "hello, and what is the caller's");
	transaction_end(t);
}

/* A ctl may set a limit below what has come. */
static void test_limit_lowered(void **state)
{
	struct transaction *t = begin(*state, "/");
	assert_int_equal(body_add(t, &t->request_body, SLICE("hello"), false), 0);
	t->request_body.limit = 3;
	assert_int_equal(body_add(t, &t->request_body, SLICE(" world"), false), 1);
	assert_slice(t->request_body.bytes, "hello");
	transaction_end(t);
}

/* A line that could not be kept is left out; none has a hole. */
static void assert_whole_or_empty(struct slice line)
{
	static const char *const parts[] = {"[client ", "Matched ", " [id \"1\"]", " [unique_id \"id\"] [ref \""};
	for (size_t i = 0; line.len > 0 && i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_true(slice_find(line, slice_from_string(parts[i]), 0) < line.len);
}

/* From hardly any memory up: never a crash; either the verdict is right, or the failure is told and blocks. */
static void test_memory_cap(void **state)
{
	struct fixture *f = *state;
	size_t failures = 0;
	for (size_t cap = 64; cap < 64 * 1024; cap += 64) {
		f->ruleset.settings.transaction_memory_limit = cap;
		struct transaction *t = begin(f, "/?q=attack&r=attack&s=1&s=2");
		struct guia_verdict verdict = phase_run(t, PHASE_REQUEST_BODY);
		assert_int_equal(verdict.action, GUIA_DENY);
		if (verdict.failed)
			failures++;
		assert_int_equal(verdict.failed, verdict.rule_id == 0);
		assert_true(!verdict.failed || t->memory_exceeded);
		phase_run(t, PHASE_LOGGING);
		for (uint32_t i = 0; i < t->log_count; i++)
			assert_whole_or_empty(report_log_line(t, i));
		(void)report_audit(t);
		transaction_end(t);
	}
	assert_true(failures > 0);
}

#if TEST_ALLOCATIONS
/* A transaction's memory runs out at each place once: nothing leaks or crashes, and what was decided is a refusal. */
static void test_allocation_failures(void **state)
{
	struct fixture *f = *state;
	struct guia_worker_options options = {0};
	struct guia_connection connection = {0};
	size_t refused = 0;
	assert_true(test_allocations_fail());
	for (long n = 0;; n++) {
		struct worker *worker = NULL;
		struct transaction *t = NULL;
		struct plan *plan = NULL;
		test_allocations_begin(n);
		int r = plan_create(&f->ruleset, &plan);
		r = r != 0 ? r : worker_create(&options, &worker);
		if (r == 0) {
			/* Its reserve would serve the whole request. */
			arena_reserve_free(worker->reserve);
			worker->reserve = NULL;
		}
		r = r != 0 ? r : transaction_begin(worker, plan, &connection, SLICE("id"), 0, &t);
		assert_true(r == 0 || r == -ENOMEM);
		if (r == 0) {
			if (request_line(t, SLICE("GET"), SLICE("/?q=attack"), SLICE("HTTP/1.1")) != 0)
				transaction_out_of_memory(t);
			assert_int_equal(phase_run(t, PHASE_REQUEST_BODY).action, GUIA_DENY);
			phase_run(t, PHASE_LOGGING);
		}
		bool done = test_allocations_end();
		refused += t != NULL && t->memory_exceeded;
		if (t != NULL)
			transaction_end(t);
		worker_free(worker);
		plan_free(plan);
		if (done)
			break;
	}
	assert_true(refused > 0);
}
#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#if TEST_ALLOCATIONS
TEST_MAIN(TEST(test_deny), TEST(test_pass), TEST(test_detection_only), TEST(test_file_given_back),
	  TEST(test_memory_cap), TEST(test_more_behind_what_stays), TEST(test_limit_lowered),
	  TEST(test_allocation_failures))
#else
TEST_MAIN(TEST(test_deny), TEST(test_pass), TEST(test_detection_only), TEST(test_file_given_back),
	  TEST(test_memory_cap), TEST(test_more_behind_what_stays), TEST(test_limit_lowered))
#endif
