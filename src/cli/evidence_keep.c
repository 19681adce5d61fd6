/*
 * Each is done by the watch or by this process: which of them is evidence_scribe.h's business. Only the file of holds
 * is changed here where no watch is asked. A rotation is waited for by reading which key the log is signed with.
 */
#include "cli/evidence_keep.h"

#include "base/error.h"
#include "bundle/export_plan.h"
#include "casebook/casebook.h"
#include "cli/evidence_scribe.h"
#include "cli/history_place.h"
#include "codec/text.h"
#include "evidence/holds.h"
#include "evidence/signing_key.h"
#include "evidence/verify.h"
#include "evidence/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROTATE_WAIT_MS = 15 * 1000, STEP_MS = 50 };

/* ---- holds ---- */

static int why_of(const struct cli_arguments *arguments, const char **ret_why)
{
	*ret_why = cli_value(arguments, "why");
	if (*ret_why == NULL)
		return cli_fail(CLI_USER, "why? --why TEXT: it is recorded");
	if (!utf8_valid(slice_from_string(*ret_why)))
		return cli_fail(CLI_USER, "--why: not UTF-8");
	return cli_check_why(*ret_why, CASE_TEXT_BYTES - 1);
}

/* Its span, or for as long as it goes on. */
static int find(const char *incident, const struct cli_arguments *arguments, struct hold *ret_hold)
{
	char path[PATH_MAX];
	struct case_store *store;
	uint64_t id = 0;
	int code = history_word(incident, &id);
	code = code != CLI_FINE ? code : history_open(arguments, &store, path);
	struct case_record *record = code == CLI_FINE ? calloc(1, sizeof(*record)) : NULL;
	if (code != CLI_FINE)
		return code;
	int r = record == NULL ? -ENOMEM : history_read(store, id, record);
	if (r == CASE_STORE_NONE)
		code = history_none(incident);
	else if (r != 0)
		code = history_fail(path, r);
	if (r == 0) {
		ret_hold->incident = record->id;
		export_plan_span(record, INT64_MAX, &ret_hold->from_ms, &ret_hold->to_ms);
	}
	case_store_close(store);
	free(record);
	return code;
}

static int hold_fail(const char *log, uint64_t incident, int r)
{
	switch (r) {
	case HOLDS_FULL:
		return cli_fail(CLI_ENVIRONMENT, "%s: %d incidents are held: release some", log, HOLDS_MOST);
	case HOLDS_DAMAGED:
		return cli_fail(CLI_ENVIRONMENT,
				"%s/" HOLDS_FILE ": it is damaged; nothing is deleted until it is mended", log);
	case HOLDS_NONE:
		return cli_fail(CLI_USER, "incident %" PRIu64 " is not held", incident);
	default:
		return cli_fail(CLI_ENVIRONMENT, "%s/" HOLDS_FILE ": %s", log, strerror(-r));
	}
}

static int change(const struct evidence_scribe *scribe, const struct hold *hold, bool held, const char *why)
{
	struct buffer question = buffer_make(NULL);
	const struct leaf_value values[LEAF_FIELDS_MOST] = {
		leaf_number(hold->incident), leaf_text(held ? SLICE("held") : SLICE("released")),
		leaf_number(hold->from_ms),  leaf_number(hold->to_ms),
		leaf_number(getuid()),       leaf_text(slice_from_string(why))};
	/* The watch does all of it. Else the record comes first: it shows whether nobody else writes the log. */
	bool here = scribe->signing_key != NULL;
	int r = here ? holds_check(scribe->log, hold->incident, held) : 0;
	if (r != 0)
		return hold_fail(scribe->log, hold->incident, r);
	buffer_printf(&question, "evidence %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %s", held ? "hold" : "release",
		      hold->incident, hold->from_ms, hold->to_ms, why);
	buffer_byte(&question, '\0');
	int code = question.error != 0 ? cli_fail(CLI_ENVIRONMENT, "%s", strerror(-question.error))
				       : evidence_scribe_put(scribe, (const char *)question.ptr, LEAF_HOLD, values);
	buffer_free(&question);
	if (code != CLI_FINE)
		return code;
	r = !here ? 0 : held ? holds_put(scribe->log, hold) : holds_lift(scribe->log, hold->incident);
	if (r != 0)
		return hold_fail(scribe->log, hold->incident, r);
	printf("incident %" PRIu64 " is %s\n", hold->incident, held ? "held: nothing of it is deleted" : "released");
	return CLI_FINE;
}

