/*
 * One resolver a row of variable_table.h. What comes with the exchange is there already, what never changes is made
 * when first asked for, and what rules or the clock change is made anew each time.
 */
#include "engine/variable.h"

#include "base/clock.h"
#include "codec/text.h"
#include "engine/number.h"
#include "engine/stored.h"
#include "http/xml.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* What a resolver is asked. */
struct question {
	struct transaction *t;
	enum variable variable;
	const struct rule *rule;
	const struct target *target;
};

typedef int resolver(const struct question *q, const struct value_set **ret_set);

int variable_set(struct transaction *t, enum variable variable, struct slice value)
{
	return value_set_only(&t->sets[variable], &t->arena, value);
}

int variable_flag(struct transaction *t, enum variable variable, bool flag)
{
	return variable_set(t, variable, flag ? SLICE("1") : SLICE("0"));
}

/* A collection that is filled as the exchange comes in. */
static int resolve_fed(const struct question *q, const struct value_set **ret_set)
{
	*ret_set = &q->t->sets[q->variable];
	return 0;
}

/* A scalar that is filled as the exchange comes in; empty, not absent, until then. */
static int resolve_scalar(const struct question *q, const struct value_set **ret_set)
{
	struct value_set *set = &q->t->sets[q->variable];
	if (set->count == 0 && variable_set(q->t, q->variable, SLICE("")) != 0)
		return -ENOMEM;
	*ret_set = set;
	return 0;
}

static int answer(const struct question *q, struct slice value, const struct value_set **ret_set)
{
	*ret_set = &q->t->sets[q->variable];
	return variable_set(q->t, q->variable, value);
}

static int answer_number(const struct question *q, int64_t number, const struct value_set **ret_set)
{
	return answer(q, number_text(&q->t->arena, number), ret_set);
}

/* A scalar that never changes and is wanted rarely: made when first asked for. */
static int resolve_constant(const struct question *q, const struct value_set **ret_set)
{
	struct transaction *t = q->t;
	if (t->sets[q->variable].count > 0)
		return resolve_fed(q, ret_set);
	switch ((int)q->variable) {
	case VARIABLE_REMOTE_ADDR:
	case VARIABLE_REMOTE_HOST:
		return answer(q, t->client_address, ret_set);
	case VARIABLE_REMOTE_PORT:
		return answer_number(q, t->client_port, ret_set);
	case VARIABLE_SERVER_ADDR:
		return answer(q, t->server_address, ret_set);
	case VARIABLE_SERVER_PORT:
		return answer_number(q, t->server_port, ret_set);
	case VARIABLE_UNIQUE_ID:
		return answer(q, t->unique_id, ret_set);
	case VARIABLE_WEBAPPID:
		return answer(q, t->ruleset->settings.web_app_id, ret_set);
	default: /* MODSEC_BUILD: 3.0.10, whose limits of PCRE are ours */
		return answer(q, SLICE("030010100"), ret_set);
	}
}

static int resolve_request_line(const struct question *q, const struct value_set **ret_set)
{
	struct transaction *t = q->t;
	if (t->sets[q->variable].count > 0)
		return resolve_fed(q, ret_set);
	return answer(q, t->line.ptr == NULL ? SLICE("  ") : t->line, ret_set);
}

/* FULL_REQUEST and its length exist from phase 2 on; libmodsecurity leaves the request line out. */
static int resolve_full_request(const struct question *q, const struct value_set **ret_set)
{
	struct transaction *t = q->t;
	const struct value_set *made = &t->sets[q->variable];
	/* Empty since phase 1 asked for it does not count. */
	if ((made->count > 0 && made->items[0]->bytes.len > 0) || (t->phases_done & 1 << PHASE_REQUEST_HEADERS) == 0 ||
	    t->phase == PHASE_REQUEST_HEADERS)
		return resolve_scalar(q, ret_set);
	const struct value_set *headers = &t->sets[VARIABLE_REQUEST_HEADERS];
	struct buffer text = buffer_make(&t->arena);
	for (uint32_t i = 0; i < headers->count; i++) {
		buffer_add(&text, headers->items[i]->key);
		buffer_text(&text, ": ");
		buffer_add(&text, headers->items[i]->bytes);
		buffer_byte(&text, '\n');
	}
	buffer_text(&text, "\n\n");
	buffer_add(&text, t->request_body.bytes);
	if (text.error != 0)
		return text.error;
	return q->variable == VARIABLE_FULL_REQUEST ? answer(q, buffer_slice(&text), ret_set)
						    : answer_number(q, (int64_t)text.len, ret_set);
}

