#include "http/xml.h"

#include "http/test_cases.h"
#include "http/xml_names.h"

#include <errno.h>
#include <stdio.h>

static int start(void **state)
{
	(void)state;
	xml_library_start();
	return 0;
}

static void render_xml(struct slice input, struct arena *arena, struct buffer *out)
{
	struct xml_options options = {0};
	struct xml_document *document = NULL;
	struct slice error = slice_make("", 0);
	int outcome = xml_parse(input, &options, &document, &error);
	assert_int_equal(outcome, error.len == 0 ? 0 : BODY_MALFORMED);
	assert_int_equal(xml_well_formed(document), outcome == 0);
	buffer_text(out, outcome == 0 ? "" : "malformed ");
	struct field_list values = field_list_make(arena);
	struct field_list attributes = field_list_make(arena);
	struct field_list arguments = field_list_make(arena);
	assert_int_equal(xml_query(document, "/*", NULL, 0, SLICE("/*"), &values), 0);
	assert_int_equal(xml_query(document, "//@*", NULL, 0, SLICE("@"), &attributes), 0);
	assert_int_equal(xml_arguments(document, SIZE_MAX, &arguments), 0);
	for (size_t i = 0; i < values.count; i++)
		test_escape(out, values.items[i].value);
	buffer_text(out, " ; ");
	test_render_fields(out, &attributes);
	buffer_text(out, attributes.count > 0 ? " ; " : "; ");
	test_render_fields(out, &arguments);
	xml_destroy(document);
}

static void test_cases(void **state)
{
	(void)state;
	test_cases_run("src/http/cases/xml.txt", render_xml);
}

static void render_names(struct slice input, struct arena *arena, struct buffer *out)
{
	struct slice hidden;
	assert_int_equal(xml_hide_names(input, arena, &hidden), 0);
	test_escape(out, hidden);
}

static void test_names(void **state)
{
	(void)state;
	test_cases_run("src/http/cases/xml_names.txt", render_names);
}

/* Documents over which libxml2 would sit for minutes, were they longer: `head`, `each` a number of times, `tail`. */
static void test_what_is_costly(void **state)
{
	(void)state;
	static const struct {
		const char *head, *each, *tail, *error;
	} documents[] = {
		{"<a", " b%d=''", "/>", "XML: Too many attributes."},
		{"<!-- <a \" --><a c='>'", " b%d='>'", "/>", "XML: Too many attributes."},
		{"<a", " b%d = \"'\"", ">=</a>", "XML: Too many attributes."},
		{"<!DOCTYPE a [<!ATTLIST a", " b%d CDATA ''", ">]><a/>", "XML: Too many nodes."},
		{"<?xml version='1.0' encoding='UTF-7'?><a>", "%070d", "</a>", "XML: Too large for its encoding."},
		{"<?xml version='1.0'\n \nencoding = \"IBM037\"?><a>", "%070d", "</a>",
		 "XML: Too large for its encoding."},
		{"<?xml encoding='ISO-2022-JP'?><a>", "%070d", "</a>", "XML: Too large for its encoding."},
	};
	for (size_t i = 0; i < 2 * sizeof(documents) / sizeof(documents[0]); i++) {
		bool over = i % 2 == 1;
		struct buffer text = buffer_make(NULL);
		struct xml_document *document = NULL;
		struct slice error = SLICE("");
		buffer_text(&text, documents[i / 2].head);
		for (int k = 0; k < (over ? 1001 : 900); k++)
			buffer_printf(&text, documents[i / 2].each, k);
		buffer_text(&text, documents[i / 2].tail);
		(void)xml_parse(buffer_slice(&text), &(struct xml_options){0}, &document, &error);
		assert_int_equal(slice_equal(error, slice_from_string(documents[i / 2].error)), over);
		xml_destroy(document);
		buffer_free(&text);
	}
}

