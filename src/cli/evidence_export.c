/* guia evidence export: an incident's evidence, for others to check. */
#include "cli/evidence_export.h"

#include "base/clock.h"
#include "base/error.h"
#include "bundle/export.h"
#include "cli/evidence_scribe.h"
#include "cli/history_place.h"
#include "cli/incident_json.h"
#include "codec/text.h"
#include "report/phrases.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STAMP_WAIT_MS = 10 * 1000, TELL_EVERY_MS = 1000 };

struct telling {
	uint64_t told_ms;
	bool on_terminal;
};

static void tell(void *context, const char *what, uint64_t done, uint64_t of)
{
	struct telling *telling = context;
	uint64_t at = clock_monotonic_ms();
	if (at - telling->told_ms < TELL_EVERY_MS)
		return;
	telling->told_ms = at;
	fprintf(stderr, "%sguia: export: %s", telling->on_terminal ? "\r\033[K" : "", what);
	if (of > 0)
		fprintf(stderr, ": %" PRIu64 " %%", done * 100 / of);
	else if (done > 0)
		fprintf(stderr, ": %" PRIu64 " files", done);
	fputs(telling->on_terminal ? "" : "\n", stderr);
}

static int record(void *context, const struct seal_entry *entry)
{
	struct buffer question = buffer_make(NULL);
	struct leaf_value values[LEAF_FIELDS_MOST];
	const struct evidence_scribe *scribe = context;
	seal_values(entry, getuid(), values);
	buffer_printf(&question, "evidence export %s %s %" PRIu64 " %" PRIu64 " %" PRIu64 " ", entry->step,
		      entry->plan->id, entry->plan->incident, entry->files, entry->bytes);
	for (size_t i = 0; entry->manifest != NULL && i < MERKLE_HASH_BYTES; i++)
		buffer_printf(&question, "%02x", entry->manifest->bytes[i]);
	buffer_printf(&question, "%s %s", entry->manifest == NULL ? "-" : "", entry->plan->why);
	buffer_byte(&question, '\0');
	int r = question.error != 0 ? question.error
				    : evidence_scribe_put(scribe, (const char *)question.ptr, LEAF_EXPORT, values);
	buffer_free(&question);
	return r == 0 ? 0 : EXPORT_NOT_RECORDED;
}

static int fail(const struct export_order *order, const struct export_result *result, int r)
{
	const char *what = result->what[0] != '\0' ? result->what : order->to;
	switch (r) {
	case EXPORT_EXISTS:
		return cli_fail(CLI_USER, "%s: it is there already", order->to);
	case EXPORT_OTHER:
		return cli_fail(CLI_USER,
				"%s.part: an unfinished export of another incident, reason, user or choice; go on with "
				"that one, or delete it",
				order->to);
	case EXPORT_ALTERED:
		return cli_fail(CLI_FINDINGS, "%s: the log is not what was signed: see guia evidence verify",
				order->log);
	case EXPORT_UNSIGNED:
		return cli_fail(CLI_ENVIRONMENT,
				"%s: nobody signed for the record of this export; the same command goes on from here",
				order->log);
	case EXPORT_KEY_BAD:
		return cli_fail(CLI_USER, "%s: not an export key, or it has a passphrase", what);
	case EXPORT_UNFINISHED:
		return cli_fail(CLI_USER, "%s.part: another process works on it", order->to);
	case EXPORT_NOT_RECORDED:
		return CLI_ENVIRONMENT;
	case -ENOSPC:
	case -EDQUOT:
		return cli_fail(CLI_ENVIRONMENT,
				"%s: there is no room on the disk; make some, and the same command goes on from here",
				order->to);
	case -EIO:
		return cli_fail(CLI_ENVIRONMENT, "the history of incidents cannot be read, or a disk failed");
	default:
		return cli_fail(r == -ENOENT && what == order->key ? CLI_USER : CLI_ENVIRONMENT, "%s: %s", what,
				strerror(-r));
	}
}

static int say(const struct export_order *order, const struct export_result *result)
{
	printf("%s: %" PRIu64 " records, %" PRIu64 " messages, %" PRIu64 " files, %" PRIu64 " bytes%s\n", order->to,
	       result->sums.records, result->sums.messages, result->files, result->bytes,
	       result->resumed ? ", gone on with" : "");
	if (result->sums.other_sites > 0)
		printf("left out: %" PRIu64 " records of sites that the incident is not of\n",
		       result->sums.other_sites);
	if (result->sums.other_incidents > 0)
		printf("left out: %" PRIu64 " records of other incidents and other sources\n",
		       result->sums.other_incidents);
	if (result->sealed_parcels > 0 && order->key == NULL)
		printf("messages stay sealed in %" PRIu64 " parcels: --export-key FILE opens them\n",
		       result->sealed_parcels);
	if (result->unopened_parcels > 0)
		printf("not opened: %" PRIu64 " parcels, sealed to another key; %" PRIu64
		       " of them may hold messages of the incident, and are in it as they are\n",
		       result->unopened_parcels, result->sealed_parcels);
	if (result->sums.unfound > 0)
		printf("not found: %" PRIu64 " messages that records name\n", result->sums.unfound);
	if (!result->stamped)
		puts(order->seal.stamp_wait_ms > 0 ? "not timestamped: no authority answered"
						   : "not timestamped: the log names no authority");
	return fflush(stdout) == 0 ? CLI_FINE : cli_fail(CLI_ENVIRONMENT, "cannot write");
}

