/* Random rules: each construct with the odds of its row. */
#include "generate.h"
#include "generate_writer.h"

static const char *const tx_names[] = {"a", "b", "c", "d", "x_1", "x_a", "x_b", "anomaly_score", "1", "0"};
static const char *const texts[] = {"0",
				    "1",
				    "2",
				    "3",
				    "5",
				    "a",
				    "b",
				    "abc",
				    "foo",
				    "x",
				    "1 or 1=1",
				    "%{tx.a}",
				    "%{tx.b}",
				    "%{MATCHED_VAR}",
				    "%{MATCHED_VAR_NAME}",
				    "%{tx.1}",
				    "%{tx.0}",
				    "%{ARGS.a}",
				    "%{REQUEST_METHOD}",
				    "%{tx.x_a}",
				    "%{rule.id}",
				    "v%{tx.c}w"};
static const char *const numbers[] = {"0", "1", "2", "3", "5", "10", "%{tx.a}", "%{tx.b}", "%{tx.anomaly_score}"};
static const char *const patterns[] = {
	"a",        "^a",         "abc",
	"^abc$",    "(a)(b)?",    "(?:foo|bar)",
	"([0-9]+)", "^$",         "^.{2,}$",
	"[^a-z]",   "(?i)select", "o+",
	"x(?=y)",   "(.)\\1",     "^(?:GET|POST)$",
	"foo.*bar", "\\bor\\b",   "(?i)<(script)",
	"b|c",      ".",          "^[a-c]{1,3}",
	"%61",
};
static const char *const transforms[] = {
	"lowercase",          "urlDecode", "urlDecodeUni", "htmlEntityDecode", "removeWhitespace",
	"compressWhitespace", "length",    "trim",         "normalizePath",    "cmdLine",
	"base64Decode",       "hexDecode", "removeNulls",  "jsDecode",         "cssDecode",
	"replaceComments",    "sha1",      "hexEncode",    "uppercase",        "removeComments",
	"utf8toUnicode",
};
static const char *const variables[] = {
	"ARGS",
	"ARGS",
	"ARGS",
	"ARGS:a",
	"ARGS:a",
	"ARGS:b",
	"ARGS:/^a/",
	"ARGS_NAMES",
	"ARGS_NAMES:b",
	"ARGS_GET",
	"ARGS_GET:a",
	"ARGS_GET:/b/",
	"ARGS_POST",
	"ARGS_POST:b",
	"ARGS_GET_NAMES",
	"ARGS_POST_NAMES",
	"ARGS_COMBINED_SIZE",
	"REQUEST_HEADERS",
	"REQUEST_HEADERS",
	"REQUEST_HEADERS:X-A",
	"REQUEST_HEADERS:/^x-/",
	"REQUEST_HEADERS:Content-Type",
	"REQUEST_HEADERS_NAMES",
	"REQUEST_COOKIES",
	"REQUEST_COOKIES:c",
	"REQUEST_COOKIES:/a/",
	"REQUEST_COOKIES_NAMES",
	"REQUEST_URI",
	"REQUEST_URI_RAW",
	"REQUEST_FILENAME",
	"REQUEST_BASENAME",
	"QUERY_STRING",
	"REQUEST_METHOD",
	"REQUEST_METHOD",
	"REQUEST_LINE",
	"REQUEST_PROTOCOL",
	"REQUEST_BODY",
	"REQUEST_BODY",
	"REQUEST_BODY_LENGTH",
	"REQBODY_PROCESSOR",
	"REQBODY_ERROR",
	"FILES",
	"FILES_NAMES",
	"FILES_SIZES",
	"FILES_COMBINED_SIZE",
	"MULTIPART_STRICT_ERROR",
	"MULTIPART_PART_HEADERS",
	"XML:/*",
	"XML://@*",
	"FULL_REQUEST",
	"RESPONSE_STATUS",
	"RESPONSE_BODY",
	"RESPONSE_HEADERS",
	"RESPONSE_HEADERS:X-R",
	"RESPONSE_CONTENT_TYPE",
	"MATCHED_VAR",
	"MATCHED_VARS",
	"MATCHED_VARS:a",
	"MATCHED_VAR_NAME",
	"MATCHED_VARS_NAMES",
	"REMOTE_ADDR",
	"HIGHEST_SEVERITY",
	"ENV:e",
	"IP:a",
	"IP:b",
	"IP",
	"GLOBAL:a",
	"RULE:id",
	"STATUS",
	"URLENCODED_ERROR",
	"AUTH_TYPE",
	"WEBAPPID",
	"UNIQUE_ID",
	"SERVER_NAME",
	"PATH_INFO",
	"INBOUND_DATA_ERROR",
	"TX",
	"TX:/^x_/",
	"TX:/a/",
	"TX:/^x_[ab]/",
	"TX:/./",
};
static const char *const exclusions[] = {
	"!ARGS:a",
	"!ARGS:/b/",
	"!REQUEST_HEADERS:X-A",
	"!REQUEST_HEADERS:Host",
	"!REQUEST_COOKIES:c",
	"!ARGS_NAMES:a",
	"!ARGS_GET:a",
	"!TX:a",
	"!TX:/^x_/",
	"!REQUEST_COOKIES",
	"!MATCHED_VARS:a",
};
static const char *const counts[] = {
	"&ARGS",
	"&ARGS:a",
	"&ARGS:/a/",
	"&ARGS_GET:a",
	"&ARGS_POST",
	"&REQUEST_HEADERS:X-A",
	"&REQUEST_HEADERS",
	"&REQUEST_COOKIES",
	"&REQUEST_COOKIES:c",
	"&TX:a",
	"&TX:b",
	"&TX:x_a",
	"&TX:/^x_/",
	"&TX:/[0-9]/",
	"&TX",
	"&FILES",
	"&REQUEST_BODY",
	"&REQUEST_HEADERS:/x/",
	"&ARGS_NAMES:b",
	"&MATCHED_VARS",
	"&IP:a",
	"&REQUEST_URI",
	"&ENV:e",
	"&RESPONSE_HEADERS:X-R",
};
static const char *const removed_targets[] = {
	"ARGS:a",         "ARGS",       "ARGS:b",       "REQUEST_HEADERS:X-A", "REQUEST_HEADERS",
	"TX:a",           "TX:b",       "TX",           "REQUEST_COOKIES:c",   "REQUEST_URI",
	"REQUEST_METHOD", "ARGS_GET:a", "ARGS_NAMES:a", "ARGS_NAMES",          "REQUEST_BODY",
	"TX:x_a",
};
static const char *const markers[] = {"M1", "M2", "M3", "END", "NOWHERE"};
static const char *const tags[] = {"t1", "t2", "t3", "paranoia-level/1"};
static const char *const messages[] = {"m1", "m2", "found %{MATCHED_VAR}", "a is %{tx.a}", "in %{MATCHED_VAR_NAME}"};