static int resolve_arguments_size(const struct question *q, const struct value_set **ret_set)
{
	if (!q->t->arguments_counted)
		return resolve_scalar(q, ret_set);
	return answer_number(q, (int64_t)q->t->arguments_bytes, ret_set);
}

static int resolve_duration(const struct question *q, const struct value_set **ret_set)
{
	char text[32];
	int64_t elapsed = clock_now_us() - q->t->begun_us;
	int len = snprintf(text, sizeof(text), "%.6f", (double)(elapsed < 0 ? 0 : elapsed) / CLOCK_US_PER_S);
	return answer(q, transaction_copy(q->t, slice_make(text, (size_t)len)), ret_set);
}

static int resolve_time(const struct question *q, const struct value_set **ret_set)
{
	static const struct {
		enum variable variable;
		const char *format;
	} formats[] = {
		{VARIABLE_TIME, "%H:%M:%S"}, {VARIABLE_TIME_DAY, "%d"},   {VARIABLE_TIME_HOUR, "%H"},
		{VARIABLE_TIME_MIN, "%M"},   {VARIABLE_TIME_SEC, "%S"},   {VARIABLE_TIME_WDAY, "%u"},
		{VARIABLE_TIME_YEAR, "%Y"},  {VARIABLE_TIME_EPOCH, "%s"},
	};
	time_t now = (time_t)(clock_now_us() / CLOCK_US_PER_S);
	struct tm local;
	localtime_r(&now, &local);
	if (q->variable == VARIABLE_TIME_MON) /* from 0, as ModSecurity counts */
		return answer_number(q, local.tm_mon, ret_set);
	char text[32] = "";
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i].variable == q->variable)
			strftime(text, sizeof(text), formats[i].format, &local);
	return answer(q, transaction_copy(q->t, slice_from_string(text)), ret_set);
}

static int resolve_highest_severity(const struct question *q, const struct value_set **ret_set)
{
	return answer_number(q, q->t->highest_severity, ret_set);
}

struct slice variable_full_name(struct transaction *t, const struct matched *matched)
{
	struct slice name = slice_from_string(variable_infos[matched->variable].name);
	if (matched->name.ptr != NULL)
		return matched->name;
	if (matched->variable == VARIABLE_REMOTE_USER && !matched->counted)
		return SLICE("REQUEST_HEADERS:Authorization");
	if (matched->key.len == 0 && variable_infos[matched->variable].shape == VARIABLE_SCALAR)
		return name;
	if (matched->key.len == 0 && matched->counted)
		return name;
	struct buffer text = buffer_make(&t->arena);
	if (buffer_reserve(&text, name.len + 1 + matched->key.len) != 0) {
		transaction_out_of_memory(t);
		return name;
	}
	buffer_add(&text, name);
	buffer_byte(&text, ':');
	buffer_add(&text, matched->key);
	return buffer_slice(&text);
}

static int resolve_matched_var(const struct question *q, const struct value_set **ret_set)
{
	struct transaction *t = q->t;
	if (t->matched_count == 0)
		return answer(q, SLICE(""), ret_set);
	const struct matched *last = &t->matched[t->matched_count - 1];
	return answer(q, q->variable == VARIABLE_MATCHED_VAR ? last->value : variable_full_name(t, last), ret_set);
}

static int resolve_matched_vars(const struct question *q, const struct value_set **ret_set)
{
	struct transaction *t = q->t;
	struct value_set *set = &t->sets[q->variable];
	set->count = 0;
	for (uint32_t i = 0; i < t->matched_count; i++) {
		struct slice name = variable_full_name(t, &t->matched[i]);
		struct slice value = q->variable == VARIABLE_MATCHED_VARS ? t->matched[i].value : name;
		if (value_set_add(set, &t->arena, name, value) == NULL)
			return -ENOMEM;
	}
	*ret_set = set;
	return 0;
}

