/* guia evidence: whether a log is what it was, the proof of a record of it, and an incident's records for others. */
#include "cli/command.h"

#include "base/error.h"
#include "base/file.h"
#include "bundle/check.h"
#include "cli/evidence_export.h"
#include "cli/evidence_keep.h"
#include "cli/evidence_scribe.h"
#include "cli/history_place.h"
#include "codec/text.h"
#include "evidence/log.h"
#include "evidence/timestamp.h"
#include "evidence/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Behind those of every command. */
static const int finding_codes[] = {
	[FINDING_NONE] = CLI_FINE,   [FINDING_ALTERED] = 10, [FINDING_MISSING] = 11, [FINDING_TRUNCATED] = 12,
	[FINDING_BADLY_SIGNED] = 13, [FINDING_CLOCK] = 14,   [FINDING_NEWER] = 15,
};

/* Lines of a log are of anyone's making. */
static void add_safe(struct slice text, struct buffer *out)
{
	for (struct slice line; text.len > 0; buffer_byte(out, '\n')) {
		text = slice_cut(text, '\n', &line);
		text_add_terminal(out, line);
	}
}

/* What the options say, before anything is read. */
static int check_options(const struct verify_options *options)
{
	const char *key = options->fingerprint, *authorities = options->authorities;
	enum { DIGITS = 2 * MERKLE_HASH_BYTES };
	if (key != NULL && (strlen(key) != DIGITS || strspn(key, "0123456789abcdefABCDEF") != DIGITS))
		return cli_fail(CLI_USER, "--key %s: a fingerprint has %d hexadecimal digits", key, DIGITS);
	if (authorities != NULL && access(authorities, R_OK) != 0)
		return cli_unreadable(authorities, -errno);
	if (authorities != NULL && !timestamp_authorities_readable(authorities))
		return cli_fail(CLI_USER, "--authorities %s: no certificates in PEM", authorities);
	return CLI_FINE;
}

static int read_anchor(const char *path, struct buffer *anchor)
{
	struct checkpoint checkpoint;
	int r = file_read(path, NOTE_BYTES_MOST, anchor);
	if (r != 0)
		return cli_unreadable(path, r);
	if (checkpoint_read_note(buffer_slice(anchor), &checkpoint) != 0)
		return cli_fail(CLI_USER, "%s: not a checkpoint", path);
	return CLI_FINE;
}

/* The same for programs: the finding, where it is, and the lines. */
static void add_report_json(const struct verify_report *report, struct buffer *out)
{
	static const char *const names[] = {
		[FINDING_NONE] = "whole",
		[FINDING_ALTERED] = "altered",
		[FINDING_MISSING] = "missing",
		[FINDING_TRUNCATED] = "truncated",
		[FINDING_BADLY_SIGNED] = "badly signed",
		[FINDING_CLOCK] = "clock",
		[FINDING_NEWER] = "newer",
	};
	struct slice rest = buffer_slice(&report->text), line;
	buffer_printf(out, "{\"finding\":\"%s\",\"exit\":%d", names[report->finding], finding_codes[report->finding]);
	if (report->finding != FINDING_NONE && report->epoch != 0)
		buffer_printf(out, ",\"epoch\":%u", report->epoch);
	if (report->finding != FINDING_NONE && report->record != VERIFY_NO_RECORD)
		buffer_printf(out, ",\"record\":%" PRIu64, report->record);
	buffer_text(out, ",\"said\":[");
	for (bool first = true; rest.len > 0; first = false) {
		rest = slice_cut(rest, '\n', &line);
		buffer_text(out, first ? "" : ",");
		text_add_json(out, line);
	}
	buffer_text(out, "]}\n");
}

