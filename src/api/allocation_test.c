/* Whatever allocation fails while rules are loaded, it is told as such, and the next attempt is whole. */
#include "base/test.h"
#include "base/test_allocation.h"
#include "guia.h"

#include <errno.h>

/* One of each thing that is made when rules are loaded, and what courses, probes and quiet chains are made of. */
static const char *const rules_text =
	"SecRuleEngine On\n"
	"SecRequestBodyAccess On\n"
	"SecGuiaRedact token\n"
	"SecDefaultAction \"phase:1,log,pass\"\n"
	"SecDefaultAction \"phase:2,log,deny,status:403\"\n"
	"SecAction \"id:1,phase:1,nolog,pass,setvar:tx.level=2,setvar:tx.sum=+%{tx.level},setvar:!tx.gone\"\n"
	"SecRule TX:LEVEL \"@lt 1\" \"id:2,phase:1,nolog,pass,skipAfter:END\"\n"
	"SecRule &TX:unset \"@eq 0\" \"id:3,phase:1,nolog,pass,setvar:tx.unset=1,skip:1\"\n"
	"SecRule REMOTE_ADDR \"@ipMatch 10.0.0.0/8,::1\" \"id:4,phase:1,pass,ctl:ruleRemoveById=9,"
	"ctl:ruleRemoveTargetByTag=x;ARGS:q\"\n"
	"SecMarker END\n"
	"SecRule ARGS|ARGS_NAMES|!ARGS:safe|REQUEST_COOKIES:/^s/ \"@rx at+(ack)\" \"id:5,phase:2,block,capture,tag:x,"
	"t:none,t:lowercase,t:urlDecodeUni,msg:'found %{MATCHED_VAR}',setvar:tx.hit_%{rule.id}=+1\"\n"
	"SecRule ARGS \"@pm evil wicked\" \"id:6,phase:2,block,multiMatch,t:htmlEntityDecode\"\n"
	"SecRule REQUEST_HEADERS:User-Agent \"@rx ^a\" \"id:7,phase:2,block,chain\"\n"
	"    SecRule &ARGS \"@gt 3\" \"chain\"\n"
	"        SecRule TX:/^hit_/ \"@streq 1\" \"setvar:tx.sum=+5\"\n"
	"SecRule REQBODY_PROCESSOR \"@within JSON XML\" \"id:8,phase:2,pass,nolog\"\n"
	"SecRule XML:/* \"@detectSQLi\" \"id:9,phase:2,block\"\n"
	"SecRule TX:SUM \"@ge %{tx.level}\" \"id:10,phase:2,deny\"\n"
	"SecRule RESPONSE_BODY \"!@contains fine\" \"id:11,phase:4,pass\"\n"
	"SecRuleRemoveById 8\n"
	"SecRuleUpdateTargetById 6 \"!ARGS:free\"\n"
	"SecRuleUpdateActionById 11 \"severity:CRITICAL\"\n";

static void tell(void *context, const struct guia_diagnostic *diagnostic)
{
	print_message("%s\n", diagnostic->text);
	++*(size_t *)context;
}

/* -ENOMEM, or 0 with the rules compiled. */
static int load(size_t *told)
{
	struct guia_source source = {.kind = GUIA_SOURCE_TEXT, .text = rules_text, .name = "rules.conf", .line = 1};
	struct guia_pool *pool = NULL;
	struct guia_rules *rules = NULL;
	int r = guia_pool_new(NULL, &pool);
	if (r == 0)
		r = guia_rules_compile(pool, &source, 1, tell, told, &rules, NULL);
	assert_true((r == 0) == (rules != NULL));
	guia_rules_unref(rules);
	guia_pool_free(pool);
	return r;
}

static void loading_runs_out_of_memory_anywhere(void **state)
{
	size_t told = 0;
	bool whole = false;
	(void)state;
	assert_true(test_allocations_fail());
	assert_int_equal(load(&told), 0);
	assert_int_equal(told, 0);
	for (long n = 0; !whole; n++) {
		test_allocations_begin(n);
		int r = load(&told);
		whole = test_allocations_end();
		if (r != 0 && r != -ENOMEM)
			fail_msg("allocation %ld: %d", n, r);
		if (whole && r != 0)
			fail_msg("no allocation failed, but loading did: %d", r);
		if (told != 0)
			fail_msg("allocation %ld: told as a fault of the rules", n);
	}
}

TEST_MAIN(cmocka_unit_test(loading_runs_out_of_memory_anywhere))
