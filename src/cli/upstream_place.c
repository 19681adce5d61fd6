/*
 * Two things side by side. The keeper is asked on its socket; what is only tried can be answered by the configuration
 * where none runs. And ExaBGP's configuration is written, its folder and files given to whom ExaBGP is to run as.
 */
#include "cli/upstream_place.h"

#include "base/control.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/watch_place.h"
#include "serve/prepare.h"
#include "upstream/exabgp.h"
#include "upstream/keeper.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXABGP_CONF "exabgp.conf"

enum {
	ARENA_BYTES = 64 << 20,
	PASSWORD_FILE_BYTES = 4096,
	PATIENCE_SECONDS = 15, /* with a keeper on a machine that is overwhelmed: as with its watch */
};

static int load(const char *file, const char *folder, struct upstream_place *place)
{
	const struct notice notice = {-1};
	struct serve_config config;
	arena_init(&place->arena, ARENA_BYTES, 0);
	int code = prepare_parse(file, &notice, &place->arena, &config);
	if (code != SERVE_FINE) {
		arena_destroy(&place->arena);
		return code;
	}
	place->operators = config.operators;
	struct slice said = config_upstream_dir(&config);
	int len = folder != NULL ? snprintf(place->folder, sizeof(place->folder), "%s", folder)
				 : snprintf(place->folder, sizeof(place->folder), "%.*s", SLICE_ARG(said));
	config_free(&config);
	if (len < (int)sizeof(place->folder))
		return CLI_FINE;
	upstream_place_free(place);
	return cli_fail(CLI_USER, "--upstream-dir: too long");
}

void upstream_place_free(struct upstream_place *place)
{
	arena_destroy(&place->arena);
}

int upstream_place_load(const struct cli_arguments *arguments, struct upstream_place *ret_place)
{
	const char *file = cli_value(arguments, "config");
	if (file == NULL)
		return cli_fail(CLI_USER, "which operators? give -c FILE, the configuration");
	int code = load(file, cli_value(arguments, "upstream-dir"), ret_place);
	if (code == CLI_FINE && ret_place->operators.count == 0) {
		upstream_place_free(ret_place);
		return cli_fail(CLI_USER, "%s has no `operators`: docs/operators.md", file);
	}
	return code;
}

/* The folder alone. CLI_FINE, or an exit code after a message. */
static int find(const struct cli_arguments *arguments, char folder[PATH_MAX])
{
	struct upstream_place place;
	const char *file = cli_value(arguments, "config"), *said = cli_value(arguments, "upstream-dir");
	if (said != NULL || file == NULL) {
		if (snprintf(folder, PATH_MAX - 64, "%s", said != NULL ? said : UPSTREAM_DIR) >= PATH_MAX - 64)
			return cli_fail(CLI_USER, "--upstream-dir: too long");
		return CLI_FINE;
	}
	int code = load(file, NULL, &place);
	if (code == CLI_FINE) {
		snprintf(folder, PATH_MAX, "%s", place.folder);
		upstream_place_free(&place);
	}
	return code;
}

/* By the configuration alone, where no keeper runs. */
static int plan(const struct cli_arguments *arguments, const char *question, struct buffer *text)
{
	struct upstream_place place;
	int code = upstream_place_load(arguments, &place);
	if (code != CLI_FINE)
		return code;
	const struct keeper_options options = {place.folder, place.operators.items, place.operators.count};
	int r = keeper_plan(&options, slice_from_string(question), text);
	upstream_place_free(&place);
	if (r != 0)
		return cli_fail(CLI_ENVIRONMENT, "out of memory");
	fprintf(stderr, "guia: no keeper runs (ExaBGP starts it): judged by %s alone\n",
		cli_value(arguments, "config"));
	return CLI_FINE;
}

