/* Help for a terminal and man pages in roff, both from the table of commands. */
#include "cli/command.h"

#include <stdio.h>

static const struct {
	const char *code;
	const char *meaning;
} exit_codes[] = {
	{"0", "fine"},
	{"1", "there are findings: a site is not up, a test failed, something was refused"},
	{"2", "what the user wrote is wrong: the command line, rules, configuration"},
	{"3", "the machine: a file, a port, memory, a missing program"},
};

static void add_indented(struct buffer *out, const char *text)
{
	buffer_text(out, "  ");
	for (; *text != '\0'; text++) {
		buffer_byte(out, (uint8_t)*text);
		if (*text == '\n' && text[1] != '\0' && text[1] != '\n')
			buffer_text(out, "  ");
	}
}

void cli_help(const struct command *command, struct buffer *out)
{
	buffer_text(out, "Examples:\n");
	add_indented(out, command->examples);
	buffer_printf(out, "\nUsage: guia %s %s\n\n%s\n", command->name, command->synopsis, command->description);
	if (command->option_count > 0)
		buffer_text(out, "\nOptions:\n");
	for (size_t i = 0; i < command->option_count; i++) {
		const struct cli_option *o = &command->options[i];
		char letter[] = {'-', o->letter, ',', ' ', '\0'};
		char left[64];
		snprintf(left, sizeof(left), "%s--%s %s", o->letter != 0 ? letter : "    ", o->name,
			 o->argument != NULL ? o->argument : "");
		buffer_printf(out, "  %-28s %s\n", left, o->help);
	}
	buffer_text(out, "\nExit codes:\n");
	for (size_t i = 0; i < sizeof(exit_codes) / sizeof(exit_codes[0]); i++)
		buffer_printf(out, "  %s  %s\n", exit_codes[i].code, exit_codes[i].meaning);
}

void cli_help_all(struct buffer *out)
{
	buffer_text(out, "Examples:\n"
			 "  guia serve --site www.example.gov.mo=http://127.0.0.1:9000\n"
			 "  guia explain --rules rules/guia-crs.conf request.txt\n"
			 "  guia test --rules tests/crs/v3.conf TESTS\n"
			 "\nUsage: guia COMMAND ...\n\nCommands:\n");
	for (size_t i = 0; i < command_count; i++)
		buffer_printf(out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	buffer_text(out, "  help      this, or the help of one command\n"
			 "  version   the version\n"
			 "\n`guia help COMMAND` tells more.\n");
}

/* roff reads a line's first '.' or '\'' and every backslash and '-' in its own way. */
static void add_roff_slice(struct buffer *out, struct slice text)
{
	bool fresh = true;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if (fresh && (c == '.' || c == '\''))
			buffer_text(out, "\\&");
		if (c == '\\')
			buffer_text(out, "\\e");
		else if (c == '-')
			buffer_text(out, "\\-");
		else
			buffer_byte(out, c);
		fresh = c == '\n';
	}
}

static void add_roff(struct buffer *out, const char *text)
{
	add_roff_slice(out, slice_from_string(text));
}

static void add_paragraphs(struct buffer *out, const char *text)
{
	struct slice rest = slice_from_string(text);
	for (size_t end; (end = slice_find(rest, SLICE("\n\n"), 0)) < rest.len; rest = slice_after(rest, end + 2)) {
		add_roff_slice(out, slice_sub(rest, 0, end));
		buffer_text(out, "\n.PP\n");
	}
	add_roff_slice(out, rest);
	buffer_byte(out, '\n');
}

static void add_exit_codes(struct buffer *out)
{
	buffer_text(out, ".SH EXIT STATUS\n");
	for (size_t i = 0; i < sizeof(exit_codes) / sizeof(exit_codes[0]); i++) {
		buffer_printf(out, ".TP\n.B %s\n", exit_codes[i].code);
		add_roff(out, exit_codes[i].meaning);
		buffer_byte(out, '\n');
	}
}

void cli_man(const struct command *command, struct buffer *out)
{
	buffer_printf(out, ".TH GUIA\\-%s 1 \"\" \"guia %s\"\n.SH NAME\nguia\\-%s \\- ", command->name, GUIA_VERSION,
		      command->name);
	add_roff(out, command->summary);
	buffer_printf(out, "\n.SH SYNOPSIS\n.B guia %s\n", command->name);
	add_roff(out, command->synopsis);
	buffer_text(out, "\n.SH EXAMPLES\n.nf\n");
	add_roff(out, command->examples);
	buffer_text(out, ".fi\n.SH DESCRIPTION\n");
	add_paragraphs(out, command->description);
	if (command->option_count > 0)
		buffer_text(out, ".SH OPTIONS\n");
	for (size_t i = 0; i < command->option_count; i++) {
		const struct cli_option *o = &command->options[i];
		buffer_text(out, ".TP\n");
		if (o->letter != 0)
			buffer_printf(out, "\\fB\\-%c\\fR, ", o->letter);
		buffer_text(out, "\\fB\\-\\-");
		add_roff(out, o->name);
		buffer_printf(out, "\\fR %s\n", o->argument != NULL ? o->argument : "");
		add_roff(out, o->help);
		buffer_byte(out, '\n');
	}
	add_exit_codes(out);
	buffer_text(out, ".SH SEE ALSO\n.BR guia (1)\n");
}

void cli_man_all(struct buffer *out)
{
	buffer_printf(out,
		      ".TH GUIA 1 \"\" \"guia %s\"\n.SH NAME\nguia \\- keeps websites up and unbroken through an "
		      "attack\n.SH SYNOPSIS\n.B guia\nCOMMAND ...\n.SH DESCRIPTION\n"
		      "Guia inspects every request and response of the sites behind it with the OWASP Core Rule "
		      "Set.\n.SH COMMANDS\n",
		      GUIA_VERSION);
	for (size_t i = 0; i < command_count; i++) {
		buffer_printf(out, ".TP\n.BR guia\\-%s (1)\n", commands[i]->name);
		add_roff(out, commands[i]->summary);
		buffer_byte(out, '\n');
	}
	add_exit_codes(out);
}
