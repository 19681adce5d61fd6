/* Rules that chance alone writes too rarely. They tell of what they did in messages, for a gate tells little else. */
#include "generate_writer.h"

#include <string.h>

static const char *const names[] = {"a", "b", "c", "x_a"};

/* Mostly one that matches. */
static void write_likely_operator(struct writer *w)
{
	static const char *const likely[] = {"@rx .", "@rx [abc]", "!@streq zzz", "@unconditionalMatch", "@rx ^(.)"};
	if (once(w, 4))
		write_operator(w);
	else
		text(w, PICK(w, likely));
}

static void write_head(struct writer *w, const char *actions)
{
	buffer_printf(w->out, "\" \"id:%u,phase:%u,pass,%s", w->id++, once(w, 4) ? 1 + below(w, 5) : 1 + below(w, 2),
		      actions);
}

/* A line of the log with what stands in variables. */
static void write_teller(struct writer *w)
{
	static const char *const messages[] = {"%{tx.a}|%{tx.b}|%{tx.c}|%{tx.x_a}", "%{ip.a}|%{ip.k}|%{global.a}",
					       "%{MATCHED_VAR_NAME}=%{MATCHED_VAR}"};
	buffer_printf(w->out, "SecAction \"id:%u,phase:%u,pass,log,msg:'%s'\"\n", w->id++, 1 + below(w, 5),
		      PICK(w, messages));
}

static void write_copies(struct writer *w)
{
	static const char *const copied[] = {"%{MATCHED_VAR}", "v%{MATCHED_VAR}w", "%{MATCHED_VAR_NAME}", "%{tx.0}"};
	for (unsigned left = 1 + below(w, 2); left > 0; left--)
		buffer_printf(w->out, ",setvar:'tx.%s=%s'", PICK(w, names), PICK(w, copied));
}

/* One that does nothing but set variables from the one value that it matched. */
static void write_echo(struct writer *w)
{
	static const char *const named[] = {"REQUEST_HEADERS:X-A", "ARGS:a",     "ARGS_GET:a",
					    "REQUEST_COOKIES:c",   "ARGS_GET:b", "ARGS:b"};
	static const char *const changes[] = {"lowercase", "length", "sha1", "hexEncode", "trim", "urlDecodeUni"};
	buffer_printf(w->out, "SecRule %s \"", PICK(w, named));
	write_likely_operator(w);
	write_head(w, "nolog");
	buffer_printf(w->out, ",t:none,t:%s", PICK(w, changes));
	write_transforms(w);
	text(w, once(w, 10) ? ",multiMatch" : "");
	write_copies(w);
	text(w, "\"\n");
}

static void write_stored_setvar(struct writer *w)
{
	static const char *const kept[] = {"a", "b", "k", "k"}; /* nobody else speaks of k */
	static const char *const amounts[] = {"=+1", "=+2", "=-1", "=%{MATCHED_VAR}", "=x", "=5"};
	bool unset = once(w, 8);
	buffer_printf(w->out, ",setvar:'%s%s.%s%s'", unset ? "!" : "", once(w, 3) ? "global" : "ip", PICK(w, kept),
		      unset ? "" : PICK(w, amounts));
}

static void write_keeper(struct writer *w)
{
	static const char *const looked_at[] = {"ARGS", "ARGS:a", "REQUEST_METHOD", "REQUEST_HEADERS:X-A",
						"IP:a", "TX:a"};
	if (once(w, 12)) {
		buffer_printf(w->out, "SecAction \"id:%u,phase:%u,pass,nolog,initcol:ip=%%{ARGS.a}\"\n", w->id++,
			      1 + below(w, 2));
		return;
	}
	buffer_printf(w->out, "SecRule %s \"", PICK(w, looked_at));
	write_likely_operator(w);
	write_head(w, "nolog");
	write_stored_setvar(w);
	if (once(w, 4)) {
		buffer_printf(w->out, ",chain\"\nSecRule %s \"", PICK(w, looked_at));
		write_operator(w);
		text(w, "\" \"t:none");
		write_stored_setvar(w);
	}
	text(w, "\"\n");
}

static void write_reader(struct writer *w)
{
	static const char *const kept[] = {"IP:a",  "IP:k", "IP:k",   "IP",    "GLOBAL:k",
					   "&IP:a", "&IP",  "IP:/a/", "GLOBAL"};
	buffer_printf(w->out, "SecRule %s \"", PICK(w, kept));
	write_likely_operator(w);
	write_head(w, "log,msg:'%{MATCHED_VAR_NAME} is %{MATCHED_VAR}'");
	text(w, "\"\n");
}

