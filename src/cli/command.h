/*
 * A command is a row: its name, options, words and the text a person reads. Parsing, help, did-you-mean and the man
 * pages come from the row. Data goes to stdout, messages to stderr.
 */
#ifndef GUIA_CLI_COMMAND_H
#define GUIA_CLI_COMMAND_H

#include "base/address.h"
#include "base/buffer.h"

#include <sys/types.h>

enum {
	CLI_FINE = 0,
	CLI_FINDINGS = 1,    /* a test failed, a rule would not do */
	CLI_USER = 2,        /* what the user wrote is wrong */
	CLI_ENVIRONMENT = 3, /* the machine: files, ports, memory, packages */
};

struct cli_option {
	const char *name;     /* "--rules", without the dashes */
	char letter;          /* 0 if none */
	const char *argument; /* "FILE"; NULL for a flag */
	const char *help;
};

struct cli_arguments {
	const struct command *command;
	const struct cli_value {
		const struct cli_option *option;
		const char *value; /* NULL for a flag */
	} * values;
	size_t value_count;
	const char *const *words;
	size_t word_count;
};

struct command {
	const char *name;
	const char *summary;     /* one line */
	const char *examples;    /* lines of "guia ..." */
	const char *synopsis;    /* behind the name */
	const char *description; /* paragraphs, an empty line between them */
	const struct cli_option *options;
	size_t option_count;
	size_t words_min;
	size_t words_max; /* SIZE_MAX: any number */
	int (*run)(const struct cli_arguments *arguments);
};

extern const struct command *const commands[];
extern const size_t command_count;

/* 0 with *ret_arguments set (free its lists with cli_arguments_free), or the exit code after a message. */
int cli_parse(const struct command *command, int argc, char **argv, struct cli_arguments *ret_arguments);
void cli_arguments_free(struct cli_arguments *arguments);

bool cli_flag(const struct cli_arguments *arguments, const char *name);
/* The last value given, or NULL. */
const char *cli_value(const struct cli_arguments *arguments, const char *name);
/* The index-th value of an option that may be given several times, or NULL. */
const char *cli_value_at(const struct cli_arguments *arguments, const char *name, size_t index);

/* All of them and a NULL, for which `list` has room behind `most`. CLI_FINE, or CLI_USER after a message: they are
 * more. */
int cli_values(const struct cli_arguments *arguments, const char *name, size_t most, const char **list);

/* "guia: ..." to stderr; returns `code`. */
int cli_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A whole number in digits alone, from `least` to `most`. */
bool cli_number(const char *text, uint64_t least, uint64_t most, uint64_t *ret_number);

/* A time: "90s", "10m", "2h", "7d", a number alone is seconds; more than none and a year at most. */
bool cli_span(const char *text, uint64_t *ret_seconds);

/* Whether a reason is one line and no longer: CLI_FINE, or an exit code after a message about --why. */
int cli_check_why(const char *why, size_t most_bytes);

/* Of an address with bits set behind the length: which prefix it is in. CLI_USER. */
int cli_fail_around(const char *text, const struct prefix *around);

/*
 * A folder, made where there is none, that is this user's or `owner`'s and nobody else may write to: CLI_FINE, or after
 * a message.
 */
int cli_folder_make(const char *path, unsigned mode, uid_t owner);

/* Says that a file the user named cannot be read. A name that is wrong is the user's, all else the machine's. */
int cli_unreadable(const char *path, int error);

/* To stdout, with nothing left in its buffer: `code`, or CLI_ENVIRONMENT after a message. */
int cli_print(const struct buffer *out, int code);
/* The same of JSON whose strings are of anyone's making: no terminal obeys them. */
int cli_print_json(const struct buffer *json, int code);

/* The help of a command, and its man page in roff. */
void cli_help(const struct command *command, struct buffer *out);
void cli_man(const struct command *command, struct buffer *out);
void cli_help_all(struct buffer *out);
void cli_man_all(struct buffer *out);

/* Whether messages to this stream may hold colour: a terminal, and no NO_COLOR. */
bool cli_colour(int fd);

#endif