/* The nearest link, from the asking one up to the head, that has the attribute. */
static int resolve_rule(const struct question *q, const struct value_set **ret_set)
{
	struct transaction *t = q->t;
	struct value_set *set = &t->sets[q->variable];
	const struct rule *severity = NULL;
	const struct rule *revision = NULL;
	const struct rule *data = NULL;
	const struct rule *message = NULL;
	set->count = 0;
	*ret_set = set;
	if (t->head == NULL)
		return 0;
	for (const struct rule *rule = t->head; rule != NULL; rule = rule == q->rule ? NULL : rule->next_link) {
		revision = rule->revision.len > 0 ? rule : revision;
		severity = rule->severity != SEVERITY_UNSET ? rule : severity;
		data = rule->log_data.part_count > 0 ? rule : data;
		message = rule->message.part_count > 0 ? rule : message;
	}
	bool kept = value_set_add(set, &t->arena, SLICE("id"), number_text(&t->arena, t->head->id)) != NULL;
	if (revision != NULL)
		kept &= value_set_add(set, &t->arena, SLICE("rev"), revision->revision) != NULL;
	if (severity != NULL)
		kept &= value_set_add(set, &t->arena, SLICE("severity"), number_text(&t->arena, severity->severity)) !=
			NULL;
	/* As written: expanding a text that asks for itself would not end. */
	if (data != NULL)
		kept &= value_set_add(set, &t->arena, SLICE("logdata"), data->log_data.text) != NULL;
	if (message != NULL)
		kept &= value_set_add(set, &t->arena, SLICE("msg"), message->message.text) != NULL;
	return kept ? 0 : -ENOMEM;
}

static int resolve_env(const struct question *q, const struct value_set **ret_set)
{
	struct transaction *t = q->t;
	struct value_set *set = &t->sets[q->variable];
	set->count = 0;
	*ret_set = set;
	for (const struct environment *e = t->environment; e != NULL; e = e->next)
		if (value_set_add(set, &t->arena, e->name, e->value) == NULL)
			return -ENOMEM;
	for (char **at = environ; at != NULL && *at != NULL; at++) {
		struct slice name;
		struct slice whole = slice_from_string(*at);
		struct slice value = slice_cut(whole, '=', &name);
		const struct environment *set_here = t->environment;
		while (set_here != NULL && !slice_equal(set_here->name, name))
			set_here = set_here->next;
		if (name.len < whole.len && set_here == NULL && value_set_add(set, &t->arena, name, value) == NULL)
			return -ENOMEM;
	}
	return 0;
}

/* The user of HTTP Basic authentication. */
static int resolve_remote_user(const struct question *q, const struct value_set **ret_set)
{
	struct transaction *t = q->t;
	const struct slice scheme = SLICE("Basic ");
	struct value_set *set = &t->sets[q->variable];
	const struct value_set *headers = &t->sets[VARIABLE_REQUEST_HEADERS];
	*ret_set = set;
	set->count = 0;
	const struct value *header = NULL;
	for (uint32_t i = headers->count; i-- > 0 && header == NULL;)
		if (slice_equal_nocase(headers->items[i]->key, SLICE("authorization")))
			header = headers->items[i];
	if (header == NULL || !slice_starts_with(header->bytes, scheme))
		return 0;
	struct slice encoded = slice_after(header->bytes, scheme.len);
	uint8_t *text = arena_alloc(&t->arena, encoded.len + 4);
	if (text == NULL)
		return -ENOMEM;
	struct slice decoded = slice_make(text, base64_decode_lines(encoded, text));
	size_t colon = slice_find_byte(decoded, ':', 0);
	if (colon == decoded.len)
		return 0;
	return value_set_add(set, &t->arena, SLICE(""), slice_sub(decoded, 0, colon)) == NULL ? -ENOMEM : 0;
}

static int resolve_stored(const struct question *q, const struct value_set **ret_set)
{
	*ret_set = &q->t->sets[q->variable];
	return stored_values(q->t, q->variable, &q->t->sets[q->variable]);
}

static int select_nodes(struct transaction *t, const struct question *q, struct xml_selection *selection)
{
	struct field_list nodes = field_list_make(&t->arena);
	char *xpath = arena_string(&t->arena, q->target->selector);
	size_t count = q->rule == NULL ? 0 : q->rule->namespace_count;
	struct xml_namespace *namespaces = arena_zalloc(&t->arena, count + 1, sizeof(*namespaces));
	if (xpath == NULL || namespaces == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		namespaces[i].prefix = arena_string(&t->arena, q->rule->namespaces[i].prefix);
		namespaces[i].href = arena_string(&t->arena, q->rule->namespaces[i].uri);
		if (namespaces[i].prefix == NULL || namespaces[i].href == NULL)
			return -ENOMEM;
	}
	int r = xml_query(t->xml, xpath, namespaces, count, selection->xpath, &nodes);
	for (size_t i = 0; r == 0 && i < nodes.count; i++)
		if (value_set_add(&selection->set, &t->arena, selection->xpath, nodes.items[i].value) == NULL)
			r = -ENOMEM;
	return r;
}

