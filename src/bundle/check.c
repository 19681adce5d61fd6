/*
 * The order of a check, and what is said of it. Each step counts on those before it: check_files.c has the log's word
 * and the manifests, check_log.c signatures and the tree, check_records.c the WARC files.
 */
#include "bundle/check_inside.h"

#include "base/error.h"
#include "evidence/kept_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void check_find(struct check *check, enum finding finding, uint64_t record, const char *format, ...)
{
	va_list arguments;
	if (check->finding != FINDING_NONE)
		return;
	check->finding = finding;
	check->record = record;
	va_start(arguments, format);
	vsnprintf(check->what, sizeof(check->what), format, arguments);
	va_end(arguments);
}

int check_read(struct check *check, const char *path, size_t most, struct buffer *out)
{
	int r = kept_file_read(check->bag, path, most, out);
	if (r == -ENOENT)
		check_find(check, FINDING_MISSING, CHECK_NO_RECORD, "%s is missing", path);
	else if (r == -EFBIG)
		check_find(check, FINDING_ALTERED, CHECK_NO_RECORD, "%s is longer than it should be", path);
	return r == -ENOENT || r == -EFBIG ? 0 : r;
}

bool check_is_bag(const char *path)
{
	static const char *const signs[] = {"bagit.txt", BAG_TAG_MANIFEST, BAG_MANIFEST, "export.json"};
	char full[PATH_MAX];
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		snprintf(full, sizeof(full), "%s/%s", path, signs[i]);
		if (access(full, F_OK) == 0)
			return true;
	}
	return false;
}

static int check_declaration(struct check *check)
{
	struct buffer text = buffer_make(NULL);
	int r = check_read(check, "bagit.txt", NOTE_BYTES_MOST, &text);
	if (r == 0 && check->finding == FINDING_NONE &&
	    !slice_starts_with(buffer_slice(&text), SLICE("BagIt-Version: ")))
		check_find(check, FINDING_ALTERED, CHECK_NO_RECORD, "bagit.txt is no declaration of a bag");
	else if (r == 0 && check->finding == FINDING_NONE &&
		 !slice_starts_with(buffer_slice(&text), SLICE("BagIt-Version: 1.0\n")))
		check_find(check, FINDING_NEWER, CHECK_NO_RECORD, "it is a bag of another version");
	buffer_free(&text);
	return r;
}

static void check_fingerprint(struct check *check)
{
	char fingerprint[FINGERPRINT_TEXT_BYTES];
	bool found = check->options->fingerprint == NULL;
	for (size_t i = 0; i < check->epoch_count && !found; i++) {
		public_key_fingerprint(&check->epochs[i].first_key, fingerprint);
		found = slice_equal_nocase(slice_from_string(check->options->fingerprint),
					   slice_from_string(fingerprint));
	}
	if (!found)
		check_find(check, FINDING_BADLY_SIGNED, CHECK_NO_RECORD,
			   "the first key is not the one of that fingerprint");
}

static int check_all(struct check *check)
{
	static int (*const steps[])(struct check *) = {check_declaration, check_export, check_files, check_logs,
						       check_records};
	int r = 0;
	for (size_t i = 0; r == 0 && check->finding == FINDING_NONE && i < sizeof(steps) / sizeof(steps[0]); i++)
		r = steps[i](check);
	if (r == 0 && check->finding == FINDING_NONE)
		check_fingerprint(check);
	return r;
}

/* ---- what is said ---- */

static void tell_epochs(const struct check *check, struct buffer *out)
{
	char fingerprint[FINGERPRINT_TEXT_BYTES];
	for (size_t i = 0; i < check->epoch_count; i++) {
		const struct checked_epoch *epoch = &check->epochs[i];
		public_key_fingerprint(&epoch->first_key, fingerprint);
		buffer_printf(out, "epoch %u: %" PRIu64 " of its %" PRIu64 " signed records; first key: %s\n",
			      epoch->number, epoch->records, epoch->checkpoint.size, fingerprint);
	}
}

static void tell(struct check *check, struct verify_report *report)
{
	static const char *const names[] = {[FINDING_ALTERED] = "ALTERED",     [FINDING_MISSING] = "MISSING",
					    [FINDING_TRUNCATED] = "TRUNCATED", [FINDING_BADLY_SIGNED] = "BADLY SIGNED",
					    [FINDING_CLOCK] = "CLOCK",         [FINDING_NEWER] = "NEWER"};
	struct buffer *out = &report->text;
	report->finding = check->finding;
	report->record = check->record;
	if (check->finding != FINDING_NONE) {
		buffer_printf(out, "%s: ", names[check->finding]);
		if (check->record != CHECK_NO_RECORD)
			buffer_printf(out, "record %" PRIu64 ": ", check->record);
		buffer_printf(out, "%s\n", check->what);
		return;
	}
	buffer_text(out, "WHOLE: every file, record and message is what was exported, and in what was signed\n");
	buffer_printf(out, "%" PRIu64 " files, %" PRIu64 " messages in clear, %" PRIu64 " timestamps\n", check->files,
		      check->messages, check->stamps);
	tell_epochs(check, out);
	buffer_add(out, buffer_slice(&check->told));
	if (check->options->fingerprint == NULL)
		buffer_text(out, "that the key is the one of the log book is for you to compare\n");
	if (check->stamps > 0 && check->options->authorities == NULL)
		buffer_text(out, "whose timestamps these are was not checked: --authorities FILE\n");
	if (check->options->anchor.len > 0 && !check->anchor_is_of_here)
		buffer_text(out, "the anchor is of another log, or of an epoch that is not in this bundle: it says "
				 "nothing of it\n");
	if (!check->anchored)
		buffer_text(out, "without an anchor (a checkpoint kept elsewhere from before) it cannot be excluded "
				 "that whoever "
				 "has the key wrote the log anew before the export\n");
}

static void check_free(struct check *check)
{
	for (size_t i = 0; i < check->epoch_count; i++) {
		buffer_free(&check->epochs[i].note);
		pyramid_free(check->epochs[i].pyramid);
	}
	buffer_free(&check->told);
	if (check->bag >= 0)
		close(check->bag);
}

int check_bag(const char *path, const struct verify_options *options, struct verify_report *ret_report)
{
	struct check *check = calloc(1, sizeof(*check));
	*ret_report = (struct verify_report){.text = buffer_make(NULL)};
	if (check == NULL)
		return -ENOMEM;
	check->options = options;
	check->bag = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = check->bag < 0 ? -errno : check_all(check);
	if (r == 0)
		tell(check, ret_report);
	check_free(check);
	free(check);
	return r != 0 ? r : ret_report->text.error;
}