static int ask(const struct cli_arguments *arguments, const char *question, struct buffer *text)
{
	char folder[PATH_MAX], path[PATH_MAX + 16];
	int code = find(arguments, folder);
	if (code != CLI_FINE)
		return code;
	snprintf(path, sizeof(path), "%s/" KEEPER_SOCKET, folder);
	int r = control_ask_within(path, question, PATIENCE_SECONDS, text);
	if (r == 0)
		return CLI_FINE;
	if (r == -EACCES && geteuid() == 0)
		return cli_fail(CLI_ENVIRONMENT, "%s: the keeper ended before it answered: look again", path);
	if (r == -EACCES)
		return cli_fail(CLI_ENVIRONMENT,
				"%s: the keeper does not answer this user: ask as root, as who ExaBGP runs as, or as "
				"one of its group",
				path);
	bool absent = r == -ENOENT || r == -ECONNREFUSED;
	if (absent && strncmp(question, "try ", 4) == 0 && cli_value(arguments, "config") != NULL)
		return plan(arguments, question, text);
	return cli_fail(CLI_ENVIRONMENT, "%s: no keeper answers there (ExaBGP starts it): %s", path, strerror(-r));
}

int upstream_place_ask(const struct cli_arguments *arguments, const char *question, struct buffer *text,
		       json_t **ret_json)
{
	json_error_t error;
	*text = buffer_make(NULL);
	int code = ask(arguments, question, text);
	if (code != CLI_FINE)
		;
	else if ((*ret_json = json_loadb((const char *)text->ptr, text->len, 0, &error)) == NULL)
		code = cli_fail(CLI_ENVIRONMENT, "the keeper's answer cannot be read: %s", error.text);
	else if (answer_string(*ret_json, "fault")[0] != '\0') {
		code = cli_fail(CLI_USER, "%s", answer_string(*ret_json, "fault"));
		json_decref(*ret_json);
	}
	if (code != CLI_FINE)
		buffer_free(text);
	return code;
}

/* ---- ExaBGP's configuration ---- */

static int passwords_read(const struct upstream_place *place, struct arena *arena, struct slice *passwords)
{
	for (size_t i = 0; i < place->operators.count; i++) {
		const char *path = place->operators.items[i].password_file;
		struct buffer text = buffer_make(arena);
		if (path == NULL)
			continue;
		int r = file_read(path, PASSWORD_FILE_BYTES, &text);
		if (r != 0)
			return cli_unreadable(path, r);
		if (!exabgp_password(buffer_slice(&text), &passwords[i]))
			return cli_fail(CLI_USER,
					"%s: should hold a password, a line of at most %d letters, digits and signs "
					"without quotes",
					path, EXABGP_PASSWORD_BYTES);
	}
	return CLI_FINE;
}

/* Words that ExaBGP's language has no quotes for are refused. */
static int command_make(const char *file, const char *folder, struct buffer *out)
{
	char *config = realpath(file, NULL), *where = realpath(folder, NULL), *self = realpath("/proc/self/exe", NULL);
	const char *words[] = {self, config, where};
	int code = CLI_FINE;
	for (size_t i = 0; i < 3 && code == CLI_FINE; i++)
		if (words[i] == NULL || strpbrk(words[i], " \t\n\"';{}[]#\\") != NULL)
			code = cli_fail(CLI_USER, "%s: ExaBGP needs paths without spaces, quotes and brackets",
					i == 1 ? file : folder);
	if (code == CLI_FINE)
		buffer_printf(out, "%s upstream keep -c %s --upstream-dir %s", self, config, where);
	buffer_byte(out, '\0');
	free(config);
	free(where);
	free(self);
	return code;
}

/* Who ExaBGP is to run as. Copied: what getpwnam() gives lasts until the next look. */
struct heir {
	bool named;
	char name[64];
	uid_t uid;
	gid_t gid;
};

static int heir_read(const struct cli_arguments *arguments, struct heir *ret_heir)
{
	const char *name = cli_value(arguments, "user");
	const struct passwd *user = name != NULL ? getpwnam(name) : NULL;
	*ret_heir = (struct heir){.named = user != NULL, .uid = geteuid(), .gid = getegid()};
	if (name == NULL)
		return CLI_FINE;
	if (user == NULL)
		return cli_fail(CLI_USER, "--user %s: there is no such user", name);
	snprintf(ret_heir->name, sizeof(ret_heir->name), "%s", user->pw_name);
	ret_heir->uid = user->pw_uid;
	ret_heir->gid = user->pw_gid;
	return CLI_FINE;
}