static int resolve_xml(const struct question *q, const struct value_set **ret_set)
{
	static const struct value_set none;
	struct transaction *t = q->t;
	*ret_set = &none;
	if (t->xml == NULL || q->target == NULL || q->target->selector.len == 0)
		return 0;
	struct slice xpath = q->target->selector;
	const void *namespaces = q->rule != NULL && q->rule->namespace_count > 0 ? q->rule->namespaces : NULL;
	for (struct xml_selection *s = t->xml_selections; s != NULL; s = s->next) {
		if (s->namespaces == namespaces && slice_equal(s->xpath, xpath)) {
			*ret_set = &s->set;
			return 0;
		}
	}
	struct xml_selection *selection = arena_zalloc(&t->arena, 1, sizeof(*selection));
	if (selection == NULL)
		return -ENOMEM;
	selection->xpath = xpath;
	selection->namespaces = namespaces;
	int r = select_nodes(t, q, selection);
	if (r != 0)
		return r;
	selection->next = t->xml_selections;
	t->xml_selections = selection;
	*ret_set = &selection->set;
	return 0;
}

/* TX has a home of its own; whoever asks here wants none of it. */
static int resolve_none(const struct question *q, const struct value_set **ret_set)
{
	static const struct value_set none;
	(void)q;
	*ret_set = &none;
	return 0;
}