static int change_of(const struct cli_arguments *arguments, bool held)
{
	struct evidence_scribe scribe;
	struct hold hold;
	const char *why;
	int code = why_of(arguments, &why);
	code = code != CLI_FINE ? code : evidence_scribe_find(arguments, EVIDENCE_TO_WRITE, &scribe);
	code = code != CLI_FINE ? code : find(arguments->words[1], arguments, &hold);
	return code != CLI_FINE ? code : change(&scribe, &hold, held, why);
}

int evidence_hold(const struct cli_arguments *arguments)
{
	return change_of(arguments, true);
}

int evidence_release(const struct cli_arguments *arguments)
{
	return change_of(arguments, false);
}

/* ---- keys ---- */

/* The key that signs now. 0 or -errno. */
static int current_key(const char *log, struct public_key *ret_key)
{
	struct view view;
	int folder = verify_open_epoch(log, 0);
	if (folder < 0)
		return folder;
	int r = view_open(folder, &view);
	r = r != 0 ? r : view_key(&view, NULL, NULL, ret_key);
	view_close(&view);
	close(folder);
	return r;
}

static int print_key(const struct public_key *key)
{
	char fingerprint[FINGERPRINT_TEXT_BYTES];
	public_key_fingerprint(key, fingerprint);
	puts(fingerprint);
	return fflush(stdout) == 0 ? CLI_FINE : cli_fail(CLI_ENVIRONMENT, "cannot write");
}

static int key_fail(const char *log, int r)
{
	if (r == -EBADMSG)
		return cli_fail(CLI_FINDINGS, "%s: it is not signed by the key that it names: see guia evidence verify",
				log);
	return cli_fail(CLI_ENVIRONMENT, "%s: %s", log, r == -ENOENT ? "nothing was signed yet" : strerror(-r));
}

int evidence_key(const struct cli_arguments *arguments)
{
	struct evidence_scribe scribe;
	struct public_key key;
	int code = evidence_scribe_find(arguments, EVIDENCE_TO_READ, &scribe);
	if (code != CLI_FINE)
		return code;
	int r = current_key(scribe.log, &key);
	return r == 0 ? print_key(&key) : key_fail(scribe.log, r);
}

int evidence_rotate(const struct cli_arguments *arguments)
{
	struct evidence_scribe scribe;
	struct public_key before, now;
	int code = evidence_scribe_find(arguments, EVIDENCE_TO_WRITE, &scribe);
	if (code != CLI_FINE)
		return code;
	int r = current_key(scribe.log, &before);
	if (r != 0)
		return key_fail(scribe.log, r);
	code = evidence_scribe_rotate(&scribe);
	if (code != CLI_FINE)
		return code;
	now = before;
	for (unsigned waited = 0; waited < ROTATE_WAIT_MS && public_key_equal(&before, &now); waited += STEP_MS) {
		r = current_key(scribe.log, &now);
		if (r != 0 || public_key_equal(&before, &now)) {
			now = before;
			usleep(STEP_MS * 1000);
		}
	}
	if (public_key_equal(&before, &now))
		return cli_fail(CLI_ENVIRONMENT, "%s: the key was not changed: guia status tells why", scribe.log);
	fprintf(stderr, "guia: another key signs now, and the old one says so; for the log book, its fingerprint:\n");
	return print_key(&now);
}