static int verify(const struct cli_arguments *arguments)
{
	const char *path = arguments->words[1];
	struct buffer anchor = buffer_make(NULL), out = buffer_make(NULL);
	struct verify_options options = {.fingerprint = cli_value(arguments, "key"),
					 .authorities = cli_value(arguments, "authorities")};
	const char *anchor_path = cli_value(arguments, "anchor");
	struct verify_report report;
	int code = access(path, R_OK) != 0 ? cli_unreadable(path, -errno) : CLI_FINE;
	code = code != CLI_FINE ? code : check_options(&options);
	if (code == CLI_FINE && anchor_path != NULL)
		code = read_anchor(anchor_path, &anchor);
	if (code != CLI_FINE) {
		buffer_free(&anchor);
		return code;
	}
	options.anchor = buffer_slice(&anchor);
	int r = check_is_bag(path) ? check_bag(path, &options, &report) : verify_log(path, &options, &report);
	code = finding_codes[report.finding];
	if (r == -ENOENT)
		code = cli_fail(CLI_USER, "%s: not an evidence log, and no bundle", path);
	else if (r != 0)
		code = cli_fail(CLI_ENVIRONMENT, "%s: %s", path, strerror(-r));
	else if (cli_flag(arguments, "json"))
		add_report_json(&report, &out);
	else
		add_safe(buffer_slice(&report.text), &out);
	code = r == 0 ? cli_print(&out, code) : code;
	verify_report_free(&report);
	buffer_free(&anchor);
	buffer_free(&out);
	return code;
}

static int prove(const struct cli_arguments *arguments)
{
	const char *record_word = arguments->words[1], *path = arguments->words[2];
	struct buffer proof = buffer_make(NULL), record = buffer_make(NULL);
	const char *epoch_word = cli_value(arguments, "epoch"), *to = cli_value(arguments, "record");
	uint64_t index, epoch = 0;
	if (!decimal_read(slice_from_string(record_word), &index))
		return cli_fail(CLI_USER, "%s: a record has a number, from 0 on", record_word);
	if (epoch_word != NULL &&
	    (!decimal_read(slice_from_string(epoch_word), &epoch) || epoch == 0 || epoch > LOG_EPOCHS_MOST))
		return cli_fail(CLI_USER, "--epoch %s: epochs are numbered from 1 on", epoch_word);
	int folder = verify_open_epoch(path, (unsigned)epoch);
	if (folder == -ENOENT || folder == -ENOTDIR)
		return cli_fail(CLI_USER, "%s: no such epoch of an evidence log", path);
	if (folder < 0)
		return cli_unreadable(path, folder);
	int r = verify_prove(folder, index, &proof, &record), code = CLI_FINE;
	close(folder);
	if (r == -ENOENT)
		code = cli_fail(CLI_USER, "record %s is not there, or not signed yet", record_word);
	else if (r == -EBADMSG)
		code = cli_fail(finding_codes[FINDING_ALTERED],
				"the log is not what was signed: see guia evidence verify");
	else if (r != 0)
		code = cli_fail(CLI_ENVIRONMENT, "%s: %s", path, strerror(-r));
	else if (to != NULL && (r = file_replace(to, buffer_slice(&record), 0644)) != 0)
		code = cli_fail(CLI_ENVIRONMENT, "%s: %s", to, strerror(-r));
	code = code == CLI_FINE ? cli_print(&proof, code) : code;
	buffer_free(&proof);
	buffer_free(&record);
	return code;
}

static const struct {
	const char *name;
	size_t words;
	int (*run)(const struct cli_arguments *arguments);
	const char *use;
} verbs[] = {
	{"verify", 2, verify, "which log? guia evidence verify DIR"},
	{"prove", 3, prove, "which record of which log? guia evidence prove RECORD DIR"},
	{"export", 2, evidence_export, "which incident? guia evidence export INCIDENT -o DIR --why TEXT"},
	{"hold", 2, evidence_hold, "which incident? guia evidence hold INCIDENT --why TEXT"},
	{"release", 2, evidence_release, "which incident? guia evidence release INCIDENT --why TEXT"},
	{"rotate", 1, evidence_rotate, "guia evidence rotate takes no more words"},
	{"key", 1, evidence_key, "guia evidence key takes no more words"},
	{"export-key", 2, evidence_export_key, "where to? guia evidence export-key KEY -o CERTIFICATE"},
};