static void test_wide_documents(void **state)
{
	(void)state;
	static const char *const errors[] = {"", "XML: Too many attributes.", "XML: Too large for its encoding."};
	static const struct {
		const char *declaration;
		int attributes;
		unsigned error;
	} documents[] = {
		{"<?xml version='1.0' encoding='UTF-16'?>", 900, 0},
		{"<?xml version='1.0'?>", 1001, 1},
		{"<?xml version='1.0' encoding='UTF-7'?>", 5000, 2},
	};
	for (size_t i = 0; i < 2 * sizeof(documents) / sizeof(documents[0]); i++) {
		bool big = i % 2 == 1;
		struct buffer text = buffer_make(NULL), wide = buffer_make(NULL);
		struct xml_document *document = NULL;
		struct slice error = SLICE("");
		buffer_printf(&text, "%s<a", documents[i / 2].declaration);
		for (int k = 0; k < documents[i / 2].attributes; k++)
			buffer_printf(&text, " b%d=''", k);
		buffer_text(&text, "/>");
		for (size_t k = 0; k < text.len; k++) {
			buffer_byte(&wide, big ? 0 : text.ptr[k]);
			buffer_byte(&wide, big ? text.ptr[k] : 0);
		}
		(void)xml_parse(buffer_slice(&wide), &(struct xml_options){0}, &document, &error);
		assert_true(slice_equal(error, slice_from_string(errors[documents[i / 2].error])));
		xml_destroy(document);
		buffer_free(&text);
		buffer_free(&wide);
	}
}

/* Values, texts and comments may hold any number of equals signs. */
static void test_equals_signs(void **state)
{
	(void)state;
	static const char *const forms[] = {"<a b='%s'/>", "<a>%s</a>", "<a b='>'>%s</a>", "<a><b/>%s<c/></a>"};
	char signs[4001], text[5000];
	memset(signs, '=', sizeof(signs) - 1);
	signs[sizeof(signs) - 1] = '\0';
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct xml_document *document = NULL;
		struct slice error;
		snprintf(text, sizeof(text), forms[i], signs);
		assert_int_equal(xml_parse(slice_from_string(text), &(struct xml_options){0}, &document, &error), 0);
		xml_destroy(document);
	}
}

/* The two short ways say what libxml2's XPath says. */
static void test_short_ways(void **state)
{
	(void)state;
	static const char text[] = "<a x='1'><b y='2' z='3'>t<c w='4'/>u</b><!--n--><d>v<e q='5'><f/></e></d></a>";
	static const char *const pairs[][2] = {{"/*", "/child::*"}, {"//@*", "/descendant::*/attribute::*"}};
	struct arena arena;
	arena_init(&arena, 1 << 20, 0);
	struct xml_document *document;
	struct slice error;
	assert_int_equal(xml_parse(slice_from_string(text), &(struct xml_options){0}, &document, &error), 0);
	for (size_t i = 0; i < 2; i++) {
		struct field_list quick = field_list_make(&arena);
		struct field_list slow = field_list_make(&arena);
		assert_int_equal(xml_query(document, pairs[i][0], NULL, 0, SLICE("n"), &quick), 0);
		assert_int_equal(xml_query(document, pairs[i][1], NULL, 0, SLICE("n"), &slow), 0);
		assert_int_equal(quick.count, i == 0 ? 1 : 5);
		assert_int_equal(slow.count, quick.count);
		for (size_t k = 0; k < quick.count; k++)
			assert_true(slice_equal(quick.items[k].value, slow.items[k].value));
	}
	xml_destroy(document);
	arena_destroy(&arena);
}

static void test_namespaces(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20, 0);
	struct xml_document *document;
	struct slice error;
	assert_int_equal(xml_parse(SLICE("<p:a xmlns:p='urn:x'><p:b>1</p:b><b>2</b></p:a>"), &(struct xml_options){0},
				   &document, &error),
			 0);
	struct xml_namespace space = {"q", "urn:x"};
	struct field_list list = field_list_make(&arena);
	assert_int_equal(xml_query(document, "//q:b", &space, 1, SLICE("XML://q:b"), &list), 0);
	assert_int_equal(list.count, 1);
	assert_slice(list.items[0].name, "XML://q:b");
	assert_slice(list.items[0].value, "1");
	assert_int_equal(xml_query(document, "//unknown:b", NULL, 0, SLICE("n"), &list), 0);
	assert_int_equal(xml_query(document, "][", NULL, 0, SLICE("n"), &list), 0);
	assert_int_equal(xml_query(document, "count(//b)", NULL, 0, SLICE("n"), &list), 0);
	assert_int_equal(list.count, 1);
	xml_destroy(document);
	arena_destroy(&arena);
}

