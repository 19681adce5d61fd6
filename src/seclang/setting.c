/*
 * A row has the member's place and size; its form tells how text is read and, with the size, how it is stored. Values
 * are kept in the unit, and stored when units are linked.
 */
#include "seclang/setting.h"

#include "codec/unicode_map.h"
#include "match/geo.h"
#include "match/regex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum form {
	FORM_FLAG,   /* one of two words, to a bool */
	FORM_CHOICE, /* one of some words, to an int or a byte */
	FORM_NUMBER,
	FORM_OCTAL,
	FORM_TEXT,
	FORM_GEO,    /* of a database of addresses */
	FORM_JOINED, /* texts of several lines, joined by "; " */
	FORM_LIST,   /* words, added to those before */
	FORM_EMPTY_LIST,
	FORM_CHARACTER,
	FORM_PARTS, /* letters */
	FORM_REGEX,
	FORM_UNICODE_MAP,
	FORM_IGNORED, /* accepted as ModSecurity v3 does, without effect */
	FORM_REFUSED,
};

struct choice_word {
	const char *word;
	int value;
};

static const struct choice_word off_on[] = {{"Off", 0}, {"On", 1}, {NULL, 0}};
static const struct choice_word engines[] = {
	{"Off", SWITCH_OFF}, {"On", SWITCH_ON}, {"DetectionOnly", SWITCH_DETECTION_ONLY}, {NULL, 0}};
static const struct choice_word audit_engines[] = {
	{"Off", SWITCH_OFF}, {"On", SWITCH_ON}, {"RelevantOnly", SWITCH_RELEVANT_ONLY}, {NULL, 0}};
static const struct choice_word limit_actions[] = {{"ProcessPartial", 0}, {"Reject", 1}, {NULL, 0}};
static const struct choice_word audit_formats[] = {{"Native", 0}, {"JSON", 1}, {NULL, 0}};
static const struct choice_word audit_types[] = {
	{"Serial", 0}, {"Parallel", 1}, {"Concurrent", 1}, {"HTTPS", 2}, {NULL, 0}};
static const struct choice_word keep_files[] = {{"Off", 0}, {"On", 1}, {"RelevantOnly", 1}, {NULL, 0}};
static const struct choice_word xml_args[] = {{"Off", 0}, {"On", 1}, {"OnlyArgs", 2}, {NULL, 0}};

struct setting_row {
	const char *name;
	enum form form;
	size_t offset; /* in struct settings */
	size_t size;   /* of the member */
	const struct choice_word *words;
	const char *reason; /* of FORM_IGNORED and FORM_REFUSED */
};

#define FIELD(member) offsetof(struct settings, member), sizeof(((struct settings *)0)->member)