static int run(const struct cli_arguments *arguments)
{
	const char *what = arguments->words[0];
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(what, verbs[i].name) == 0)
			return arguments->word_count == verbs[i].words ? verbs[i].run(arguments)
								       : cli_fail(CLI_USER, "%s", verbs[i].use);
	return cli_fail(CLI_USER,
			"%s: guia evidence verify, prove, export, export-key, hold, release, "
			"rotate or key",
			what);
}

static const struct cli_option options[] = {
	{"anchor", 0, "FILE", "verify: a checkpoint that was kept elsewhere"},
	{"authorities", 0, "FILE", "verify: certificates (PEM) of who may have timestamped"},
	{"key", 0, "FINGERPRINT", "verify: of the first key, from the log book"},
	{"json", 0, NULL, "verify: one object: what was found, where, and what is said of it"},
	{"epoch", 0, "N", "prove: in which epoch (default: the last)"},
	{"record", 0, "FILE", "prove: writes the record itself there"},
	{"output", 'o', "DIR", "export: the bundle, which appears whole or not at all; export-key: the certificate"},
	{"why", 0, "TEXT", "export, hold, release: the reason, which is recorded"},
	{"lang", 0, "LANGUAGE", "export: of the report: zh-Hant, pt or en (default: all three)"},
	{"export-key", 0, "FILE", "export: the key that opens messages (default: they stay sealed)"},
	EVIDENCE_PLACE_OPTIONS,
	HISTORY_PLACE_OPTIONS,
};

const struct command evidence_command = {
	.name = "evidence",
	.summary = "checks an evidence log, proves a record of it, and makes an incident's bundle",
	.examples = "guia evidence verify evidence/\n"
		    "guia evidence verify evidence/ --anchor checkpoint-of-july\n"
		    "guia evidence prove 73894 evidence/ --record record.json > record.tlog-proof\n"
		    "guia evidence export 3 -o incident-3 --why \"asked for by the prosecutor, 123/2026\"\n"
		    "guia evidence verify incident-3/\n"
		    "guia evidence hold 3 --why \"investigation 123/2026\"\n",
	.synopsis =
		"verify DIR [--anchor FILE] [--key FINGERPRINT] [--authorities FILE] [--json] | prove RECORD DIR "
		"[--epoch "
		"N] [--record FILE] | export INCIDENT|latest -o DIR --why TEXT [--export-key FILE] | export-key KEY "
		"-o CERTIFICATE | hold|release INCIDENT --why TEXT | rotate | key",
	.description =
		"verify reads every record of the log in DIR and holds it against the tiles, the root and the "
		"signature; it needs\n"
		"no network and no key. It names the first record that is not what was signed, and ends with 0 if all "
		"is whole, 10\n"
		"altered, 11 missing, 12 truncated, 13 badly signed, 14 the clock went back and no record says so, 15 "
		"written by a\n"
		"newer version; 2 and 3 as for every command. It says what it cannot exclude; with an anchor, a "
		"checkpoint file that\n"
		"was kept elsewhere, it also tells a log that was written anew, cut and gone on with, or lacks its "
		"last epochs.\n"
		"Of a bundle it checks every file, record, proof and signature, and ends likewise.\n\n"
		"prove writes the proof that a record is in what was signed (c2sp.org/tlog-proof).\n\n"
		"export makes a bundle of what belongs to an incident: a BagIt bag with its records as WARC files, a "
		"proof for each,\n"
		"the log's hashes, signatures and timestamps, the reports, who took it out and why, and VERIFY.md, "
		"which tells how\n"
		"others check it without this program. Messages as they came are in it in clear with --export-key, "
		"else sealed. The\n"
		"export itself is recorded in the log. What was cut off is gone on with by the same command.\n\n"
		"export-key makes the key to which messages are sealed. The certificate goes to the gate; the key does "
		"not belong on it.\n\n"
		"hold keeps what belongs to an incident from being deleted when it is old; release ends that. Both are "
		"recorded.\n\n"
		"rotate has another key take the place of the log's, by a record that both sign. key prints the "
		"fingerprint of the\n"
		"key that signs, for the log book on paper.\n",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 1,
	.words_max = 3,
	.run = run,
};