/*
 * Gives what is ours and stands there itself: a link by another name may be anything, and the folder may have been
 * another's before. What is not there need not be given.
 */
static int give(int folder, const char *name, const struct heir *heir)
{
	struct stat st;
	int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), code = CLI_FINE;
	if (fd < 0 && errno == ENOENT)
		return CLI_FINE;
	bool ours = fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
		    (S_ISDIR(st.st_mode) || ((S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode)) && st.st_nlink == 1));
	if (fd < 0 || (ours && fchownat(fd, "", heir->uid, heir->gid, AT_EMPTY_PATH) != 0))
		code = cli_fail(CLI_ENVIRONMENT, "%s: cannot be given to %s: %s", name, heir->name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return code;
}

/* With what a keeper of this user's left there, which another's could not open. What that asked for is gone on with. */
static int give_all(const char *path, const struct heir *heir)
{
	static const char *const names[] = {EXABGP_CONF, KEEPER_JOURNAL, KEEPER_LOCK, KEEPER_SOCKET, "."};
	int code = CLI_FINE;
	if (!heir->named)
		return CLI_FINE;
	int folder = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return cli_fail(CLI_ENVIRONMENT, "%s: %s", path, strerror(errno));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && code == CLI_FINE; i++)
		code = give(folder, names[i], heir);
	close(folder);
	return code;
}

static bool is_of_group(const struct heir *heir, gid_t group)
{
	gid_t groups[256];
	int count = sizeof(groups) / sizeof(groups[0]);
	if (getgrouplist(heir->name, heir->gid, groups, &count) < 0)
		return true; /* of so many, perhaps */
	for (int i = 0; i < count; i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* By its mode alone: whether the keeper will be able to begin. */
static void check_readable(const char *file, const struct heir *heir)
{
	struct stat st;
	if (!heir->named || heir->uid == 0 || stat(file, &st) != 0)
		return;
	mode_t needs = st.st_uid == heir->uid ? S_IRUSR : is_of_group(heir, st.st_gid) ? S_IRGRP : S_IROTH;
	if ((st.st_mode & needs) == 0)
		fprintf(stderr, "guia: %s: by its mode %s may not read it, and then the keeper cannot begin\n", file,
			heir->name);
}

static int configure(const struct cli_arguments *arguments, const struct upstream_place *place, struct arena *arena)
{
	char path[PATH_MAX];
	struct slice *passwords = arena_zalloc(arena, place->operators.count, sizeof(*passwords));
	struct buffer command = buffer_make(arena), out = buffer_make(arena);
	if (passwords == NULL)
		return cli_fail(CLI_ENVIRONMENT, "out of memory");
	struct heir heir;
	int code = heir_read(arguments, &heir);
	code = code != CLI_FINE ? code : cli_folder_make(place->folder, 0750, heir.uid);
	code = code != CLI_FINE ? code : passwords_read(place, arena, passwords);
	code = code != CLI_FINE ? code : command_make(cli_value(arguments, "config"), place->folder, &command);
	if (code != CLI_FINE)
		return code;
	snprintf(path, sizeof(path), "%s/" EXABGP_CONF, place->folder);
	int r = exabgp_configure(place->operators.items, passwords, place->operators.count, (const char *)command.ptr,
				 &out);
	r = r != 0 ? r : file_replace(path, buffer_slice(&out), 0600);
	if (r != 0)
		return cli_fail(CLI_ENVIRONMENT, "%s: %s", path, strerror(-r));
	code = give_all(place->folder, &heir);
	check_readable(cli_value(arguments, "config"), &heir);
	if (code == CLI_FINE)
		printf("%s\n", path);
	return code;
}

int upstream_place_configure(const struct cli_arguments *arguments)
{
	struct upstream_place place;
	int code = upstream_place_load(arguments, &place);
	if (code != CLI_FINE)
		return code;
	code = configure(arguments, &place, &place.arena);
	upstream_place_free(&place);
	return code;
}