static struct slice repeat(struct buffer *out, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buffer_text(out, text);
	return buffer_slice(out);
}

static void test_bounds(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 64 << 20, 0);
	struct xml_document *document;
	struct slice error;
	struct buffer many = buffer_make(&arena);
	buffer_text(&many, "<a>");
	repeat(&many, "<b/>", 100);
	buffer_text(&many, "</a>");
	assert_int_equal(xml_parse(buffer_slice(&many), &(struct xml_options){.node_limit = 101}, &document, &error),
			 0);
	struct field_list list = field_list_make(&arena);
	assert_int_equal(xml_arguments(document, 7, &list), 0);
	assert_int_equal(list.count, 7);
	xml_destroy(document);
	assert_int_equal(xml_parse(buffer_slice(&many), &(struct xml_options){.node_limit = 100}, &document, &error),
			 BODY_MALFORMED);
	assert_slice(error, "XML: Too many nodes.");
	xml_destroy(document);
	struct buffer deep = buffer_make(&arena);
	assert_int_equal(xml_parse(repeat(&deep, "<a>", 100000), &(struct xml_options){0}, &document, &error),
			 BODY_MALFORMED);
	xml_destroy(document);
	arena_destroy(&arena);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static struct xml_document *parse_text(const char *text)
{
	struct xml_document *document;
	struct slice error;
	assert_true(xml_parse(slice_from_string(text), &(struct xml_options){0}, &document, &error) >= 0);
	return document;
}

static void test_validation(void **state)
{
	(void)state;
	char folder[] = "/tmp/guia-xml-XXXXXX";
	assert_non_null(mkdtemp(folder));
	char schema_path[64];
	char dtd_path[64];
	snprintf(schema_path, sizeof(schema_path), "%s/a.xsd", folder);
	snprintf(dtd_path, sizeof(dtd_path), "%s/a.dtd", folder);
	write_file(schema_path, "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>"
				"<xs:element name='a' type='xs:integer'/></xs:schema>");
	write_file(dtd_path, "<!ELEMENT a (#PCDATA)>");
	struct xml_schema *schema;
	struct xml_dtd *dtd;
	assert_int_equal(xml_schema_load(dtd_path, &schema), -EINVAL);
	assert_int_equal(xml_schema_load("/nonexistent/a.xsd", &schema), -EINVAL);
	assert_int_equal(xml_dtd_load("/nonexistent/a.dtd", &dtd), -EINVAL);
	assert_int_equal(xml_schema_load(schema_path, &schema), 0);
	assert_int_equal(xml_dtd_load(dtd_path, &dtd), 0);
	static const struct {
		const char *text;
		bool by_schema;
		bool by_dtd;
	} cases[] = {
		{"<a>1</a>", true, true}, {"<a>x</a>", false, true}, {"<b/>", false, false}, {"<a>1", false, false}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xml_document *document = parse_text(cases[i].text);
		assert_int_equal(xml_schema_validate(schema, document), cases[i].by_schema);
		assert_int_equal(xml_dtd_validate(dtd, document), cases[i].by_dtd);
		xml_destroy(document);
	}
	xml_schema_destroy(schema);
	xml_dtd_destroy(dtd);
	unlink(schema_path);
	unlink(dtd_path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest unit_tests[] = {
		cmocka_unit_test(test_cases),          cmocka_unit_test(test_what_is_costly),
		cmocka_unit_test(test_wide_documents), cmocka_unit_test(test_equals_signs),
		cmocka_unit_test(test_short_ways),     cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_bounds),         cmocka_unit_test(test_validation),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(unit_tests, start, NULL);
}
