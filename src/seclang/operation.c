/* A rule's operator: "@name argument", "!@name argument", or a bare pattern for @rx. */
#include "seclang/compiler.h"

#include "match/bytes.h"
#include "match/compare.h"
#include "match/network.h"
#include "match/phrases.h"
#include "match/regex.h"

#include <errno.h>
#include <stdlib.h>

struct operand {
	struct compiler *compiler;
	struct slice text;
	size_t offset; /* in the word */
	struct rule_operator *operation;
};

static const struct {
	const char *name;
	const char *reason;
} refused[] = {
	{"inspectFile", "it runs a program or a Lua script for each file"},
	{"fuzzyHash", "it needs a database of ssdeep hashes that nobody keeps for requests"},
	{"gsbLookup", "the Google Safe Browsing interface that it used no longer exists"},
	{"rsub", "ModSecurity v3 does not implement it"},
	{"validateHash", "ModSecurity v3 does not implement it"},
};

static const char *operator_name_at(size_t index)
{
	return index < OPERATOR_COUNT ? operator_infos[index].name : NULL;
}

static int operator_unknown(struct compiler *c, struct slice name, size_t offset)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (slice_equal_nocase(name, slice_from_string(refused[i].name)))
			return compiler_error(c, offset, refused[i].reason, "@%s is refused", refused[i].name);
	const char *hint = compiler_suggest(c, name, operator_name_at, "@");
	return compiler_error(c, offset, hint, "unknown operator @%.*s", SLICE_ARG(name));
}

/* Whether some %{ begins a variable's name: a pattern may hold %{ of its own. */
static bool has_macro(struct slice text)
{
	for (size_t at = slice_find(text, SLICE("%{"), 0); at < text.len; at = slice_find(text, SLICE("%{"), at + 2)) {
		size_t end = at + 2;
		while (end < text.len &&
		       (byte_is_alpha(text.ptr[end]) || byte_is_digit(text.ptr[end]) || text.ptr[end] == '_'))
			end++;
		enum variable variable;
		if (variable_find(slice_sub(text, at + 2, end), &variable) == 0 &&
		    slice_find_byte(text, '}', end) < text.len)
			return true;
	}
	return false;
}

static int compile_regex(const struct operand *o)
{
	return has_macro(o->text) ? 0 : compiler_regex(o->compiler, o->text, 0, o->offset, &o->operation->regex);
}

static void release_phrases(void *phrases)
{
	phrases_free(phrases);
}

static int phrases_make(const struct operand *o, struct slice content, bool file, struct phrases **ret_phrases)
{
	struct phrase_list list = {0};
	int r = file ? phrase_list_add_file(&list, content) : phrase_list_add_argument(&list, content);
	if (r == 0)
		r = phrases_compile(&list, ret_phrases);
	phrase_list_free(&list);
	if (r == -EFBIG)
		return compiler_error(o->compiler, o->offset, NULL, "the phrases are too many");
	return r;
}

static int phrases_of(const struct operand *o, struct slice content, bool file)
{
	struct buffer key = buffer_make(NULL);
	buffer_byte(&key, file);
	buffer_add(&key, content);
	struct phrases *phrases =
		key.error != 0 ? NULL : pool_find(o->compiler->pool, POOL_PHRASES, buffer_slice(&key));
	int r = key.error;
	if (r == 0 && phrases == NULL) {
		r = phrases_make(o, content, file, &phrases);
		if (r == 0)
			r = pool_add(o->compiler->pool, POOL_PHRASES, buffer_slice(&key), phrases, release_phrases);
	}
	buffer_free(&key);
	if (r == 0)
		o->operation->phrases = phrases;
	return r;
}

static int compile_phrases(const struct operand *o)
{
	return has_macro(o->text) ? compiler_error(o->compiler, o->offset, NULL, "@pm takes no macros")
				  : phrases_of(o, o->text, false);
}

static int compile_phrase_file(const struct operand *o)
{
	struct buffer content = buffer_make(NULL);
	int r = compiler_read_file(o->compiler, o->text, o->offset, &content);
	if (r == 0)
		r = phrases_of(o, buffer_slice(&content), true);
	buffer_free(&content);
	return r;
}

static void release_networks(void *networks)
{
	networks_free(networks);
}

static int networks_of(const struct operand *o, struct slice content, bool file)
{
	struct networks *networks = pool_find(o->compiler->pool, POOL_NETWORKS, content);
	struct network_list list = {0};
	struct slice bad = {0};
	int r = 0;
	if (networks == NULL) {
		r = file ? network_list_add_file(&list, content, &bad) : network_list_add(&list, content, &bad);
		if (r == NETWORK_BAD)
			r = compiler_error(o->compiler, o->offset, "write 192.0.2.0/24, 2001:db8::/32, ...",
					   "\"%.*s\" is no network", SLICE_ARG(slice_sub(bad, 0, 64)));
		if (r == 0)
			r = networks_compile(&list, &networks);
		if (r == 0)
			r = pool_add(o->compiler->pool, POOL_NETWORKS, content, networks, release_networks);
	}
	network_list_free(&list);
	if (r == 0)
		o->operation->networks = networks;
	return r;
}

static int compile_networks(const struct operand *o)
{
	return networks_of(o, o->text, false);
}

static int compile_network_file(const struct operand *o)
{
	struct buffer content = buffer_make(NULL);
	int r = compiler_read_file(o->compiler, o->text, o->offset, &content);
	if (r == 0)
		r = networks_of(o, buffer_slice(&content), true);
	buffer_free(&content);
	return r;
}