static void write_targets(struct writer *w, bool reads_match)
{
	unsigned count = once(w, 3) ? 1 + below(w, 3) : 1;
	for (unsigned i = 0; i < count; i++) {
		text(w, i > 0 ? "|" : "");
		if (reads_match && once(w, 2))
			text(w, once(w, 2) ? "MATCHED_VAR" : "MATCHED_VARS");
		else if (once(w, 3))
			buffer_printf(w->out, "TX:%s", PICK(w, tx_names));
		else
			text(w, once(w, 6) ? PICK(w, counts) : PICK(w, variables));
	}
	if (once(w, 6))
		buffer_printf(w->out, "|%s", PICK(w, exclusions));
}

void write_operator(struct writer *w)
{
	static const char *const compared[] = {"eq", "ge", "gt", "le", "lt"};
	static const char *const with_text[] = {"streq",  "contains",     "beginsWith", "endsWith",
						"within", "containsWord", "strmatch"};
	static const char *const phrases[] = {"foo bar", "abc select", "x", "a", "or union", "<script"};
	static const char *const others[] = {"@unconditionalMatch",
					     "@noMatch",
					     "@detectSQLi",
					     "@detectXSS",
					     "@validateByteRange 32-126",
					     "@validateByteRange 97-99",
					     "@validateUrlEncoding",
					     "@validateUtf8Encoding",
					     "@ipMatch 127.0.0.0/8",
					     "@rx ^%{tx.a}$",
					     "@rx %{ARGS.a}",
					     "@within abc foo bar"};
	text(w, once(w, 5) ? "!" : "");
	switch (below(w, 8)) {
	case 0:
	case 1:
	case 2:
		buffer_printf(w->out, "@rx %s", PICK(w, patterns));
		break;
	case 3:
		buffer_printf(w->out, "@pm %s", PICK(w, phrases));
		break;
	case 4:
	case 5:
		buffer_printf(w->out, "@%s %s", PICK(w, compared), PICK(w, numbers));
		break;
	case 6:
		buffer_printf(w->out, "@%s %s", PICK(w, with_text), PICK(w, texts));
		break;
	default:
		text(w, PICK(w, others));
	}
}