/* One row a variable: a variable of the table without one does not compile. */
#define resolve_ARGS                             resolve_fed
#define resolve_ARGS_COMBINED_SIZE               resolve_arguments_size
#define resolve_ARGS_GET                         resolve_fed
#define resolve_ARGS_GET_NAMES                   resolve_fed
#define resolve_ARGS_NAMES                       resolve_fed
#define resolve_ARGS_POST                        resolve_fed
#define resolve_ARGS_POST_NAMES                  resolve_fed
#define resolve_AUTH_TYPE                        resolve_scalar
#define resolve_DURATION                         resolve_duration
#define resolve_ENV                              resolve_env
#define resolve_FILES                            resolve_fed
#define resolve_FILES_COMBINED_SIZE              resolve_scalar
#define resolve_FILES_NAMES                      resolve_fed
#define resolve_FILES_SIZES                      resolve_fed
#define resolve_FILES_TMP_CONTENT                resolve_fed
#define resolve_FILES_TMPNAMES                   resolve_fed
#define resolve_FULL_REQUEST                     resolve_full_request
#define resolve_FULL_REQUEST_LENGTH              resolve_full_request
#define resolve_GEO                              resolve_fed
#define resolve_GLOBAL                           resolve_stored
#define resolve_HIGHEST_SEVERITY                 resolve_highest_severity
#define resolve_INBOUND_DATA_ERROR               resolve_scalar
#define resolve_IP                               resolve_stored
#define resolve_MATCHED_VAR                      resolve_matched_var
#define resolve_MATCHED_VAR_NAME                 resolve_matched_var
#define resolve_MATCHED_VARS                     resolve_matched_vars
#define resolve_MATCHED_VARS_NAMES               resolve_matched_vars
#define resolve_MODSEC_BUILD                     resolve_constant
#define resolve_MSC_PCRE_ERROR                   resolve_scalar
#define resolve_MSC_PCRE_LIMITS_EXCEEDED         resolve_scalar
#define resolve_MULTIPART_BOUNDARY_QUOTED        resolve_scalar
#define resolve_MULTIPART_BOUNDARY_WHITESPACE    resolve_scalar
#define resolve_MULTIPART_CRLF_LF_LINES          resolve_scalar
#define resolve_MULTIPART_DATA_AFTER             resolve_scalar
#define resolve_MULTIPART_DATA_BEFORE            resolve_scalar
#define resolve_MULTIPART_FILE_LIMIT_EXCEEDED    resolve_scalar
#define resolve_MULTIPART_FILENAME               resolve_fed
#define resolve_MULTIPART_HEADER_FOLDING         resolve_scalar
#define resolve_MULTIPART_INVALID_HEADER_FOLDING resolve_scalar
#define resolve_MULTIPART_INVALID_PART           resolve_scalar
#define resolve_MULTIPART_INVALID_QUOTING        resolve_scalar
#define resolve_MULTIPART_LF_LINE                resolve_scalar
#define resolve_MULTIPART_MISSING_SEMICOLON      resolve_scalar
#define resolve_MULTIPART_NAME                   resolve_fed
#define resolve_MULTIPART_PART_HEADERS           resolve_fed
#define resolve_MULTIPART_SEMICOLON_MISSING      resolve_scalar
#define resolve_MULTIPART_STRICT_ERROR           resolve_scalar
#define resolve_MULTIPART_UNMATCHED_BOUNDARY     resolve_scalar
#define resolve_OUTBOUND_DATA_ERROR              resolve_scalar
#define resolve_PATH_INFO                        resolve_scalar
#define resolve_QUERY_STRING                     resolve_scalar
#define resolve_REMOTE_ADDR                      resolve_constant
#define resolve_REMOTE_HOST                      resolve_constant
#define resolve_REMOTE_PORT                      resolve_constant
#define resolve_REMOTE_USER                      resolve_remote_user
#define resolve_REQBODY_ERROR                    resolve_scalar
#define resolve_REQBODY_ERROR_MSG                resolve_scalar
#define resolve_REQBODY_PROCESSOR                resolve_scalar
#define resolve_REQBODY_PROCESSOR_ERROR          resolve_scalar
#define resolve_REQBODY_PROCESSOR_ERROR_MSG      resolve_scalar
#define resolve_REQUEST_BASENAME                 resolve_scalar
#define resolve_REQUEST_BODY                     resolve_scalar
#define resolve_REQUEST_BODY_LENGTH              resolve_scalar
#define resolve_REQUEST_COOKIES                  resolve_fed
#define resolve_REQUEST_COOKIES_NAMES            resolve_fed
#define resolve_REQUEST_FILENAME                 resolve_scalar
#define resolve_REQUEST_HEADERS                  resolve_fed
#define resolve_REQUEST_HEADERS_NAMES            resolve_fed
#define resolve_REQUEST_LINE                     resolve_request_line
#define resolve_REQUEST_METHOD                   resolve_scalar
#define resolve_REQUEST_PROTOCOL                 resolve_scalar
#define resolve_REQUEST_URI                      resolve_scalar
#define resolve_REQUEST_URI_RAW                  resolve_scalar
#define resolve_RESOURCE                         resolve_stored
#define resolve_RESPONSE_BODY                    resolve_scalar
#define resolve_RESPONSE_CONTENT_LENGTH          resolve_scalar
#define resolve_RESPONSE_CONTENT_TYPE            resolve_scalar
#define resolve_RESPONSE_HEADERS                 resolve_fed
#define resolve_RESPONSE_HEADERS_NAMES           resolve_fed
#define resolve_RESPONSE_PROTOCOL                resolve_scalar
#define resolve_RESPONSE_STATUS                  resolve_scalar
#define resolve_RULE                             resolve_rule
#define resolve_SERVER_ADDR                      resolve_constant
#define resolve_SERVER_NAME                      resolve_scalar
#define resolve_SERVER_PORT                      resolve_constant
#define resolve_SESSION                          resolve_stored
#define resolve_SESSIONID                        resolve_scalar
#define resolve_STATUS                           resolve_scalar
#define resolve_TIME                             resolve_time
#define resolve_TIME_DAY                         resolve_time
#define resolve_TIME_EPOCH                       resolve_time
#define resolve_TIME_HOUR                        resolve_time
#define resolve_TIME_MIN                         resolve_time
#define resolve_TIME_MON                         resolve_time
#define resolve_TIME_SEC                         resolve_time
#define resolve_TIME_WDAY                        resolve_time
#define resolve_TIME_YEAR                        resolve_time
#define resolve_TX                               resolve_none
#define resolve_UNIQUE_ID                        resolve_constant
#define resolve_URLENCODED_ERROR                 resolve_scalar
#define resolve_USER                             resolve_stored
#define resolve_USERID                           resolve_scalar
#define resolve_WEBAPPID                         resolve_constant
#define resolve_XML                              resolve_xml
#define resolve_GUIA_MEMORY_EXCEEDED             resolve_scalar
#define resolve_GUIA_SCAN_ERROR                  resolve_scalar

static resolver *const resolvers[VARIABLE_COUNT] = {
#define VARIABLE(id, name, shape) [VARIABLE_##id] = resolve_##id,
#include "ruleset/variable_table.h"
#undef VARIABLE
};

bool variable_is_made(enum variable variable)
{
	return resolvers[variable] == resolve_constant || resolvers[variable] == resolve_request_line;
}

int variable_values(struct transaction *t, enum variable variable, const struct rule *rule, const struct target *target,
		    const struct value_set **ret_set)
{
	struct question q = {t, variable, rule, target};
	return resolvers[variable](&q, ret_set);
}