static int compile_bytes(const struct operand *o)
{
	struct byte_range *set = pool_find(o->compiler->pool, POOL_BYTES, o->text);
	if (set == NULL) {
		struct slice bad = {0};
		set = calloc(1, sizeof(*set));
		if (set == NULL)
			return -ENOMEM;
		int r = byte_range_parse(o->text, set, &bad);
		if (r != 0)
			free(set);
		if (r == BYTE_RANGE_BAD)
			return compiler_error(o->compiler, o->offset, "write 10,13,32-126",
					      "\"%.*s\" is no byte or range of bytes", SLICE_ARG(bad));
		if (r == 0)
			r = pool_add(o->compiler->pool, POOL_BYTES, o->text, set, free);
		if (r != 0)
			return r;
	}
	o->operation->bytes = set;
	return 0;
}

static int compile_path(const struct operand *o)
{
	struct slice text = o->text;
	size_t space = slice_find_byte(text, ' ', 0);
	char *path = compiler_path(o->compiler, slice_after(text, space < text.len ? space + 1 : 0));
	o->operation->schema = path;
	return path == NULL ? -ENOMEM : 0;
}

static int compile_nothing(const struct operand *o)
{
	(void)o;
	return 0;
}

/* What each operator with a compiled argument makes of it. */
static int (*const pattern_compilers[OPERATOR_COUNT])(const struct operand *) = {
	[OPERATOR_RX] = compile_regex,
	[OPERATOR_RX_GLOBAL] = compile_regex,
	[OPERATOR_VERIFY_CC] = compile_regex,
	[OPERATOR_VERIFY_CPF] = compile_regex,
	[OPERATOR_VERIFY_SSN] = compile_regex,
	[OPERATOR_VERIFY_SVNR] = compile_regex,
	[OPERATOR_PM] = compile_phrases,
	[OPERATOR_PM_FROM_FILE] = compile_phrase_file,
	[OPERATOR_IP_MATCH] = compile_networks,
	[OPERATOR_IP_MATCH_FROM_FILE] = compile_network_file,
	[OPERATOR_VALIDATE_BYTE_RANGE] = compile_bytes,
	[OPERATOR_VALIDATE_DTD] = compile_path,
	[OPERATOR_VALIDATE_SCHEMA] = compile_path,
	[OPERATOR_RBL] = compile_nothing,
};

static bool is_number(struct slice text)
{
	size_t at = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
	size_t end = at;
	while (end < text.len && byte_is_digit(text.ptr[end]))
		end++;
	return end > at && end == text.len;
}

/* Taken as libmodsecurity takes it, but said: most often a typing error, or a macro without its %{}. */
static void tell_number(const struct operand *o)
{
	const struct rule_operator *operation = o->operation;
	int64_t written = compare_number(o->text), number = written;
	if (operation->kind == OPERATOR_EQ)
		number = compare_number_narrow(number);
	bool means_it = is_number(o->text) && number == written;
	if (macro_is_literal(&operation->argument) && !means_it)
		compiler_warning(o->compiler, o->offset, "write a number, or a macro: %{tx.limit}",
				 "\"%.*s\" is no number for @%s, and counts as %lld",
				 SLICE_ARG(slice_sub(o->text, 0, 64)), operator_infos[operation->kind].name,
				 (long long)number);
}

/* A pattern keeps its text whole unless it really has a macro. */
static int argument_parse(struct compiler *c, struct operand *operand)
{
	struct rule_operator *operation = operand->operation;
	bool pattern = operator_infos[operation->kind].argument == OPERATOR_PATTERN;
	if (pattern && !has_macro(operand->text))
		return compiler_copy(c, operand->text, &operation->argument.text);
	return macro_parse(c, operand->text, operand->offset, &operation->argument);
}

int operation_parse(struct compiler *compiler, struct slice text, struct rule_operator *ret_operation)
{
	struct rule_operator operation = {.kind = OPERATOR_RX};
	size_t at = 0;
	while (at < text.len && byte_is_space(text.ptr[at]))
		at++;
	if (at < text.len && text.ptr[at] == '!') {
		operation.negated = true;
		at++;
	}
	if (at < text.len && text.ptr[at] == '@') {
		size_t end = at + 1;
		while (end < text.len && !byte_is_space(text.ptr[end]))
			end++;
		struct slice name = slice_sub(text, at + 1, end);
		if (operator_find(name, &operation.kind) != 0)
			return operator_unknown(compiler, name, at + 1);
		at = end;
		while (at < text.len && byte_is_space(text.ptr[at]))
			at++;
	}
	struct operand operand = {compiler, slice_after(text, at), at, &operation};
	enum operator_argument wants = operator_infos[operation.kind].argument;
	if (wants != OPERATOR_NONE && operand.text.len == 0 && operation.kind != OPERATOR_RX && wants != OPERATOR_TEXT)
		return compiler_error(compiler, at, NULL, "@%s wants an argument", operator_infos[operation.kind].name);
	int r = argument_parse(compiler, &operand);
	if (r == 0 && wants == OPERATOR_PATTERN)
		r = pattern_compilers[operation.kind](&operand);
	if (r == 0 && wants == OPERATOR_NUMBER)
		tell_number(&operand);
	if (r == 0)
		*ret_operation = operation;
	return r;
}
