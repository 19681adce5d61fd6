#include "http/redact.h"

#include "http/test_cases.h"

#include <stdio.h>
#include <stdlib.h>

static const struct slice own_names[] = {SLICE_INIT("My_Own")};
static struct redact_names names = {own_names, 1, NULL};

typedef void redactor(const struct redact_names *names, struct slice text, struct buffer *out);

static void arguments(const struct redact_names *all, struct slice text, struct buffer *out)
{
	redact_arguments(all, text, '&', out);
}

static void body(const struct redact_names *all, struct slice text, struct buffer *out)
{
	redact_body(all, slice_make("", 0), text, out);
}

static size_t kept;

/* What is told of a text's beginning is how all that is told of it begins, but where multipart comes into it. */
static void expect_beginnings(const struct redact_names *all, struct slice text, struct slice redacted)
{
	if (slice_find_nocase(text, SLICE("content-disposition:"), 0) < text.len)
		return;
	for (size_t limit = 0; limit <= redacted.len + 1; limit++) {
		struct buffer out = buffer_make(NULL);
		size_t left = redact_text_beginning(all, text, limit, &out);
		assert_true(slice_starts_with(redacted, buffer_slice(&out)));
		assert_true(out.len >= limit || (left == 0 && out.len == redacted.len));
		buffer_free(&out);
	}
}

/* Beside any end of it that is kept, what is found of the text is the same. */
static void expect_same_ends(const struct redact_names *all, struct slice text)
{
	bool keeps = redact_text_keeps(all, text, 0);
	for (size_t from = 0; from <= text.len; from++)
		if (redact_text_keeps(all, slice_after(text, from), 0))
			assert_int_equal(redact_text_keeps(all, text, text.len - from), keeps);
}

static void free_text(const struct redact_names *all, struct slice text, struct buffer *out)
{
	redact_text(all, slice_make("", 0), slice_make("", 0), text, out);
	expect_beginnings(all, text, buffer_slice(out));
	expect_same_ends(all, text);
	/* What is kept needs no copy: it must be told as such only where nothing goes. */
	if (redact_text_keeps(all, text, 0)) {
		assert_true(slice_equal(text, buffer_slice(out)));
		kept++;
	}
}

static const struct {
	struct slice name;
	redactor *redact;
} forms[] = {
	{SLICE_INIT("uri"), redact_uri}, {SLICE_INIT("args"), arguments}, {SLICE_INIT("json"), redact_json},
	{SLICE_INIT("body"), body},      {SLICE_INIT("text"), free_text}, {SLICE_INIT("multipart"), redact_multipart},
};

static void add_unchanged_or_escaped(struct slice s, struct buffer *out)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (c == '\r' || c == '\n')
			buffer_text(out, c == '\r' ? "\\r" : "\\n");
		else if (c == '\\')
			buffer_text(out, "\\x5c");
		else
			buffer_byte(out, c);
	}
}

static void render(struct slice input, struct arena *arena, struct buffer *out)
{
	struct slice form;
	struct slice text = test_fenced(slice_cut(input, '|', &form));
	struct buffer redacted = buffer_make(arena);
	bool known = true;
	if (form.ptr[0] == '!') {
		redact_header(&names, slice_after(form, 1), text, &redacted);
		if (redact_header_keeps(&names, slice_after(form, 1)))
			assert_true(slice_equal(text, buffer_slice(&redacted)));
	} else if (form.ptr[0] == '$') {
		redact_value(&names, slice_after(form, 1), text, &redacted);
	} else {
		known = false;
		for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
			if (!slice_equal(form, forms[i].name))
				continue;
			forms[i].redact(&names, text, &redacted);
			known = true;
		}
	}
	assert_true(known);
	add_unchanged_or_escaped(buffer_slice(&redacted), out);
}

static void test_cases(void **state)
{
	(void)state;
	kept = 0;
	test_cases_run("src/http/cases/redact.txt", render);
	assert_true(kept > 0);
}

/* Names that meet in one place of the memo, and names seen before, get the answers they get without it. */
static void test_remembered_names(void **state)
{
	(void)state;
	names.memo = redact_memo_new();
	assert_non_null(names.memo);
	test_cases(state);
	for (unsigned i = 0; i < 2000; i++) {
		char name[16];
		snprintf(name, sizeof(name), i % 3 == 0 ? "password%u" : "page%u", i % 700);
		assert_int_equal(redact_name_is_secret(&names, slice_from_string(name)), i % 3 == 0);
	}
	free(names.memo);
	names.memo = NULL;
}

/* With the rule's variable known, its value goes wherever it stands, and what matched with it. */
static void test_known_variable(void **state)
{
	(void)state;
	struct buffer out = buffer_make(NULL);
	redact_text(&names, SLICE("ARGS:password"), SLICE("hunter2"), SLICE("value hunter2 of hunter2x"), &out);
	assert_slice(buffer_slice(&out), "value [redacted] of [redacted]x");
	buffer_clear(&out);
	redact_text(&names, SLICE("ARGS:q"), SLICE("hunter2"), SLICE("value hunter2"), &out);
	assert_slice(buffer_slice(&out), "value hunter2");
	buffer_clear(&out);
	redact_text(&names, SLICE("ARGS:password"), SLICE("hunter2"), SLICE("Matched Data: unter"), &out);
	assert_slice(buffer_slice(&out), "Matched Data: [redacted] found within ARGS:password: [redacted]");
	buffer_clear(&out);
	redact_text_judged(&names, SLICE("ARGS:q"), SLICE("hunter2"), SLICE("value hunter2"), &out);
	assert_slice(buffer_slice(&out), "value [redacted]");
	buffer_clear(&out);
	redact_text_judged(&names, SLICE(""), SLICE("hunter2"), SLICE("value hunter2"), &out);
	assert_slice(buffer_slice(&out), "value hunter2");
	buffer_free(&out);
}

/* Of a long name, too, what is a collection of names holds no value. */
static void test_long_names(void **state)
{
	(void)state;
	assert_true(redact_name_is_secret(&names, SLICE("ARGS:a name of more bytes than are remembered/password")));
	assert_false(
		redact_name_is_secret(&names, SLICE("ARGS_NAMES:a name of more bytes than are remembered/password")));
	static const char *const words[] = {
		"auth",        "apikey",   "AccessKey",     "bearer",      "credential",   "cookie", "csrf",
		"Card-Number", "ccnum",    "cvv",           "cartao",      "clave",        "cvc",    "iban",
		"jwt",         "kennwort", "mima",          "motdepasse",  "mdp",          "otp",    "p_w_d",
		"PASSWD",      "pin",      "psw",           "private_key", "palavrapasse", "secret", "Ses-sion",
		"sessid",      "s-i-d",    "SSN",           "senha",       "segredo",      "totp",   "token",
		"xsrf",        "userpass", "numero_cartao", "page",        "ssession",     "sse",    "secretary",
		"cvd",         "pinboard", "codigosecreto", "senhor",      "to ken",
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char name[128];
		snprintf(name, sizeof(name), "a name of more bytes than are remembered sss/%s", words[i]);
		bool alone = redact_name_is_secret(&names, slice_from_string(words[i]));
		if (redact_name_is_secret(&names, slice_from_string(name)) != alone)
			fail_msg("'%s' is told from '%s'", name, words[i]);
	}
}

TEST_MAIN(cmocka_unit_test(test_cases), cmocka_unit_test(test_remembered_names), cmocka_unit_test(test_known_variable),
	  cmocka_unit_test(test_long_names))