static const struct setting_row rows[] = {
	{"SecArgumentSeparator", FORM_CHARACTER, FIELD(argument_separator), NULL, NULL},
	{"SecArgumentsLimit", FORM_NUMBER, FIELD(arguments_limit), NULL, NULL},
	{"SecAuditEngine", FORM_CHOICE, FIELD(audit_engine), audit_engines, NULL},
	{"SecAuditLog", FORM_TEXT, FIELD(audit_log), NULL, NULL},
	{"SecAuditLog2", FORM_TEXT, FIELD(audit_log2), NULL, NULL},
	{"SecAuditLogDirMode", FORM_OCTAL, FIELD(audit_dir_mode), NULL, NULL},
	{"SecAuditLogFileMode", FORM_OCTAL, FIELD(audit_file_mode), NULL, NULL},
	{"SecAuditLogFormat", FORM_FLAG, FIELD(audit_json), audit_formats, NULL},
	{"SecAuditLogParts", FORM_PARTS, FIELD(audit_parts), NULL, NULL},
	{"SecAuditLogRelevantStatus", FORM_REGEX, FIELD(audit_relevant_status), NULL, NULL},
	{"SecAuditLogStorageDir", FORM_TEXT, FIELD(audit_storage_dir), NULL, NULL},
	{"SecAuditLogType", FORM_CHOICE, FIELD(audit_type), audit_types, NULL},
	{"SecCacheTransformations", FORM_IGNORED, 0, 0, NULL, "transformations are always remembered"},
	{"SecChrootDir", FORM_REFUSED, 0, 0, NULL, "the web server's own sandbox does this"},
	{"SecCollectionTimeout", FORM_NUMBER, FIELD(collection_timeout_seconds), NULL, NULL},
	{"SecComponentSignature", FORM_JOINED, FIELD(component_signatures), NULL, NULL},
	{"SecConnEngine", FORM_REFUSED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecConnReadStateLimit", FORM_REFUSED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecConnWriteStateLimit", FORM_REFUSED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecContentInjection", FORM_REFUSED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecCookieFormat", FORM_NUMBER, FIELD(cookie_format), NULL, NULL},
	{"SecCookieV0Separator", FORM_IGNORED, 0, 0, NULL, "the separator is always a semicolon"},
	{"SecDataDir", FORM_IGNORED, 0, 0, NULL, "collections live in shared memory"},
	{"SecDebugLog", FORM_TEXT, FIELD(debug_log), NULL, NULL},
	{"SecDebugLogLevel", FORM_NUMBER, FIELD(debug_log_level), NULL, NULL},
	{"SecDisableBackendCompression", FORM_REFUSED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecGeoLookupDb", FORM_GEO, FIELD(geo_database), NULL, NULL},
	{"SecGsbLookupDb", FORM_REFUSED, 0, 0, NULL, "the Safe Browsing interface that it used no longer exists"},
	{"SecGuardianLog", FORM_REFUSED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecGuiaBodyBySight", FORM_FLAG, FIELD(body_by_sight), off_on, NULL},
	{"SecGuiaMemoryLimit", FORM_NUMBER, FIELD(transaction_memory_limit), NULL, NULL},
	{"SecGuiaRedact", FORM_LIST, offsetof(struct settings, redacted_names), 0, NULL, NULL},
	{"SecHashEngine", FORM_REFUSED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecHashKey", FORM_REFUSED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecHashMethodPm", FORM_REFUSED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecHashMethodRx", FORM_REFUSED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecHashParam", FORM_REFUSED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecHttpBlKey", FORM_TEXT, FIELD(http_bl_key), NULL, NULL},
	{"SecInterceptOnError", FORM_REFUSED, 0, 0, NULL, "ModSecurity v3 does not implement it; see guia_on_failure"},
	{"SecParseXmlIntoArgs", FORM_CHOICE, FIELD(parse_xml_into_args), xml_args, NULL},
	{"SecPcreMatchLimit", FORM_NUMBER, FIELD(pcre_match_limit), NULL, NULL},
	{"SecPcreMatchLimitRecursion", FORM_NUMBER, FIELD(pcre_match_limit_recursion), NULL, NULL},
	{"SecRemoteRules", FORM_REFUSED, 0, 0, NULL, "rules come from files that somebody has read"},
	{"SecRemoteRulesFailAction", FORM_IGNORED, 0, 0, NULL, "there are no remote rules"},
	{"SecRequestBodyAccess", FORM_FLAG, FIELD(request_body_access), off_on, NULL},
	{"SecRequestBodyInMemoryLimit", FORM_NUMBER, FIELD(request_body_in_memory_limit), NULL, NULL},
	{"SecRequestBodyJsonDepthLimit", FORM_NUMBER, FIELD(request_body_json_depth_limit), NULL, NULL},
	{"SecRequestBodyLimit", FORM_NUMBER, FIELD(request_body_limit), NULL, NULL},
	{"SecRequestBodyLimitAction", FORM_FLAG, FIELD(request_body_limit_rejects), limit_actions, NULL},
	{"SecRequestBodyNoFilesLimit", FORM_NUMBER, FIELD(request_body_no_files_limit), NULL, NULL},
	{"SecResponseBodyAccess", FORM_FLAG, FIELD(response_body_access), off_on, NULL},
	{"SecResponseBodyLimit", FORM_NUMBER, FIELD(response_body_limit), NULL, NULL},
	{"SecResponseBodyLimitAction", FORM_FLAG, FIELD(response_body_limit_rejects), limit_actions, NULL},
	{"SecResponseBodyMimeType", FORM_LIST, offsetof(struct settings, response_mime_types), 0, NULL, NULL},
	{"SecResponseBodyMimeTypesClear", FORM_EMPTY_LIST, offsetof(struct settings, response_mime_types), 0, NULL,
	 NULL},
	{"SecRuleEngine", FORM_CHOICE, FIELD(rule_engine), engines, NULL},
	{"SecRuleInheritance", FORM_REFUSED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecRulePerfTime", FORM_REFUSED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecRuleScript", FORM_REFUSED, 0, 0, NULL, "it runs a Lua script for each request"},
	{"SecSensorId", FORM_TEXT, FIELD(sensor_id), NULL, NULL},
	{"SecServerSignature", FORM_TEXT, FIELD(server_signature), NULL, NULL},
	{"SecStatusEngine", FORM_IGNORED, 0, 0, NULL, "nothing is ever reported to anybody"},
	{"SecStreamInBodyInspection", FORM_IGNORED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecStreamOutBodyInspection", FORM_IGNORED, 0, 0, NULL, "ModSecurity v3 does not implement it"},
	{"SecTmpDir", FORM_IGNORED, 0, 0, NULL, "nothing is written to temporary files"},
	{"SecTmpSaveUploadedFiles", FORM_FLAG, FIELD(tmp_save_uploaded_files), off_on, NULL},
	{"SecUnicodeMapFile", FORM_UNICODE_MAP, FIELD(unicode_map), NULL, NULL},
	{"SecUploadDir", FORM_TEXT, FIELD(upload_dir), NULL, NULL},
	{"SecUploadFileLimit", FORM_NUMBER, FIELD(upload_file_limit), NULL, NULL},
	{"SecUploadFileMode", FORM_OCTAL, FIELD(upload_file_mode), NULL, NULL},
	{"SecUploadKeepFiles", FORM_FLAG, FIELD(upload_keep_files), keep_files, NULL},
	{"SecWebAppId", FORM_TEXT, FIELD(web_app_id), NULL, NULL},
	{"SecXmlExternalEntity", FORM_FLAG, FIELD(xml_external_entity), off_on, NULL},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

const char *setting_name_at(size_t index)
{
	return index < ROW_COUNT ? rows[index].name : NULL;
}

const struct setting_row *setting_find(struct slice name)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (slice_equal_nocase(name, slice_from_string(rows[i].name)))
			return &rows[i];
	return NULL;
}

static int bad_word(struct compiler *c, const char *hint)
{
	return compiler_error(c, 0, hint, "\"%.*s\" is no value for this directive", SLICE_ARG(c->word->text));
}

static int read_words(struct compiler *c, const struct setting_row *row, struct setting *setting)
{
	char hint[128] = "write ";
	for (const struct choice_word *w = row->words; w->word != NULL; w++) {
		if (slice_equal_nocase(c->word->text, slice_from_string(w->word))) {
			setting->number = (uint64_t)w->value;
			return 0;
		}
		size_t used = strlen(hint);
		snprintf(hint + used, sizeof(hint) - used, "%s%s", w == row->words ? "" : " or ", w->word);
	}
	return bad_word(c, hint);
}

static uint32_t default_of(const struct setting_row *row)
{
	struct settings defaults;
	uint32_t mode;
	settings_default(&defaults);
	memcpy(&mode, (const uint8_t *)&defaults + row->offset, sizeof(mode));
	return mode;
}

static int read_octal(struct compiler *c, const struct setting_row *row, struct setting *setting)
{
	struct slice text = c->word->text;
	if (slice_equal_nocase(text, SLICE("default"))) {
		setting->number = default_of(row);
		return 0;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '7' || i > 5)
			return bad_word(c, "write the mode in octal, for example 0640");
		setting->number = setting->number * 8 + (uint64_t)(text.ptr[i] - '0');
	}
	return 0;
}

static int read_parts(struct compiler *c, struct setting *setting)
{
	struct slice text = c->word->text;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t letter = byte_lower(text.ptr[i]);
		if ((letter < 'a' || letter > 'k') && letter != 'z')
			return bad_word(c, "write the letters of the parts, for example ABCFHZ");
		setting->number |= UINT64_C(1) << (letter - 'a');
	}
	return 0;
}

static int read_path(struct compiler *c, struct setting *setting)
{
	const char *path = compiler_path(c, c->word->text);
	if (path == NULL)
		return -ENOMEM;
	if (access(path, R_OK) != 0)
		return compiler_error(c, 0, "a relative name is looked for beside the file that names it",
				      "cannot read %s: %s", path, strerror(errno));
	setting->text = slice_from_string(path);
	return 0;
}

static int read_geo(struct compiler *c, struct setting *setting)
{
	struct geo_database *database = NULL;
	int r = read_path(c, setting);
	if (r != 0)
		return r;
	r = geo_open((const char *)setting->text.ptr, &database);
	geo_close(database);
	return r == -EINVAL ? compiler_error(c, 0, "such a file has the name *.mmdb; give its whole path",
					     "%s is no database of MaxMind's format", (const char *)setting->text.ptr)
			    : r;
}

static int read_list(struct compiler *c, const struct statement *statement, struct setting *setting)
{
	setting->list_count = statement->word_count - 1;
	setting->list = arena_zalloc(c->arena, setting->list_count, sizeof(*setting->list));
	if (setting->list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < setting->list_count; i++) {
		int r = compiler_copy(c, statement->words[i + 1].text, &setting->list[i]);
		if (r != 0)
			return r;
	}
	return 0;
}

static int map_make(struct compiler *c, struct slice content, unsigned page, struct unicode_map **ret_map)
{
	struct unicode_map *map = malloc(sizeof(*map));
	if (map == NULL)
		return -ENOMEM;
	char *path = compiler_path(c, c->word->text);
	int r = path == NULL ? -ENOMEM : unicode_map_parse(map, content, page, path, c->diagnostics);
	if (r == 0)
		*ret_map = map;
	else
		free(map);
	return r;
}

static int read_unicode_map(struct compiler *c, const struct statement *statement, struct setting *setting)
{
	uint64_t page;
	if (statement->word_count != 3 || !parse_number(statement->words[2].text, &page) || page > 65535)
		return compiler_error(c, 0, "SecUnicodeMapFile unicode.mapping 20127",
				      "a file and a code page are wanted");
	struct buffer content = buffer_make(NULL);
	int r = compiler_read_file(c, c->word->text, 0, &content);
	size_t length = content.len;
	if (r == 0)
		buffer_printf(&content, "%u", (unsigned)page); /* the key is content and page */
	struct unicode_map *map = r == 0 ? pool_find(c->pool, POOL_UNICODE_MAP, buffer_slice(&content)) : NULL;
	if (r == 0 && map == NULL) {
		r = map_make(c, slice_make(content.ptr, length), (unsigned)page, &map);
		if (r == 0)
			r = pool_add(c->pool, POOL_UNICODE_MAP, buffer_slice(&content), map, free);
	}
	buffer_free(&content);
	setting->pointer = map;
	return r;
}

static int read_value(struct compiler *c, const struct setting_row *row, const struct statement *statement,
		      struct setting *setting)
{
	const struct regex *regex;
	int r;
	switch (row->form) {
	case FORM_FLAG:
	case FORM_CHOICE:
		return read_words(c, row, setting);
	case FORM_NUMBER:
		return parse_number(c->word->text, &setting->number) ? 0 : bad_word(c, "write a number");
	case FORM_GEO:
		return read_geo(c, setting);
	case FORM_OCTAL:
		return read_octal(c, row, setting);
	case FORM_CHARACTER:
		setting->number = c->word->text.len == 1 ? c->word->text.ptr[0] : 0;
		return c->word->text.len == 1 ? 0 : bad_word(c, "write one character");
	case FORM_PARTS:
		return read_parts(c, setting);
	case FORM_REGEX:
		r = compiler_regex(c, c->word->text, 0, 0, &regex);
		setting->pointer = r == 0 ? regex : NULL;
		return r;
	case FORM_LIST:
		return read_list(c, statement, setting);
	case FORM_UNICODE_MAP:
		return read_unicode_map(c, statement, setting);
	case FORM_TEXT:
	case FORM_JOINED:
		return compiler_copy(c, c->word->text, &setting->text);
	case FORM_EMPTY_LIST:
	case FORM_IGNORED:
	case FORM_REFUSED:
		break;
	}
	return 0;
}

int setting_parse(struct compiler *compiler, const struct setting_row *row, const struct statement *statement,
		  struct setting *ret_setting)
{
	*ret_setting = (struct setting){0};
	compiler->word = &statement->words[0];
	if (row->form == FORM_REFUSED)
		return compiler_error(compiler, 0, row->reason, "%s is refused", row->name);
	if (row->form == FORM_IGNORED) {
		diagnostics_add(compiler->diagnostics, DIAGNOSTIC_NOTE, source_place(compiler->source, compiler->word),
				NULL, "%s has no effect: %s", row->name, row->reason);
		return 0;
	}
	if (statement->word_count < 2 && row->form != FORM_EMPTY_LIST)
		return compiler_error(compiler, 0, NULL, "%s wants an argument", row->name);
	if (statement->word_count > 2 && row->form != FORM_LIST && row->form != FORM_UNICODE_MAP)
		return compiler_error(compiler, 0, "put the argument in quotes if it has spaces",
				      "%s takes one argument", row->name);
	if (statement->word_count >= 2)
		compiler->word = &statement->words[1];
	int r = read_value(compiler, row, statement, ret_setting);
	if (r == 0)
		ret_setting->row = row;
	return r;
}

static void store_number(void *member, size_t size, uint64_t number)
{
	switch (size) {
	case 1:
		*(uint8_t *)member = number > UINT8_MAX ? UINT8_MAX : (uint8_t)number;
		break;
	case 4:
		*(uint32_t *)member = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
		break;
	default:
		*(uint64_t *)member = number;
	}
}

static int join_text(struct slice *member, struct slice text, struct arena *arena)
{
	struct buffer out = buffer_make(arena);
	buffer_add(&out, *member);
	buffer_text(&out, member->len > 0 ? "; " : "");
	buffer_add(&out, text);
	*member = buffer_slice(&out);
	return out.error;
}

/* A list's member is a pointer with the count behind it. */
static int join_list(const struct slice **items, size_t *count, const struct setting *setting, struct arena *arena)
{
	struct slice *joined = arena_zalloc(arena, *count + setting->list_count + 1, sizeof(*joined));
	if (joined == NULL)
		return -ENOMEM;
	if (*count > 0)
		memcpy(joined, *items, *count * sizeof(*joined));
	if (setting->list_count > 0)
		memcpy(joined + *count, setting->list, setting->list_count * sizeof(*joined));
	*items = joined;
	*count += setting->list_count;
	return 0;
}

static int apply(struct settings *settings, const struct setting *setting, struct arena *arena)
{
	const struct setting_row *row = setting->row;
	void *member = (uint8_t *)settings + row->offset;
	bool mime = row->offset == offsetof(struct settings, response_mime_types);
	size_t *count = mime ? &settings->response_mime_type_count : &settings->redacted_name_count;
	switch (row->form) {
	case FORM_FLAG:
		*(bool *)member = setting->number != 0;
		break;
	case FORM_TEXT:
	case FORM_GEO:
		*(struct slice *)member = setting->text;
		break;
	case FORM_JOINED:
		return join_text(member, setting->text, arena);
	case FORM_LIST:
		return join_list(member, count, setting, arena);
	case FORM_EMPTY_LIST:
		*count = 0;
		break;
	case FORM_REGEX:
	case FORM_UNICODE_MAP:
		*(const void **)member = setting->pointer;
		break;
	default:
		store_number(member, row->size, setting->number);
	}
	return 0;
}

int settings_apply(struct settings *settings, const struct setting *list, size_t count, struct arena *arena)
{
	int r = 0;
	for (size_t i = 0; i < count && r == 0; i++)
		r = apply(settings, &list[i], arena);
	return r;
}

void settings_default(struct settings *settings)
{
	*settings = (struct settings){
		.rule_engine = SWITCH_OFF,
		.request_body_limit_rejects = false,
		.request_body_json_depth_limit = 10000,
		.argument_separator = '&',
		.collection_timeout_seconds = 3600,
		.audit_engine = SWITCH_OFF,
		.audit_parts = 1u << 0 | 1u << 1 | 1u << 2 | 1u << 5 | 1u << 7 | 1u << 25, /* A B C F H Z */
		.audit_dir_mode = 0750,
		.audit_file_mode = 0640,
		.upload_file_mode = 0600,
		.upload_file_limit = 100,
	};
}
