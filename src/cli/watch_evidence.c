/*
 * Each setter checks, and overwrites what stood there. What nobody named gets its default last, in
 * watch_evidence_options(). Digests alone are not copied.
 */
#include "cli/watch_evidence.h"

#include "base/vector.h"
#include "cli/command.h"
#include "codec/text.h"
#include "evidence/checkpoint.h"
#include "serve/valid.h"

#include <stdio.h>
#include <stdlib.h>

void watch_evidence_free(struct watch_evidence *evidence)
{
	free(evidence->digests);
}

int watch_evidence_configured(struct watch_evidence *evidence, const struct serve_config *config)
{
	snprintf(evidence->folder, sizeof(evidence->folder), "%.*s", SLICE_ARG(config->evidence.folder));
	snprintf(evidence->authority, sizeof(evidence->authority), "%.*s", SLICE_ARG(config->evidence.authority));
	snprintf(evidence->certificate, sizeof(evidence->certificate), "%.*s", SLICE_ARG(config->evidence.certificate));
	evidence->days[WATCH_KEPT_MESSAGES] = (unsigned)config->retention.messages;
	evidence->days[WATCH_KEPT_RECORDS] = (unsigned)config->retention.records;
	evidence->days_told[WATCH_KEPT_MESSAGES] = evidence->days_told[WATCH_KEPT_RECORDS] = true;
	return CLI_FINE;
}

int watch_evidence_days(struct watch_evidence *evidence, enum watch_kept kept, const char *text)
{
	static const char *const names[WATCH_KEPT] = {"messages", "records"};
	uint64_t days;
	if (!decimal_read(slice_from_string(text), &days) || days > RETENTION_DAYS_MOST)
		return cli_fail(CLI_USER, "--keep-%s %s: should be days, 0 to %d; 0: for ever", names[kept], text,
				RETENTION_DAYS_MOST);
	evidence->days[kept] = (unsigned)days;
	evidence->days_told[kept] = true;
	return CLI_FINE;
}

int watch_evidence_folder(struct watch_evidence *evidence, const char *folder)
{
	if (snprintf(evidence->folder, PATH_MAX, "%s", folder) >= PATH_MAX - NAME_MAX || folder[0] == '\0')
		return cli_fail(CLI_USER, "--evidence %s: should be a folder", folder);
	return CLI_FINE;
}

int watch_evidence_authority(struct watch_evidence *evidence, const char *authority)
{
	const char *should = valid_authority(slice_from_string(authority));
	if (should != NULL)
		return cli_fail(CLI_USER, "--authority %s: should be %s", authority, should);
	snprintf(evidence->authority, sizeof(evidence->authority), "%s", authority);
	return CLI_FINE;
}

int watch_evidence_certificate(struct watch_evidence *evidence, const char *path)
{
	if (snprintf(evidence->certificate, PATH_MAX, "%s", path) >= PATH_MAX || path[0] == '\0')
		return cli_fail(CLI_USER, "--export-certificate %s: should be a file", path);
	return CLI_FINE;
}

int watch_evidence_digest(struct watch_evidence *evidence, struct slice text)
{
	struct witness_digest digest;
	struct slice hex, rest = slice_cut(text, ' ', &digest.of);
	digest.name = slice_cut(rest, ' ', &hex);
	if (digest.of.len == 0 || digest.name.len == 0 || !hex_exact(hex, digest.sha256, sizeof(digest.sha256)))
		return cli_fail(CLI_USER, "--digest %.*s: should be OF, a SHA-256 in hexadecimal, and NAME",
				SLICE_ARG(text));
	if (vector_grow((void **)&evidence->digests, &evidence->capacity, evidence->count, sizeof(digest)) != 0)
		return cli_fail(CLI_ENVIRONMENT, "out of memory");
	evidence->digests[evidence->count++] = digest;
	return CLI_FINE;
}

static unsigned days_of(const struct watch_evidence *evidence, enum watch_kept kept)
{
	return evidence->days_told[kept] ? evidence->days[kept] : RETENTION_DAYS;
}

int watch_evidence_options(struct watch_evidence *evidence, const char *bans, struct witness_options *ret_options)
{
	if (evidence->folder[0] == '\0' && bans != NULL &&
	    snprintf(evidence->folder, PATH_MAX, "%s/evidence", bans) >= PATH_MAX - NAME_MAX)
		return cli_fail(CLI_USER, "%s: too long", bans);
	*ret_options = (struct witness_options){
		.folder = evidence->folder[0] != '\0' ? evidence->folder : NULL,
		.authority = evidence->authority[0] != '\0' ? evidence->authority : NULL,
		.certificate = evidence->certificate[0] != '\0' ? evidence->certificate : NULL,
		.retention = {days_of(evidence, WATCH_KEPT_MESSAGES), days_of(evidence, WATCH_KEPT_RECORDS)},
		.digests = evidence->digests,
		.digest_count = evidence->count};
	return CLI_FINE;
}
