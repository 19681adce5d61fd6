/* Rule sets outlive what they were made from, and units of the pool the rule sets that brought them. */
#include "base/buffer.h"
#include "base/test.h"
#include "guia.h"

#include <errno.h>

static const char rules_text[] =
	"SecRuleEngine On\n"
	"SecRule ARGS \"@contains attack\" \"id:1,phase:1,deny,log,msg:'found %{MATCHED_VAR}'\"\n";

static char *heap_copy(const char *text)
{
	char *copy = strdup(text);
	assert_non_null(copy);
	return copy;
}

/* Compiled from memory that is overwritten and freed at once. */
static struct guia_rules *compile(struct guia_pool *pool)
{
	char *text = heap_copy(rules_text);
	char *name = heap_copy("/etc/nginx/sites/one.conf");
	struct guia_source source = {GUIA_SOURCE_TEXT, text, name, 7};
	struct guia_rules *rules = NULL;
	assert_int_equal(guia_rules_compile(pool, &source, 1, NULL, NULL, &rules, NULL), 0);
	memset(text, 'x', strlen(text));
	memset(name, 'x', strlen(name));
	free(text);
	free(name);
	return rules;
}

static struct guia_slice outer(const char *text)
{
	return (struct guia_slice){(const uint8_t *)text, strlen(text)};
}

static void check_line(struct guia_worker *worker, struct guia_rules *rules)
{
	struct guia_connection connection = {0};
	struct guia_transaction *t;
	assert_int_equal(guia_worker_prepare(worker, rules), 0);
	assert_int_equal(guia_transaction_begin(worker, rules, &connection, outer("id"), 0, &t), 0);
	assert_int_equal(guia_request_line(t, outer("GET"), outer("/?q=attack"), outer("HTTP/1.1")), 0);
	assert_int_equal(guia_request_headers_done(t).action, GUIA_DENY);
	guia_transaction_log(t, 403, 0);
	assert_int_equal(guia_log_line_count(t), 1);
	struct guia_slice line = guia_log_line_at(t, 0);
	struct slice inner = slice_make(line.ptr, line.len);
	assert_true(slice_find(inner, SLICE("[file \"/etc/nginx/sites/one.conf\"] [line \"8\"]"), 0) < inner.len);
	assert_true(slice_find(inner, SLICE("[msg \"found attack\"]"), 0) < inner.len);
	guia_transaction_end(t);
}

static void sources_are_copied(void **state)
{
	(void)state;
	struct guia_pool *pool;
	struct guia_worker *worker;
	assert_int_equal(guia_pool_new(NULL, &pool), 0);
	assert_int_equal(guia_worker_new(&(struct guia_worker_options){0}, &worker), 0);
	struct guia_rules *first = compile(pool);
	size_t things = guia_pool_count(pool);
	check_line(worker, first);
	guia_rules_unref(first);
	struct guia_rules *second = compile(pool);
	assert_int_equal(guia_pool_count(pool), things);
	check_line(worker, second);
	guia_worker_free(worker);
	guia_rules_unref(second);
	guia_pool_free(pool);
}

static void tell_error(void *context, const struct guia_diagnostic *diagnostic)
{
	size_t *told = context;
	*told += diagnostic->severity == GUIA_ERROR && strstr(diagnostic->message, "too many rules") != NULL;
}

/* What could not be counted would never match. */
static int compile_many(struct guia_pool *pool, size_t count, size_t *ret_told)
{
	struct buffer text = buffer_make(NULL);
	struct guia_rules *rules = NULL;
	for (size_t i = 1; i <= count; i++)
		buffer_printf(&text, "SecRule ARGS \"@streq word%zu\" \"id:%zu,nolog,pass\"\n", i, i);
	buffer_byte(&text, '\0');
	assert_int_equal(text.error, 0);
	struct guia_source source = {GUIA_SOURCE_TEXT, (const char *)text.ptr, "many.conf", 1};
	*ret_told = 0;
	int r = guia_rules_compile(pool, &source, 1, tell_error, ret_told, &rules, NULL);
	guia_rules_unref(rules);
	buffer_free(&text);
	return r;
}

static void too_many_rules_are_refused(void **state)
{
	(void)state;
	struct guia_pool *pool;
	size_t told;
	assert_int_equal(guia_pool_new(NULL, &pool), 0);
	assert_int_equal(compile_many(pool, 65000, &told), 0);
	assert_int_equal(told, 0);
	assert_int_equal(compile_many(pool, UINT16_MAX + 1, &told), -EINVAL);
	assert_int_equal(told, 1);
	guia_pool_free(pool);
}

TEST_MAIN(cmocka_unit_test(sources_are_copied), cmocka_unit_test(too_many_rules_are_refused))
