/*
 * One function a processor; where the type names none, or a form, SecGuiaBodyBySight reads once more by what is there.
 * What they read becomes arguments, files and flags; a document stays in t->xml, to be asked by XPath.
 */
#include "engine/body.h"

#include "engine/number.h"
#include "engine/profile.h"
#include "engine/request.h"
#include "engine/variable.h"
#include "http/arguments.h"
#include "http/json.h"
#include "http/multipart.h"
#include "http/sight.h"
#include "http/xml.h"
#include "http/xml_names.h"

#include <errno.h>

enum {
	JSON_DEPTH = 10000, /* where SecRequestBodyJsonDepthLimit is not set: ModSecurity's default */
	PARTS_MAX = 10000,  /* of a multipart body */
};

static int set_error(struct transaction *t, const char *prefix, struct slice error)
{
	struct buffer text = buffer_make(&t->arena);
	buffer_text(&text, prefix);
	buffer_add(&text, error);
	if (text.error != 0 || variable_flag(t, VARIABLE_REQBODY_ERROR, true) != 0 ||
	    variable_flag(t, VARIABLE_REQBODY_PROCESSOR_ERROR, true) != 0 ||
	    variable_set(t, VARIABLE_REQBODY_ERROR_MSG, buffer_slice(&text)) != 0)
		return -ENOMEM;
	return variable_set(t, VARIABLE_REQBODY_PROCESSOR_ERROR_MSG, buffer_slice(&text));
}

static int set_no_error(struct transaction *t)
{
	int r = variable_flag(t, VARIABLE_REQBODY_ERROR, false);
	return r != 0 ? r : variable_flag(t, VARIABLE_REQBODY_PROCESSOR_ERROR, false);
}

/* SecRequestBodyNoFilesLimit: what is over it is not parsed, so that nothing is a part of it. */
static int set_too_large(struct transaction *t)
{
	int r = variable_flag(t, VARIABLE_REQBODY_ERROR, true);
	if (r == 0)
		r = variable_set(t, VARIABLE_REQBODY_ERROR_MSG,
				 SLICE("Request body excluding files is bigger than the maximum expected."));
	return r != 0 ? r : variable_flag(t, VARIABLE_INBOUND_DATA_ERROR, true);
}

static bool over_no_files_limit(const struct transaction *t, size_t bytes)
{
	uint64_t limit = t->ruleset->settings.request_body_no_files_limit;
	return limit > 0 && bytes > limit;
}