void write_transforms(struct writer *w)
{
	if (once(w, 8))
		text(w, ",t:none");
	for (unsigned left = once(w, 2) ? below(w, 4) : 0; left > 0; left--)
		buffer_printf(w->out, ",t:%s", PICK(w, transforms));
}

static void write_tx_name(struct writer *w)
{
	static const char *const composed[] = {"x_%{tx.a}", "x_%{MATCHED_VAR}", "%{MATCHED_VAR_NAME}", "x_%{tx.1}",
					       "%{tx.b}",   "%{rule.id}-x",     "x_%{ARGS.a}"};
	text(w, once(w, 5) ? PICK(w, composed) : PICK(w, tx_names));
}

static void write_setvar(struct writer *w)
{
	bool unset = once(w, 8);
	text(w, ",setvar:'");
	text(w, unset ? "!" : "");
	text(w, once(w, 10) ? (once(w, 2) ? "ip." : "global.") : "tx.");
	write_tx_name(w);
	if (!unset) {
		static const char *const signs[] = {"=", "=", "=+", "=+", "=-"};
		const char *sign = PICK(w, signs);
		text(w, sign);
		text(w, sign[1] == '\0' ? PICK(w, texts) : PICK(w, numbers));
	}
	text(w, "'");
}

/* A rule of this set, perhaps one that is not there. */
static unsigned any_id(struct writer *w)
{
	return 1 + below(w, w->rules + 2);
}

static void write_ctl(struct writer *w)
{
	static const char *const switches[] = {"requestBodyProcessor=JSON",
					       "requestBodyProcessor=XML",
					       "requestBodyProcessor=URLENCODED",
					       "forceRequestBodyVariable=On",
					       "requestBodyAccess=Off",
					       "auditEngine=On",
					       "auditEngine=Off",
					       "responseBodyAccess=Off",
					       "ruleEngine=Off",
					       "ruleEngine=DetectionOnly",
					       "ruleEngine=On",
					       "auditLogParts=+E"};
	unsigned from = any_id(w);
	switch (below(w, 9)) {
	case 0:
	case 1:
		buffer_printf(w->out, ",ctl:ruleRemoveById=%u", from);
		break;
	case 2:
		buffer_printf(w->out, ",ctl:ruleRemoveById=%u-%u", from, from + below(w, 4));
		break;
	case 3:
		buffer_printf(w->out, ",ctl:ruleRemoveByTag=%s", PICK(w, tags));
		break;
	case 4:
		buffer_printf(w->out, ",ctl:ruleRemoveByMsg=%s", once(w, 2) ? "m1" : "m2");
		break;
	case 5:
		buffer_printf(w->out, ",ctl:ruleRemoveTargetById=%u;%s", from, PICK(w, removed_targets));
		break;
	case 6:
		buffer_printf(w->out, ",ctl:ruleRemoveTargetByTag=%s;%s", PICK(w, tags), PICK(w, removed_targets));
		break;
	default:
		buffer_printf(w->out, ",ctl:%s", PICK(w, switches));
	}
}