/* Most often the rule set's first rule has set the variable: then it is settled whether this one matches. */
static void write_sure(struct writer *w)
{
	static const char *const comparisons[] = {"@ge 0", "@lt 50", "!@streq zzz", "@rx .", "@unconditionalMatch"};
	buffer_printf(w->out, "SecRule %sTX:%s \"%s", once(w, 4) ? "&" : "", PICK(w, names), PICK(w, comparisons));
	write_head(w, "nolog");
	if (once(w, 2))
		buffer_printf(w->out, ",setvar:tx.d=%s", once(w, 2) ? "1" : "%{REQUEST_METHOD}");
	text(w, "\"\n");
}

static void write_looker(struct writer *w)
{
	static const char *const looked_at[] = {"&MATCHED_VARS", "MATCHED_VARS", "MATCHED_VARS_NAMES",
						"MATCHED_VAR_NAME"};
	buffer_printf(w->out, "SecRule %s \"%s", PICK(w, looked_at), once(w, 2) ? "@ge 2" : "@rx .");
	write_head(w, "log,msg:'%{MATCHED_VAR_NAME} is %{MATCHED_VAR}'");
	text(w, "\"\n");
}

static void write_asker(struct writer *w)
{
	static const char *const asked[] = {"REQUEST_METHOD", "ARGS:a", "ARGS_NAMES", "REQUEST_HEADERS:Host"};
	buffer_printf(w->out, "SecRule %s \"", PICK(w, asked));
	write_likely_operator(w);
	write_head(w, "nolog");
	text(w, "\"\n");
}

/* One of many that look at the members of the same collections, so that a value has as many candidates as fit, or more.
 */
static void write_one_of_many(struct writer *w)
{
	static const char *const targets[] = {
		"REQUEST_COOKIES",
		"REQUEST_COOKIES",
		"REQUEST_COOKIES|REQUEST_COOKIES_NAMES",
		"REQUEST_COOKIES_NAMES",
		"REQUEST_COOKIES:a",
		"REQUEST_COOKIES:c",
		"REQUEST_HEADERS",
		"REQUEST_HEADERS",
		"REQUEST_HEADERS|!REQUEST_HEADERS:Referer",
		"REQUEST_HEADERS_NAMES",
		"REQUEST_HEADERS:X-A",
		"REQUEST_HEADERS_NAMES:X-A",
		"ARGS",
		"ARGS|ARGS_NAMES",
		"ARGS_GET:a",
		"ARGS_NAMES",
		"REQUEST_COOKIES_NAMES:a",
		"REQUEST_LINE|REQUEST_URI|QUERY_STRING",
		"RESPONSE_BODY",
		"RESPONSE_HEADERS",
		"&REQUEST_COOKIES:a",
		"&REQUEST_HEADERS:X-A",
		"&ARGS_NAMES:a",
		"ARGS_POST|FILES|MULTIPART_PART_HEADERS",
	};
	static const char *const operators[] = {
		"@rx [abfx]", "@rx a",         "@rx ^[a-z]",    "@rx o",       "@rx [0-9]",   "@rx e",
		"@rx (?i)f",  "@pm a foo x 1", "@rx .{2}",      "@contains a", "!@streq zzz", "@ge 1",
		"@rx or",     "@rx ^.{9,}",    "!@rx ^[a-z]+$", "@detectSQLi", "@detectXSS"};
	static const char *const changes[] = {"",
					      "",
					      "",
					      ",t:lowercase",
					      ",t:urlDecodeUni",
					      ",t:none,t:htmlEntityDecode,t:lowercase",
					      ",t:removeWhitespace"};
	const char *target = PICK(w, targets);
	buffer_printf(w->out, "SecRule %s \"%s\" \"id:%u,phase:%u,pass,%s%s,setvar:tx.%s=+%u\"\n", target,
		      PICK(w, operators), w->id, strncmp(target, "RESP", 4) == 0 ? 4 : 1 + below(w, 2),
		      once(w, 2) ? "log" : "nolog", PICK(w, changes), PICK(w, names), 1 + below(w, 3));
	w->id++;
}

write_fn *generate_special(struct writer *w)
{
	static write_fn *const of_bent[BENTS][4] = {
		[BENT_NOWHERE] = {write_echo, write_teller, NULL, NULL},
		[BENT_ECHO] = {write_echo, write_echo, write_teller, NULL},
		[BENT_STORED] = {write_keeper, write_keeper, write_reader, write_teller},
		[BENT_MATCHED] = {write_sure, write_looker, write_asker, write_teller},
		[BENT_MANY] = {write_one_of_many, write_one_of_many, write_one_of_many, write_teller},
	};
	return of_bent[w->bent][below(w, 4)];
}
