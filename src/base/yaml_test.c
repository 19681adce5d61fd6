#include "base/yaml.h"

#include "base/test.h"

struct parsed {
	struct arena arena;
	struct diagnostics diagnostics;
	struct yaml_node *root;
	int result;
};

static struct parsed parse(const char *text)
{
	struct parsed p = {0};
	arena_init(&p.arena, 1 << 20, 0);
	diagnostics_init(&p.diagnostics);
	p.result = yaml_parse(test_fenced(slice_from_string(text)), "t.yaml", &p.arena, &p.diagnostics, &p.root);
	return p;
}

static void release(struct parsed *p)
{
	arena_destroy(&p->arena);
	diagnostics_destroy(&p->diagnostics);
}

static void a_tree_knows_its_places(void **state)
{
	(void)state;
	struct parsed p = parse("a: 1\nb:\n  - x\n  - c: 'y'\n    d: yes\n");
	assert_int_equal(p.result, 0);
	int64_t number = 0;
	assert_int_equal(yaml_integer(yaml_get(p.root, "a"), &number), 0);
	assert_int_equal(number, 1);
	const struct yaml_node *list = yaml_get(p.root, "b");
	assert_int_equal(list->count, 2);
	assert_slice(list->first->text, "x");
	const struct yaml_node *c = yaml_get(list->first->next, "c");
	assert_slice(c->text, "y");
	assert_true(c->quoted);
	assert_int_equal(c->line, 4);
	assert_int_equal(c->column, 8);
	assert_int_equal(c->key_column, 5);
	bool flag = false;
	assert_int_equal(yaml_bool(yaml_get(list->first->next, "d"), &flag), 0);
	assert_true(flag);
	assert_int_equal(yaml_bool(c, &flag), YAML_INVALID);
	assert_null(yaml_get(p.root, "z"));
	release(&p);
}

static void what_is_not_plain_data_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned line;
		unsigned column;
	} cases[] = {
		{"a: 1\na: 2\n", 2, 1},      {"a: &x 1\nb: *x\n", 2, 4},
		{"a: [1\n", 2, 1},           {"? [a]\n: 1\n", 1, 3},
		{"a: 1\n---\nb: 2\n", 2, 1}, {"a: \x01\n", 1, 4},
		{"a: 1\nb: ab\xff\n", 2, 6}, {"a: !!str 1\n", 1, 4},
		{"!x [1]\n", 1, 1},          {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 1, 33},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct parsed p = parse(cases[i].text);
		assert_int_equal(p.result, YAML_INVALID);
		assert_int_equal(p.diagnostics.errors, 1);
		assert_int_equal(p.diagnostics.first->line, cases[i].line);
		assert_int_equal(p.diagnostics.first->column, cases[i].column);
		release(&p);
	}
}

static void tabs_are_told_by_their_name(void **state)
{
	(void)state;
	struct parsed p = parse("a:\n\tb: 1\n");
	assert_int_equal(p.result, YAML_INVALID);
	assert_int_equal(p.diagnostics.first->line, 2);
	assert_non_null(strstr(p.diagnostics.first->hint, "not by tabs"));
	release(&p);
}

/* The caret stands below the byte that is meant, whatever stands before it. */
static void columns_are_of_bytes(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned column;
	} cases[] = {
		{"b: [n\xc3\xa3o, *x]\n", 11},
		{"b: [\xe6\xbe\xb3\xe9\x96\x80, \xf0\x9f\x98\x80, *x]\n", 19},
		{"\xef\xbb\xbf"
		 "b: *x\n",
		 7},
		{"\xef\xbb\xbf"
		 "b: \xff\n",
		 7},
		{"b: n\xc3\xa3o\xff\n", 8},
		{"b: n\xc3\xa3o\x80\n", 8},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct parsed p = parse(cases[i].text);
		assert_int_equal(p.result, YAML_INVALID);
		assert_int_equal(p.diagnostics.first->column, cases[i].column);
		release(&p);
	}
	static const char text[] = "{n\xc3\xa3o: 1, b: 2}\n";
	struct parsed p = parse(text);
	assert_int_equal(p.result, 0);
	const struct yaml_node *node = yaml_get(p.root, "b");
	assert_int_equal(yaml_key_place(node, "t.yaml", slice_from_string(text)).column, 11);
	assert_int_equal(yaml_place(node, "t.yaml", slice_from_string(text)).column, 14);
	release(&p);
	p = parse("a: n\xc3\xa3o\nb:\n\tc: 1\n");
	assert_int_equal(p.result, YAML_INVALID);
	assert_non_null(strstr(p.diagnostics.first->hint, "not by tabs"));
	release(&p);
}

static void no_document_is_no_tree(void **state)
{
	(void)state;
	struct parsed p = parse("# only a comment\n");
	assert_int_equal(p.result, 0);
	assert_null(p.root);
	release(&p);
}

TEST_MAIN(cmocka_unit_test(a_tree_knows_its_places), cmocka_unit_test(what_is_not_plain_data_is_refused),
	  cmocka_unit_test(tabs_are_told_by_their_name), cmocka_unit_test(columns_are_of_bytes),
	  cmocka_unit_test(no_document_is_no_tree))