/* Fields of a body become arguments; `part` is ARGS itself for what came as JSON or XML. */
static int add_arguments(struct transaction *t, enum variable part, const struct field_list *list, bool counted)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct field *field = &list->items[i];
		if (counted) {
			t->arguments_bytes += field->name.len + field->value.len;
			t->arguments_counted = true;
		}
		if (request_argument(t, part, field->name, field->value, field->value_offset) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int process_form(struct transaction *t)
{
	struct field_list list = field_list_make(&t->arena);
	struct arguments_options options = arguments_defaults();
	struct arguments_facts facts = {0};
	if (over_no_files_limit(t, t->request_body.bytes.len))
		return set_too_large(t);
	if (t->ruleset->settings.argument_separator != 0)
		options.separator = t->ruleset->settings.argument_separator;
	options.limit = request_arguments_left(t);
	options.base_offset = t->offset + 1;
	int r = arguments_parse(t->request_body.bytes, &options, &list, &facts);
	if (r == 0)
		r = add_arguments(t, VARIABLE_ARGS_POST, &list, true);
	if (r == 0 && facts.invalid_encoding)
		r = variable_flag(t, VARIABLE_URLENCODED_ERROR, true);
	return r;
}

static struct json_options json_options_of(const struct transaction *t)
{
	uint32_t depth = t->ruleset->settings.request_body_json_depth_limit;
	return (struct json_options){
		.depth_limit = depth == 0 ? JSON_DEPTH : depth,
		.arguments_limit = request_arguments_left(t),
		.empty_containers = true,
	};
}

static int process_json(struct transaction *t)
{
	struct field_list list = field_list_make(&t->arena);
	struct json_options options = json_options_of(t);
	struct slice error = {0};
	if (over_no_files_limit(t, t->request_body.bytes.len))
		return set_too_large(t);
	int parsed = json_parse(t->request_body.bytes, &options, &list, &error);
	if (parsed < 0 || add_arguments(t, VARIABLE_ARGS, &list, true) != 0)
		return -ENOMEM;
	return parsed == BODY_MALFORMED ? set_error(t, "JSON parsing error: ", error) : set_no_error(t);
}

static int process_xml(struct transaction *t)
{
	static const struct xml_options options = {0};
	struct slice error = {0};
	if (over_no_files_limit(t, t->request_body.bytes.len))
		return set_too_large(t);
	int parsed = xml_parse(t->request_body.bytes, &options, &t->xml, &error);
	if (parsed < 0)
		return parsed;
	struct field_list list = field_list_make(&t->arena);
	uint8_t into_arguments = t->parse_xml_into_args;
	if (into_arguments != 0 && t->xml != NULL &&
	    (xml_arguments(t->xml, request_arguments_left(t), &list) != 0 ||
	     add_arguments(t, VARIABLE_ARGS, &list, true) != 0))
		return -ENOMEM;
	if (into_arguments == 2 && t->xml != NULL) {
		xml_destroy(t->xml);
		t->xml = NULL;
	}
	return parsed == BODY_MALFORMED ? set_error(t, "XML parsing error: ", error) : set_no_error(t);
}

static int share_fields(struct transaction *t, enum variable variable, const struct field_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (value_set_add(&t->sets[variable], &t->arena, list->items[i].name, list->items[i].value) == NULL)
			return -ENOMEM;
	return 0;
}

static int multipart_flags(struct transaction *t, const struct multipart_flags *flags)
{
	const struct {
		enum variable variable;
		uint8_t value;
	} rows[] = {
		{VARIABLE_MULTIPART_STRICT_ERROR, flags->strict_error},
		{VARIABLE_MULTIPART_BOUNDARY_QUOTED, flags->boundary_quoted},
		{VARIABLE_MULTIPART_BOUNDARY_WHITESPACE, flags->boundary_whitespace},
		{VARIABLE_MULTIPART_DATA_BEFORE, flags->data_before},
		{VARIABLE_MULTIPART_DATA_AFTER, flags->data_after},
		{VARIABLE_MULTIPART_HEADER_FOLDING, flags->header_folding},
		{VARIABLE_MULTIPART_LF_LINE, flags->lf_line},
		{VARIABLE_MULTIPART_CRLF_LF_LINES, flags->crlf_lf_lines},
		{VARIABLE_MULTIPART_MISSING_SEMICOLON, flags->missing_semicolon},
		{VARIABLE_MULTIPART_SEMICOLON_MISSING, flags->missing_semicolon},
		{VARIABLE_MULTIPART_INVALID_QUOTING, flags->invalid_quoting},
		{VARIABLE_MULTIPART_INVALID_PART, flags->invalid_part},
		{VARIABLE_MULTIPART_INVALID_HEADER_FOLDING, flags->invalid_header_folding},
		{VARIABLE_MULTIPART_UNMATCHED_BOUNDARY, flags->unmatched_boundary},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (variable_set(t, rows[i].variable, number_text(&t->arena, rows[i].value)) != 0)
			return -ENOMEM;
	/* As in ModSecurity the variable has no value unless the limit was reached. */
	return flags->file_limit_exceeded == 0 ? 0 : variable_flag(t, VARIABLE_MULTIPART_FILE_LIMIT_EXCEEDED, true);
}

static int multipart_file(struct transaction *t, const struct multipart_file *file)
{
	struct value *name = value_set_add(&t->sets[VARIABLE_FILES_NAMES], &t->arena, file->name, file->name);
	struct value *filename = value_set_add(&t->sets[VARIABLE_FILES], &t->arena, file->name, file->filename);
	struct value *size = value_set_add(&t->sets[VARIABLE_FILES_SIZES], &t->arena, file->name,
					   number_text(&t->arena, (int64_t)file->content.len));
	if (name == NULL || filename == NULL || size == NULL)
		return -ENOMEM;
	filename->offset = t->offset + file->filename_offset;
	size->offset = t->offset + file->content_offset;
	if (!file->kept)
		return 0;
	/* Nothing is written to disk: the name is one that the file would have. */
	struct value *content =
		value_set_add(&t->sets[VARIABLE_FILES_TMP_CONTENT], &t->arena, file->name, file->content);
	struct buffer path = buffer_make(&t->arena);
	buffer_add(&path, t->ruleset->settings.upload_dir);
	buffer_byte(&path, '/');
	buffer_add(&path, t->unique_id);
	buffer_printf(&path, "-%u", (unsigned)t->sets[VARIABLE_FILES].count);
	if (content == NULL || path.error != 0)
		return -ENOMEM;
	content->offset = size->offset;
	struct slice text = buffer_slice(&path);
	return value_set_add(&t->sets[VARIABLE_FILES_TMPNAMES], &t->arena, text, text) == NULL ? -ENOMEM : 0;
}

static int multipart_files(struct transaction *t, const struct multipart *multipart)
{
	t->body_rest = arena_zalloc(&t->arena, multipart->file_count, sizeof(*t->body_rest));
	if (t->body_rest == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < multipart->file_count; i++) {
		t->body_rest[t->body_rest_count++] = multipart->files[i].content;
		int r = multipart_file(t, &multipart->files[i]);
		if (r != 0)
			return r;
	}
	return variable_set(t, VARIABLE_FILES_COMBINED_SIZE,
			    number_text(&t->arena, (int64_t)multipart->files_combined_bytes));
}

static int multipart_variables(struct transaction *t, const struct multipart *multipart)
{
	int r = multipart_flags(t, &multipart->flags);
	if (r == 0)
		r = share_fields(t, VARIABLE_MULTIPART_NAME, &multipart->names);
	if (r == 0)
		r = share_fields(t, VARIABLE_MULTIPART_FILENAME, &multipart->filenames);
	if (r == 0)
		r = share_fields(t, VARIABLE_MULTIPART_PART_HEADERS, &multipart->part_headers);
	if (r == 0)
		r = add_arguments(t, VARIABLE_ARGS_POST, &multipart->arguments, false);
	return r != 0 || multipart->file_count == 0 ? r : multipart_files(t, multipart);
}

static int process_multipart(struct transaction *t)
{
	const struct settings *settings = &t->ruleset->settings;
	struct multipart_options options = {
		.file_limit = settings->upload_file_limit,
		.keep_files = settings->upload_keep_files || settings->tmp_save_uploaded_files,
		.parts_limit = PARTS_MAX,
		.unambiguous = true,
	};
	struct multipart multipart;
	int parsed = multipart_parse(t->content_type, t->request_body.bytes, &options, &t->arena, &multipart);
	if (parsed < 0 || multipart_variables(t, &multipart) != 0)
		return -ENOMEM;
	if (parsed == BODY_MALFORMED)
		return set_error(t, "Multipart parsing error: ", multipart.error);
	if (over_no_files_limit(t, multipart.no_files_bytes))
		return set_too_large(t);
	return set_no_error(t);
}

/*
 * JSON with an error in it, which some readers pass over: what its escapes hide is shown. Many take bytes that are no
 * UTF-8: it is shown without escapes in it, too.
 */
static int add_unescaped(struct transaction *t, struct slice body, bool whole, struct field_list *list)
{
	if (!whole && slice_find_nocase(body, SLICE("\\u00"), 0) == body.len)
		return 0;
	struct field field = {.name = SLICE("json"), .value = body};
	struct transform_context context = {0};
	uint8_t *out = arena_alloc(&t->arena, transform_bound(TRANSFORM_JS_DECODE, body.len) + 1);
	size_t len = 0;
	if (out == NULL)
		return -ENOMEM;
	if (transform_apply(TRANSFORM_JS_DECODE, &context, body, out, &len))
		field.value = slice_make(out, len);
	return field_list_add(list, field);
}

/* Text that was an object or a list up to an error: some read on, or line by line. A form shows it already. */
static bool goes_on_behind_error(struct slice body, const struct field_list *before, bool form)
{
	return !form && before->count > 0 && slice_trim(body).ptr[0] != '"' && sight_is_text(body);
}

static int read_json(struct transaction *t, bool form)
{
	struct field_list list = field_list_make(&t->arena), unescaped = field_list_make(&t->arena);
	struct slice error = {0};
	struct json_options options = json_options_of(t);
	struct slice body = sight_text(t->request_body.bytes);
	int parsed = json_parse(body, &options, &list, &error);
	if (parsed == BODY_MALFORMED) {
		/* Deeper, or more, than is looked at. */
		if (slice_find(error, SLICE("depth limit"), 0) < error.len ||
		    slice_find(error, SLICE("client cancelled"), 0) < error.len)
			return set_error(t, "JSON parsing error: ", error);
		bool whole = slice_find(error, SLICE("UTF8"), 0) < error.len || goes_on_behind_error(body, &list, form);
		list = unescaped;
		parsed = add_unescaped(t, body, whole, &list);
	}
	return parsed != 0 ? parsed : add_arguments(t, VARIABLE_ARGS, &list, true);
}

/* What is not well-formed no reader takes for a document; what is not read for other reasons others may read. */
static int read_xml(struct transaction *t)
{
	static const struct xml_options options = {0};
	struct slice error = {0};
	struct xml_document *document = NULL;
	int parsed = xml_parse(t->request_body.bytes, &options, &document, &error);
	if (parsed == 0) {
		t->xml = document;
		return 0;
	}
	xml_destroy(document);
	if (parsed != BODY_MALFORMED || slice_equal(error, SLICE(XML_NOT_WELL_FORMED)))
		return parsed < 0 ? parsed : 0;
	return set_error(t, "XML parsing error: ", error);
}

/*
 * SecGuiaBodyBySight, for types that name no reader, or forms: whatever the type says, the origin may read what is
 * there. A body that is read in this way and is over the limit of what is parsed is an error, as if it had its type.
 */
static int read_by_sight(struct transaction *t, enum body_processor processor, bool *ret_read)
{
	enum sight sight = sight_of(t->request_body.bytes);
	bool form = processor == BODY_URLENCODED;
	*ret_read = sight != SIGHT_NOTHING && !(form && sight == SIGHT_FORM);
	if (!*ret_read)
		return 0;
	if (over_no_files_limit(t, t->request_body.bytes.len))
		return set_too_large(t);
	t->document_by_sight = sight == SIGHT_XML;
	if (sight == SIGHT_WIDE_JSON)
		return set_error(t, "JSON parsing error: ", SLICE("not in UTF-8"));
	return sight == SIGHT_JSON ? read_json(t, form) : sight == SIGHT_XML ? read_xml(t) : process_form(t);
}

static enum body_processor processor_of(const struct transaction *t)
{
	if (t->body_processor == BODY_XML || t->body_processor == BODY_JSON)
		return t->body_processor;
	return t->body_type == BODY_MULTIPART || t->body_type == BODY_URLENCODED ? t->body_type : BODY_PROCESSOR_NONE;
}

/* Nothing is a part of what no processor has read. */
static void rest_is_all(struct transaction *t)
{
	struct slice *all = arena_alloc(&t->arena, sizeof(*all));
	if (all == NULL)
		return;
	*all = t->request_body.bytes;
	t->body_rest = all;
	t->body_rest_count = 1;
}

static int process(struct transaction *t, enum body_processor processor)
{
	static int (*const processors[])(struct transaction *) = {
		[BODY_PROCESSOR_NONE] = set_no_error,
		[BODY_URLENCODED] = process_form,
		[BODY_MULTIPART] = process_multipart,
		[BODY_JSON] = process_json,
		[BODY_XML] = process_xml,
	};
	bool by_sight = t->ruleset->settings.body_by_sight &&
			(processor == BODY_PROCESSOR_NONE || processor == BODY_URLENCODED);
	bool read = false;
	int r = processors[processor](t);
	if (r == 0 && by_sight)
		r = read_by_sight(t, processor, &read);
	if ((processor == BODY_PROCESSOR_NONE && !read) ||
	    (processor != BODY_MULTIPART && over_no_files_limit(t, t->request_body.bytes.len)))
		rest_is_all(t);
	return r;
}

/*
 * REQUEST_BODY is the body as it came, except that the names of elements and attributes are hidden in a document of
 * XML: the Core Rule Set's tests want its rules to look at the texts and values of a document, not at its schema.
 */
static int set_request_body(struct transaction *t)
{
	struct slice body = t->request_body.bytes;
	bool document = t->xml != NULL && xml_well_formed(t->xml) && !t->force_request_body && !t->document_by_sight;
	if (body.len == 0)
		return 0;
	if (document && xml_hide_names(body, &t->arena, &body) != 0)
		return -ENOMEM;
	int r = variable_set(t, VARIABLE_REQUEST_BODY, body);
	return r != 0 ? r : variable_set(t, VARIABLE_REQUEST_BODY_LENGTH, number_text(&t->arena, (int64_t)body.len));
}

int body_process_request(struct transaction *t)
{
	enum body_processor processor = processor_of(t);
	struct profile_timer timer = profile_begin(t->worker->profile);
	int r = variable_flag(t, VARIABLE_INBOUND_DATA_ERROR, t->request_body.over_limit);
	if (r == 0)
		r = process(t, processor);
	if (r == 0)
		r = set_request_body(t);
	profile_end_stage(timer, PROFILE_BODY_NONE + processor);
	return r;
}

bool body_response_type_inspected(const struct transaction *t)
{
	const struct settings *settings = &t->ruleset->settings;
	struct slice type = slice_trim(t->response_type);
	if (settings->response_mime_type_count == 0)
		return true; /* nobody said which */
	for (size_t i = 0; i < settings->response_mime_type_count; i++)
		if (slice_equal_nocase(settings->response_mime_types[i], type))
			return true;
	return false;
}

int body_process_response(struct transaction *t)
{
	struct slice body = t->response_body.bytes;
	struct profile_timer timer = profile_begin(t->worker->profile);
	int r = variable_flag(t, VARIABLE_OUTBOUND_DATA_ERROR, t->response_body.over_limit);
	if (r == 0)
		r = variable_set(t, VARIABLE_RESPONSE_BODY, body);
	if (r == 0)
		r = variable_set(t, VARIABLE_RESPONSE_CONTENT_LENGTH, number_text(&t->arena, (int64_t)body.len));
	profile_end_stage(timer, PROFILE_RESPONSE_BODY);
	return r;
}