/* What any link may do. */
static void write_link_actions(struct writer *w)
{
	write_transforms(w);
	if (once(w, 4))
		text(w, ",capture");
	if (once(w, 12))
		text(w, ",multiMatch");
	for (unsigned left = once(w, 2) ? 1 + below(w, 2) : 0; left > 0; left--)
		write_setvar(w);
	if (once(w, 10))
		write_ctl(w);
	if (once(w, 30))
		buffer_printf(w->out, ",setenv:'e=%s'", PICK(w, texts));
	if (once(w, 40))
		text(w, ",expirevar:'ip.a=3600'");
	if (once(w, 40))
		text(w, once(w, 2) ? ",sanitiseArg:a" : ",sanitiseMatched");
}

static void write_jump(struct writer *w)
{
	if (once(w, 2))
		buffer_printf(w->out, ",skip:%u", 1 + below(w, 4));
	else if (once(w, 8))
		buffer_printf(w->out, ",skipAfter:%u", any_id(w));
	else
		buffer_printf(w->out, ",skipAfter:%s", PICK(w, markers));
}

static const char *disruption(struct writer *w)
{
	static const char *const hard[] = {
		"deny",  "block",       "block",         "drop", "deny,status:404", "redirect:'/x%{tx.a}'",
		"allow", "allow:phase", "allow:request", "allow"};
	return once(w, 8) ? PICK(w, hard) : once(w, 10) ? "t:none" : "pass";
}

static void write_head_actions(struct writer *w)
{
	static const unsigned phases[] = {1, 1, 1, 2, 2, 2, 2, 3, 4, 5};
	buffer_printf(w->out, "id:%u,phase:%u,%s", w->id++, PICK(w, phases), disruption(w));
	text(w, once(w, 3) ? ",log" : ",nolog");
	if (once(w, 10))
		text(w, once(w, 2) ? ",auditlog" : ",noauditlog");
	for (unsigned left = once(w, 3) ? 1 + below(w, 2) : 0; left > 0; left--)
		buffer_printf(w->out, ",tag:%s", PICK(w, tags));
	if (once(w, 3))
		buffer_printf(w->out, ",msg:'%s'", PICK(w, messages));
	if (once(w, 6))
		buffer_printf(w->out, ",logdata:'%s'", PICK(w, texts));
	if (once(w, 8))
		buffer_printf(w->out, ",severity:%u", below(w, 8));
	if (once(w, 20))
		text(w, ",status:405");
	if (once(w, 6))
		write_jump(w);
}

static void write_rule(struct writer *w)
{
	unsigned links = once(w, 4) ? 1 + below(w, 3) : 0;
	bool action = once(w, 7);
	text(w, action ? "SecAction \"" : "SecRule ");
	if (!action) {
		write_targets(w, false);
		text(w, " \"");
		write_operator(w);
		text(w, "\" \"");
	}
	write_head_actions(w);
	write_link_actions(w);
	for (unsigned i = 0; i < links; i++) {
		text(w, ",chain\"\nSecRule ");
		write_targets(w, true);
		text(w, " \"");
		write_operator(w);
		text(w, "\" \"t:none");
		write_link_actions(w);
	}
	text(w, "\"\n");
}

static void write_settings(struct writer *w)
{
	text(w, once(w, 3) ? "SecRuleEngine DetectionOnly\n" : "SecRuleEngine On\n");
	text(w, "SecRequestBodyAccess On\nSecResponseBodyAccess On\nSecResponseBodyMimeType text/html text/plain\n");
	text(w, once(w, 2) ? "SecAuditEngine RelevantOnly\nSecAuditLog /dev/null\n" : "");
	if (once(w, 2))
		text(w, "SecDefaultAction \"phase:1,log,auditlog,deny,status:403\"\n"
			"SecDefaultAction \"phase:2,log,auditlog,pass,t:lowercase\"\n");
	if (once(w, 10))
		text(w, "SecArgumentsLimit 4\n");
	if (once(w, 10))
		text(w, "SecRequestBodyLimit 100\nSecRequestBodyLimitAction ProcessPartial\n");
}

