/*
 * Options by the rows of the command: long ones, letters with their value behind them or apart, words anywhere, `--`
 * before words alone. Values are kept in order, so that the last one counts, or each by its index. How words are read
 * as numbers, spans and reasons is here too.
 */
#include "cli/command.h"

#include "base/nearest.h"
#include "base/vector.h"

#include <stdio.h>
#include <stdlib.h>

bool cli_number(const char *text, uint64_t least, uint64_t most, uint64_t *ret_number)
{
	uint64_t number;
	if (!slice_number(slice_from_string(text), most, &number) || number < least)
		return false;
	*ret_number = number;
	return true;
}

bool cli_span(const char *text, uint64_t *ret_seconds)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = {{'\0', 1}, {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	const uint64_t most = UINT64_C(366) * 24 * 3600;
	uint64_t value = 0;
	const char *at = text;
	for (; *at >= '0' && *at <= '9' && value <= most; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	for (size_t i = 0; at > text && i < sizeof(units) / sizeof(units[0]); i++)
		if (*at == units[i].unit && (*at == '\0' || at[1] == '\0') && value > 0 &&
		    value <= most / units[i].seconds) {
			*ret_seconds = value * units[i].seconds;
			return true;
		}
	return false;
}

int cli_check_why(const char *why, size_t most_bytes)
{
	if (strlen(why) > most_bytes)
		return cli_fail(CLI_USER, "--why: at most %zu bytes", most_bytes);
	for (const char *c = why; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return cli_fail(CLI_USER, "--why: one line of text");
	return CLI_FINE;
}

struct parser {
	const struct command *command;
	struct cli_value *values;
	size_t value_count;
	size_t value_capacity;
	const char **words;
	size_t word_count;
	size_t word_capacity;
};

static int unknown(const struct command *command, const char *word)
{
	struct nearest nearest = nearest_to(slice_from_string(word));
	for (size_t i = 0; i < command->option_count; i++)
		nearest_offer(&nearest, command->options[i].name);
	if (nearest.name != NULL)
		return cli_fail(CLI_USER, "%s has no option --%s: did you mean --%s?", command->name, word,
				nearest.name);
	return cli_fail(CLI_USER, "%s has no option --%s; see `guia help %s`", command->name, word, command->name);
}

static int add_value(struct parser *p, const struct cli_option *option, const char *value)
{
	if (vector_grow((void **)&p->values, &p->value_capacity, p->value_count, sizeof(*p->values)) != 0)
		return cli_fail(CLI_ENVIRONMENT, "out of memory");
	p->values[p->value_count++] = (struct cli_value){option, value};
	return 0;
}

static int add_word(struct parser *p, const char *word)
{
	if (vector_grow((void **)&p->words, &p->word_capacity, p->word_count, sizeof(*p->words)) != 0)
		return cli_fail(CLI_ENVIRONMENT, "out of memory");
	p->words[p->word_count++] = word;
	return 0;
}

/* Takes `inline_value` ("--x=value", "-xvalue"), else the next word. */
static int take(struct parser *p, const struct cli_option *option, const char *inline_value, char **argv, int argc,
		int *at)
{
	if (option->argument == NULL) {
		if (inline_value != NULL)
			return cli_fail(CLI_USER, "--%s takes no value", option->name);
		return add_value(p, option, NULL);
	}
	if (inline_value != NULL)
		return add_value(p, option, inline_value);
	if (*at + 1 >= argc)
		return cli_fail(CLI_USER, "--%s needs a value: %s", option->name, option->argument);
	return add_value(p, option, argv[++*at]);
}

static int take_long(struct parser *p, char **argv, int argc, int *at)
{
	const char *word = argv[*at] + 2;
	size_t len = strcspn(word, "=");
	for (size_t i = 0; i < p->command->option_count; i++) {
		const struct cli_option *option = &p->command->options[i];
		if (strlen(option->name) == len && strncmp(option->name, word, len) == 0)
			return take(p, option, word[len] == '=' ? word + len + 1 : NULL, argv, argc, at);
	}
	char name[64];
	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	return unknown(p->command, name);
}

static int take_short(struct parser *p, char **argv, int argc, int *at)
{
	const char *word = argv[*at] + 1;
	for (size_t i = 0; i < p->command->option_count; i++)
		if (p->command->options[i].letter == word[0])
			return take(p, &p->command->options[i], word[1] != '\0' ? word + 1 : NULL, argv, argc, at);
	return cli_fail(CLI_USER, "%s has no option -%c; see `guia help %s`", p->command->name, word[0],
			p->command->name);
}

static int take_all(struct parser *p, int argc, char **argv)
{
	bool only_words = false;
	int r = 0;
	for (int at = 0; at < argc && r == 0; at++) {
		const char *word = argv[at];
		if (only_words || word[0] != '-' || word[1] == '\0')
			r = add_word(p, word);
		else if (strcmp(word, "--") == 0)
			only_words = true;
		else
			r = word[1] == '-' ? take_long(p, argv, argc, &at) : take_short(p, argv, argc, &at);
	}
	if (r == 0 && p->word_count < p->command->words_min)
		r = cli_fail(CLI_USER, "%s needs %s", p->command->name, p->command->synopsis);
	if (r == 0 && p->word_count > p->command->words_max)
		r = cli_fail(CLI_USER, "%s does not know what to do with `%s`; see `guia help %s`", p->command->name,
			     p->words[p->command->words_max], p->command->name);
	return r;
}

int cli_parse(const struct command *command, int argc, char **argv, struct cli_arguments *ret_arguments)
{
	struct parser p = {.command = command};
	int r = take_all(&p, argc, argv);
	if (r != 0) {
		free(p.values);
		free(p.words);
		return r;
	}
	*ret_arguments = (struct cli_arguments){command, p.values, p.value_count, p.words, p.word_count};
	return 0;
}

void cli_arguments_free(struct cli_arguments *arguments)
{
	free((void *)arguments->values);
	free((void *)arguments->words);
}

const char *cli_value_at(const struct cli_arguments *arguments, const char *name, size_t index)
{
	for (size_t i = 0; i < arguments->value_count; i++)
		if (strcmp(arguments->values[i].option->name, name) == 0 && index-- == 0)
			return arguments->values[i].value;
	return NULL;
}

int cli_values(const struct cli_arguments *arguments, const char *name, size_t most, const char **list)
{
	size_t count = 0;
	for (size_t i = 0; i < arguments->value_count; i++) {
		if (strcmp(arguments->values[i].option->name, name) != 0)
			continue;
		if (count == most)
			return cli_fail(CLI_USER, "--%s may be given %zu times", name, most);
		list[count++] = arguments->values[i].value;
	}
	list[count] = NULL;
	return CLI_FINE;
}

const char *cli_value(const struct cli_arguments *arguments, const char *name)
{
	const char *found = NULL;
	for (size_t i = 0; i < arguments->value_count; i++)
		if (strcmp(arguments->values[i].option->name, name) == 0)
			found = arguments->values[i].value;
	return found;
}

bool cli_flag(const struct cli_arguments *arguments, const char *name)
{
	for (size_t i = 0; i < arguments->value_count; i++)
		if (strcmp(arguments->values[i].option->name, name) == 0)
			return true;
	return false;
}
