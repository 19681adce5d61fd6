#include "bundle/export_plan.h"

#include "base/test.h"

#include <stdlib.h>

/* Records as logs have them, and what bundles of an intrusion (7) and of a flood (3) do with them; sites are a.test,
 * the intrusion's sources 192.0.2.1 and ::1. */
static const struct {
	const char *kind;
	const char *fields;
	enum plan_choice intrusion, flood;
} records[] = {
#define BLOCK(site, source, more)                                                                                      \
	"block", SITE(site) ",\"source\":\"" source "\",\"port\":1,\"at\":5,\"verdict\":\"blocked\"" more
#define SITE(site)       ",\"site\":\"" site "\""
#define INCIDENT(number) ",\"incident\":" number
	{BLOCK("a.test", "192.0.2.1", ""), PLAN_TAKES, PLAN_TAKES},
	{BLOCK("a.test", "::1", ""), PLAN_TAKES, PLAN_TAKES},
	{BLOCK("a.test", "192.0.2.2", ""), PLAN_OTHER_INCIDENT, PLAN_TAKES},
	{BLOCK("a.test", "192.0.2.2", INCIDENT("7")), PLAN_TAKES, PLAN_TAKES},
	{BLOCK("b.test", "192.0.2.2", INCIDENT("7")), PLAN_TAKES, PLAN_OTHER_SITE},
	{BLOCK("b.test", "192.0.2.1", ""), PLAN_OTHER_SITE, PLAN_OTHER_SITE},
	{BLOCK("a.test", "192.0.2.1", INCIDENT("3")), PLAN_TAKES, PLAN_TAKES},
	{BLOCK("a.test", "192.0.2.9", INCIDENT("8")), PLAN_OTHER_INCIDENT, PLAN_TAKES},
	{"refusals", SITE("a.test") ",\"rule\":\"r\",\"second\":1,\"total\":2" INCIDENT("3"), PLAN_TAKES, PLAN_TAKES},
	{"refusals", SITE("b.test") ",\"rule\":\"r\",\"second\":1,\"total\":2", PLAN_OTHER_SITE, PLAN_OTHER_SITE},
	{"refusals", SITE("(no site)") ",\"rule\":\"r\",\"second\":1,\"total\":2", PLAN_TAKES, PLAN_TAKES},
	{"decision", SITE("a.test") INCIDENT("3") ",\"what\":\"begins\",\"episode\":9", PLAN_OTHER_INCIDENT,
	 PLAN_TAKES},
	{"decision", SITE("a.test") ",\"what\":\"begins\",\"episode\":7", PLAN_TAKES, PLAN_TAKES},
	{"mitigation", ",\"what\":\"ban\",\"target\":\"x\",\"change\":\"y\"" INCIDENT("3"), PLAN_OTHER_INCIDENT,
	 PLAN_TAKES},
	{"incident", INCIDENT("7") ",\"change\":\"opened\",\"sites\":\"a.test\",\"onset\":1", PLAN_TAKES,
	 PLAN_OTHER_INCIDENT},
	{"incident", INCIDENT("3") ",\"change\":\"opened\",\"sites\":\"a.test\",\"onset\":1", PLAN_OTHER_INCIDENT,
	 PLAN_TAKES},
	{"hold", INCIDENT("3") ",\"change\":\"held\"", PLAN_OTHER_INCIDENT, PLAN_TAKES},
	{"export", ",\"id\":\"x\",\"step\":\"begun\"" INCIDENT("7"), PLAN_TAKES, PLAN_OTHER_INCIDENT},
	{"order", ",\"user\":0,\"order\":\"ban\"", PLAN_TAKES, PLAN_TAKES},
};

static void plan_begin(struct export_plan *plan, uint64_t incident, enum case_kind kind)
{
	*plan = (struct export_plan){.incident = incident, .kind = kind, .site_count = 1};
	strcpy(plan->sites[0], "a.test");
	export_plan_add_source(plan, "::1");
	export_plan_add_source(plan, "192.0.2.1");
	export_plan_add_source(plan, "(before a restart)");
	export_plan_add_source(plan, "192.0.2.0/24");
	export_plan_sort_sources(plan);
	assert_int_equal(plan->source_count, 2);
}

/* As it was written down, too. */
static void records_belong_to_incidents(void **state)
{
	struct export_plan *plans = calloc(3, sizeof(*plans));
	struct buffer text = buffer_make(NULL);
	struct leaf leaf;
	char record[512];
	(void)state;
	plan_begin(&plans[0], 7, CASE_INJECTION);
	plan_begin(&plans[1], 3, CASE_FLOOD);
	export_plan_write(&plans[0], &text);
	assert_true(export_plan_read(buffer_slice(&text), &plans[2]));
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		snprintf(record, sizeof(record), "{\"v\":1,\"kind\":\"%s\",\"t\":5,\"clock\":\"x\",\"error_us\":1%s}",
			 records[i].kind, records[i].fields);
		assert_int_equal(leaf_read(slice_from_string(record), &leaf), 0);
		assert_int_equal(export_plan_choose(&plans[0], &leaf), records[i].intrusion);
		assert_int_equal(export_plan_choose(&plans[2], &leaf), records[i].intrusion);
		assert_int_equal(export_plan_choose(&plans[1], &leaf), records[i].flood);
	}
	buffer_free(&text);
	free(plans);
}

TEST_MAIN(cmocka_unit_test(records_belong_to_incidents))