/* Where TX begins, as the set-up of a rule set does it. */
static void write_initial(struct writer *w)
{
	buffer_printf(w->out, "SecAction \"id:%u,phase:1,pass,nolog", w->id++);
	for (unsigned left = below(w, 5); left > 0; left--)
		buffer_printf(w->out, ",setvar:tx.%s=%s", PICK(w, tx_names), PICK(w, numbers));
	if (w->bent == BENT_MATCHED)
		text(w, ",setvar:tx.a=1,setvar:tx.b=2,setvar:tx.c=x");
	text(w, w->bent == BENT_STORED || once(w, 3) ? ",initcol:ip=%{REMOTE_ADDR},initcol:global=global\"\n" : "\"\n");
}

static void write_change(struct writer *w)
{
	switch (below(w, 4)) {
	case 0:
		buffer_printf(w->out, "SecRuleRemoveById %u\n", any_id(w));
		break;
	case 1:
		buffer_printf(w->out, "SecRuleUpdateTargetById %u \"%s\"\n", any_id(w), PICK(w, exclusions));
		break;
	case 2:
		buffer_printf(w->out, "SecRuleUpdateTargetByTag %s \"%s\"\n", PICK(w, tags), PICK(w, exclusions));
		break;
	default:
		buffer_printf(w->out, "SecRuleUpdateTargetById %u \"%s\"\n", any_id(w), PICK(w, variables));
	}
}

static void add(struct writer *w, write_fn *write, struct arena *arena, struct generated_rules *rules)
{
	struct buffer statement = buffer_make(arena);
	w->out = &statement;
	write(w);
	rules->statements[rules->count++] = buffer_slice(&statement);
}

static void write_marker(struct writer *w)
{
	buffer_printf(w->out, "SecMarker %s\n", RANDOM_OF(w->state, markers));
}

/* Something that looks at all that is left. */
static void write_last(struct writer *w)
{
	static const struct {
		const char *before;
		const char *after;
	} lasts[] = {
		{"SecRule TX \"@rx ^(.)\" \"id:", ",phase:5,pass,nolog,capture,setvar:tx.z=%{tx.1}\"\n"},
		{"SecAction \"id:", ",phase:5,pass,log,msg:'%{tx.a} %{tx.b} %{tx.x_a}'\"\n"},
		{"SecRule TX:anomaly_score \"@ge 3\" \"id:", ",phase:2,deny,log,msg:'%{tx.anomaly_score}'\"\n"},
	};
	unsigned last = below(w, sizeof(lasts) / sizeof(lasts[0]));
	text(w, lasts[last].before);
	buffer_number(w->out, w->id++);
	text(w, lasts[last].after);
}

void generate_rules(uint64_t *state, struct arena *arena, struct generated_rules *ret_rules)
{
	struct writer w = {.state = state, .id = 1, .rules = 3 + random_below(state, 30)};
	w.bent = random_once(state, 2) ? BENT_NOWHERE : random_below(state, BENTS);
	ret_rules->count = 0;
	add(&w, write_settings, arena, ret_rules);
	add(&w, write_initial, arena, ret_rules);
	while (w.id < w.rules) {
		if (random_once(state, 6))
			add(&w, write_marker, arena, ret_rules);
		/* At the beginning much is known that is not any more once a rule has set variables of any name. */
		bool begins = w.bent != BENT_NOWHERE && w.id < 8;
		write_fn *special = begins || random_once(state, 2) ? generate_special(&w) : NULL;
		add(&w, special != NULL ? special : write_rule, arena, ret_rules);
	}
	if (random_once(state, 3))
		add(&w, write_last, arena, ret_rules);
	for (unsigned left = random_once(state, 4) ? 1 + random_below(state, 3) : 0; left > 0; left--)
		add(&w, write_change, arena, ret_rules);
}

_Static_assert(GENERATE_STATEMENTS >= 2 * 34 + 6, "room for as many as there can be");
