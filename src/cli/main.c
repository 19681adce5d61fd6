/* guia COMMAND ...: finds the row and runs it. */
#include "base/nearest.h"
#include "cli/command.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int unknown(const char *name)
{
	struct nearest nearest = nearest_to(slice_from_string(name));
	for (size_t i = 0; i < command_count; i++)
		nearest_offer(&nearest, commands[i]->name);
	if (nearest.name != NULL)
		return cli_fail(CLI_USER, "there is no command `%s`: did you mean `%s`?", name, nearest.name);
	return cli_fail(CLI_USER, "there is no command `%s`; see `guia help`", name);
}

static int print(struct buffer *text)
{
	bool failed = text->error != 0 || fwrite(text->ptr, 1, text->len, stdout) != text->len || fflush(stdout) != 0;
	buffer_free(text);
	return failed ? cli_fail(CLI_ENVIRONMENT, "cannot write") : CLI_FINE;
}

/* help [--man] [COMMAND] */
static int help(int argc, char **argv)
{
	bool man = argc > 0 && strcmp(argv[0], "--man") == 0;
	const char *name = argc > man ? argv[man] : NULL;
	struct buffer text = buffer_make(NULL);
	if (name == NULL) {
		(man ? cli_man_all : cli_help_all)(&text);
		return print(&text);
	}
	const struct command *command = find(name);
	if (command == NULL)
		return unknown(name);
	(man ? cli_man : cli_help)(command, &text);
	return print(&text);
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

enum { STACK_BYTES = 8 << 20, STACK_LEAST_BYTES = 1 << 20 };

/* Patterns are compiled on the stack: what a shell or a manager made small is made larger, of threads to come too. */
static int take_stack(void)
{
	struct rlimit limit;
	pthread_attr_t attributes;
	if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= STACK_BYTES)
		return CLI_FINE;
	limit.rlim_cur = limit.rlim_max < STACK_BYTES ? limit.rlim_max : STACK_BYTES;
	(void)setrlimit(RLIMIT_STACK, &limit);
	if (limit.rlim_cur < STACK_LEAST_BYTES)
		return cli_fail(CLI_ENVIRONMENT, "the stack may hold %llu KB only; allow 1 MB: ulimit -s 1024",
				(unsigned long long)limit.rlim_cur / 1024);
	if (pthread_attr_init(&attributes) != 0)
		return CLI_FINE;
	if (pthread_attr_setstacksize(&attributes, limit.rlim_cur) == 0)
		(void)pthread_setattr_default_np(&attributes);
	pthread_attr_destroy(&attributes);
	return CLI_FINE;
}

/* A file that may not grow (ulimit -f) and a reader who has left are errors of write(2), not the end. */
static int take_limits(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return take_stack();
}

int main(int argc, char **argv)
{
	if (take_limits() != CLI_FINE)
		return CLI_ENVIRONMENT;
	const char *name = argc > 1 ? argv[1] : "";
	if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
		puts("guia " GUIA_VERSION);
		return CLI_FINE;
	}
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return help(argc - 2, argv + 2);
	if (argc < 2) {
		struct buffer text = buffer_make(NULL);
		cli_help_all(&text);
		fprintf(stderr, "%.*s", SLICE_ARG(buffer_slice(&text)));
		buffer_free(&text);
		return CLI_USER;
	}
	const struct command *command = find(name);
	if (command == NULL)
		return unknown(name);
	if (asks_for_help(argc - 2, argv + 2)) {
		char *words[] = {argv[1]};
		return help(1, words);
	}
	struct cli_arguments arguments;
	int r = cli_parse(command, argc - 2, argv + 2, &arguments);
	if (r != 0)
		return r;
	r = command->run(&arguments);
	cli_arguments_free(&arguments);
	return r;
}