static int run(const struct evidence_scribe *scribe, struct export_order *order)
{
	struct telling telling = {clock_monotonic_ms(), isatty(STDERR_FILENO) == 1};
	struct export_result *result = calloc(1, sizeof(*result));
	if (result == NULL)
		return cli_fail(CLI_ENVIRONMENT, "out of memory");
	order->log = scribe->log;
	order->user = getuid();
	order->now_ms = clock_now_ms();
	order->seal = (struct seal_register){record, (void *)(uintptr_t)scribe, scribe->stamped ? STAMP_WAIT_MS : 0};
	order->progress = tell;
	order->context = &telling;
	int r = export_run(order, result);
	if (telling.on_terminal)
		fputs("\r\033[K", stderr);
	int code = r != 0 ? fail(order, result, r) : say(order, result);
	free(result);
	return code;
}

/* The record and its JSON, of the incident that is meant. */
static int find(const char *incident, struct case_store *store, struct case_record *ret_record, struct buffer *json)
{
	uint64_t id = 0;
	int code = history_word(incident, &id);
	if (code != CLI_FINE)
		return code;
	int r = history_read(store, id, ret_record);
	if (r == CASE_STORE_NONE)
		return history_none(incident);
	r = r != 0 ? r : incident_add_json(store, ret_record, json);
	return r == 0 ? CLI_FINE : history_fail("the history", r);
}

static const char *languages_of(const struct cli_arguments *arguments)
{
	const char *tag = cli_value(arguments, "lang");
	if (tag == NULL)
		return "en pt zh-Hant";
	return language_find(tag) == LANGUAGES ? NULL : tag;
}

int evidence_export(const struct cli_arguments *arguments)
{
	char history[PATH_MAX];
	struct evidence_scribe scribe;
	struct buffer json = buffer_make(NULL);
	struct export_order order = {.to = cli_value(arguments, "output"),
				     .why = cli_value(arguments, "why"),
				     .languages = languages_of(arguments),
				     .key = cli_value(arguments, "export-key")};
	if (order.to == NULL || order.why == NULL)
		return cli_fail(CLI_USER, order.to == NULL ? "where to? -o DIR" : "why? --why TEXT: it is recorded");
	if (order.languages == NULL)
		return cli_fail(CLI_USER, "--lang %s: zh-Hant, pt or en", cli_value(arguments, "lang"));
	if (!utf8_valid(slice_from_string(order.why)))
		return cli_fail(CLI_USER, "--why: not UTF-8");
	int code = cli_check_why(order.why, CASE_TEXT_BYTES - 1);
	code = code != CLI_FINE ? code : evidence_scribe_find(arguments, EVIDENCE_TO_WRITE, &scribe);
	code = code != CLI_FINE ? code : history_open(arguments, &order.store, history);
	if (code != CLI_FINE)
		return code;
	struct case_record *record_of = calloc(1, sizeof(*record_of));
	code = record_of == NULL ? cli_fail(CLI_ENVIRONMENT, "out of memory")
				 : find(arguments->words[1], order.store, record_of, &json);
	order.record = record_of;
	order.incident = buffer_slice(&json);
	code = code != CLI_FINE ? code : run(&scribe, &order);
	case_store_close(order.store);
	free(record_of);
	buffer_free(&json);
	return code;
}

int evidence_export_key(const struct cli_arguments *arguments)
{
	const char *key = arguments->words[1], *certificate = cli_value(arguments, "output");
	if (certificate == NULL)
		return cli_fail(CLI_USER, "where does the certificate go? -o FILE");
	int r = export_key_create(key, certificate);
	if (r == -EEXIST)
		return cli_fail(CLI_USER, "%s or %s: it is there already", key, certificate);
	if (r != 0)
		return cli_fail(CLI_ENVIRONMENT, "%s: %s", key, strerror(-r));
	printf("%s: the certificate, for the gate\n%s: the key that opens messages: keep it elsewhere\n", certificate,
	       key);
	return CLI_FINE;
}
