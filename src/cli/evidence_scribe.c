/*
 * Where --log names one this process is the log's writer for one record: it opens the log, adds the record and a close,
 * seals, signs and, if asked, has it stamped. The log's own lock tells whether a watch has it. Else the watch is asked.
 */
#include "cli/evidence_scribe.h"

#include "base/clock.h"
#include "base/error.h"
#include "evidence/checkpoint.h"
#include "evidence/journal.h"
#include "evidence/log.h"
#include "evidence/stamper.h"
#include "evidence/verify.h"
#include "evidence/view.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int ask_watch(const struct cli_arguments *arguments, struct evidence_scribe *scribe)
{
	struct buffer text;
	json_t *answer;
	int code = watch_place_ask(arguments, "evidence", &text, &answer);
	if (code != CLI_FINE) {
		fprintf(stderr, "guia: where no watch runs, name the log and its key: --log DIR --signing-key FILE\n");
		return code;
	}
	snprintf(scribe->log, sizeof(scribe->log), "%s", answer_string(answer, "path"));
	scribe->stamped = json_is_true(json_object_get(answer, "authority"));
	json_decref(answer);
	buffer_free(&text);
	return scribe->log[0] != '\0' ? CLI_FINE : cli_fail(CLI_ENVIRONMENT, "this watch keeps no evidence");
}

int evidence_scribe_find(const struct cli_arguments *arguments, enum evidence_purpose purpose,
			 struct evidence_scribe *ret_scribe)
{
	const char *log = cli_value(arguments, "log");
	*ret_scribe = (struct evidence_scribe){.arguments = arguments,
					       .signing_key = cli_value(arguments, "signing-key"),
					       .authority = cli_value(arguments, "authority")};
	if (log == NULL)
		return ask_watch(arguments, ret_scribe);
	snprintf(ret_scribe->own_key, sizeof(ret_scribe->own_key), "%s/key.pem", log);
	bool writes = purpose == EVIDENCE_TO_WRITE;
	if (writes && ret_scribe->signing_key == NULL && access(ret_scribe->own_key, F_OK) != 0)
		return cli_fail(CLI_USER, "--log: what is done is written into the log: --signing-key FILE is its key");
	ret_scribe->signing_key = ret_scribe->signing_key != NULL ? ret_scribe->signing_key : ret_scribe->own_key;
	if (writes && access(ret_scribe->signing_key, R_OK) != 0)
		return cli_unreadable(ret_scribe->signing_key, -errno);
	if (snprintf(ret_scribe->log, sizeof(ret_scribe->log), "%s", log) >= PATH_MAX)
		return cli_fail(CLI_USER, "--log %s: too long", log);
	int folder = verify_open_epoch(log, 0);
	if (folder < 0)
		return cli_fail(CLI_USER, "%s: not an evidence log", log);
	close(folder);
	ret_scribe->stamped = ret_scribe->authority != NULL;
	return CLI_FINE;
}

/* ---- by itself ---- */

/* The name that the log began with: what was signed has it, with the epoch's number behind. And its journal's size. */
static int name_of(const char *log, char out[LOG_NAME_BYTES_MOST + 8], size_t *ret_half_bytes)
{
	struct view view;
	struct stat stat;
	int folder = verify_open_epoch(log, 0);
	if (folder < 0)
		return folder;
	int r = view_open(folder, &view);
	bool known = fstatat(folder, journal_name(0), &stat, 0) == 0 && stat.st_size > 0;
	*ret_half_bytes = known ? (size_t)stat.st_size : JOURNAL_HALF_BYTES;
	struct slice origin = view.checkpoint.origin;
	while (r == 0 && origin.len > 0 && origin.ptr[origin.len - 1] != '/')
		origin.len--;
	if (r == 0)
		snprintf(out, LOG_NAME_BYTES_MOST + 8, "%.*s", origin.len > 0 ? (int)origin.len - 1 : 0,
			 (const char *)origin.ptr);
	view_close(&view);
	close(folder);
	return r;
}

static int write_it(struct log *log, enum leaf_kind kind, const struct leaf_value *values)
{
	static const struct leaf_value why[LEAF_FIELDS_MOST] = {{.bytes = SLICE_INIT("a command ended")}};
	int r = log_add_values(log, kind, clock_now_ms(), values);
	r = r != 0 ? r : log_add_values(log, LEAF_CLOSE, clock_now_ms(), why);
	r = r != 0 ? r : log_seal(log, LOG_TAKES_RESERVE);
	return r != 0 ? r : log_sign(log);
}

static int open_here(const struct evidence_scribe *scribe, struct log **ret_log)
{
	char name[LOG_NAME_BYTES_MOST + 8];
	size_t half_bytes = 0;
	int r = name_of(scribe->log, name, &half_bytes);
	const struct log_config config = {scribe->log, name, scribe->signing_key, &disk_kernel, NULL, 0, half_bytes};
	return r != 0 ? r : log_open(&config, clock_now_ms(), ret_log);
}

static int put_here(const struct evidence_scribe *scribe, enum leaf_kind kind, const struct leaf_value *values)
{
	struct stamper *stamper = NULL;
	struct log *log = NULL;
	int r = open_here(scribe, &log);
	r = r != 0 ? r : write_it(log, kind, values);
	if (r == 0 && scribe->authority != NULL)
		r = stamper_create(&disk_kernel, log_folder(log), scribe->authority, STAMPER_EVERY_MS, &stamper);
	stamper_end(stamper);
	log_close(log);
	return r;
}

/* ---- either ---- */

static int ask(const struct evidence_scribe *scribe, const char *question)
{
	struct buffer text;
	json_t *answer;
	int code = watch_place_ask(scribe->arguments, question, &text, &answer);
	if (code != CLI_FINE)
		return code;
	if (answer_string(answer, "fault")[0] != '\0')
		code = cli_fail(json_is_true(json_object_get(answer, "mistaken")) ? CLI_USER : CLI_ENVIRONMENT,
				"the watch: %s", answer_string(answer, "fault"));
	json_decref(answer);
	buffer_free(&text);
	return code;
}

/* What became of writing it here. */
static int say(const struct evidence_scribe *scribe, int r)
{
	if (r == -EBUSY)
		return cli_fail(CLI_ENVIRONMENT, "%s: a watch writes it: leave --log out, and it is asked",
				scribe->log);
	if (r != 0)
		return cli_fail(CLI_ENVIRONMENT, "%s: %s", scribe->log,
				r < 0 ? strerror(-r) : "it cannot be written: see guia evidence verify");
	return CLI_FINE;
}

int evidence_scribe_put(const struct evidence_scribe *scribe, const char *question, enum leaf_kind kind,
			const struct leaf_value *values)
{
	return scribe->signing_key == NULL ? ask(scribe, question) : say(scribe, put_here(scribe, kind, values));
}

static int rotate_here(const struct evidence_scribe *scribe)
{
	static const struct leaf_value why[LEAF_FIELDS_MOST] = {{.bytes = SLICE_INIT("a command ended")}};
	struct log *log = NULL;
	int r = open_here(scribe, &log);
	r = r != 0 ? r : log_rotate(log, scribe->signing_key, clock_now_ms());
	r = r != 0 ? r : log_add_values(log, LEAF_CLOSE, clock_now_ms(), why);
	r = r != 0 ? r : log_seal(log, LOG_TAKES_RESERVE);
	r = r != 0 ? r : log_sign(log);
	log_close(log);
	return r;
}

int evidence_scribe_rotate(const struct evidence_scribe *scribe)
{
	return scribe->signing_key == NULL ? ask(scribe, "evidence rotate") : say(scribe, rotate_here(scribe));
}
