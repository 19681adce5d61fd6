/*
 * The steps of a start, each of which says itself why it fails: parse, files and certificates; parts of the
 * installation; ports, by binding them; the run directory; nginx.conf, rendered aside, tested by nginx and renamed.
 */
#include "serve/prepare.h"

#include "base/error.h"
#include "base/file.h"
#include "serve/certificate.h"
#include "serve/config_whole.h"
#include "serve/config_yaml.h"
#include "serve/endpoint.h"
#include "serve/events_key.h"
#include "serve/events_room.h"
#include "serve/origins.h"
#include "serve/paths.h"
#include "serve/port.h"
#include "serve/process.h"
#include "serve/render.h"
#include "serve/valid.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CONFIG_LIMIT_BYTES = 16 << 20,
};

static int add_command_line(const struct serve_options *options, struct diagnostics *diagnostics,
			    struct serve_config *config)
{
	int worst = 0;
	for (const char *const *site = options->sites; *site != NULL && worst >= 0; site++) {
		int r = config_add_site(slice_from_string(*site), diagnostics, config);
		worst = r != 0 ? r : worst;
	}
	if (options->listens[0] != NULL)
		config->listen.count = 0;
	for (const char *const *listen = options->listens; *listen != NULL && worst >= 0; listen++) {
		int r = config_add_listen(slice_from_string(*listen), diagnostics, config);
		worst = r != 0 ? r : worst;
	}
	return worst;
}

static int read_error(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat about;
	int error = fd < 0 || fstat(fd, &about) != 0 ? errno : S_ISDIR(about.st_mode) ? EISDIR : 0;
	if (fd >= 0)
		close(fd);
	return error;
}

static int check_files(const struct serve_config *config, struct diagnostics *diagnostics)
{
	int r = 0;
	for (const struct config_file *file = config->first_file; file != NULL; file = file->next) {
		int error = read_error(file->path);
		if (error == 0)
			continue;
		diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, file->place,
				error == ENOENT   ? "a relative path starts at the folder of this file"
				: error == EACCES ? "you may not read it, or not pass through a folder above it"
						  : NULL,
				"`%s`: %s: %s", file->key, file->path, strerror(error));
		r = CONFIG_INVALID;
	}
	return r;
}

static struct source_place place_of(const struct serve_config *config, struct slice path, const char *key)
{
	for (const struct config_file *file = config->first_file; file != NULL; file = file->next)
		if (slice_equal(slice_from_string(file->path), path) && strcmp(file->key, key) == 0)
			return file->place;
	return (struct source_place){.file = ""};
}

/* Sites next to each other with the same certificate and key are asked once. */
static int check_certificates(const struct serve_config *config, struct diagnostics *diagnostics)
{
	struct slice last[2] = {SLICE(""), SLICE("")};
	int r = 0;
	for (size_t i = 0; i < config->site_count; i++) {
		const struct site *site = &config->sites[i];
		const char *path = "", *wrong = NULL;
		bool again = slice_equal(site->certificate, last[0]) && slice_equal(site->key, last[1]);
		if (site->certificate.len > 0 && !again)
			wrong = certificate_fault(site->certificate, site->key, config->arena, &path);
		last[0] = site->certificate;
		last[1] = site->key;
		if (wrong == NULL)
			continue;
		struct slice named = slice_from_string(path);
		const char *key = slice_equal(named, site->certificate) ? "certificate" : "key";
		diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, place_of(config, named, key),
				"a certificate is PEM, with those that vouch for it behind it; a key is PEM without a "
				"passphrase",
				"%s: %s", path, wrong);
		r = CONFIG_INVALID;
	}
	return r;
}

static int parse(const struct serve_options *options, struct arena *arena, struct diagnostics *diagnostics,
		 struct serve_config *config)
{
	struct buffer text = buffer_make(arena);
	int r = 0;
	if (options->file != NULL && (r = file_read(options->file, CONFIG_LIMIT_BYTES, &text)) == 0)
		r = config_parse(buffer_slice(&text), options->file, diagnostics, config);
	r = r != 0 ? r : add_command_line(options, diagnostics, config);
	return r != 0 ? r : config_finish(config, geteuid() == 0, diagnostics);
}

static int load(const struct serve_options *options, bool with_files, const struct notice *notice, struct arena *arena,
		struct serve_config *ret_config)
{
	struct diagnostics diagnostics;
	diagnostics_init(&diagnostics);
	config_init(ret_config, arena);
	ret_config->gate_off = options->gate_off;
	int r = parse(options, arena, &diagnostics, ret_config);
	if (with_files) {
		r = r != 0 ? r : check_files(ret_config, &diagnostics);
		r = r != 0 ? r : check_certificates(ret_config, &diagnostics);
		r = r != 0 ? r : origins_check(ret_config, &diagnostics);
	}
	notice_diagnostics(notice, &diagnostics);
	diagnostics_destroy(&diagnostics);
	bool misnamed = r == -ENOENT || r == -EISDIR || r == -ENOTDIR;
	int code = r == 0 ? SERVE_FINE : r > 0 || misnamed ? SERVE_USER : SERVE_ENVIRONMENT;
	if (r < 0)
		notice_say(notice, "%s: %s", options->file != NULL ? options->file : "configuration", strerror(-r));
	if (code != SERVE_FINE)
		config_free(ret_config);
	return code;
}

int prepare_config(const struct serve_options *options, const struct notice *notice, struct arena *arena,
		   struct serve_config *ret_config)
{
	return load(options, true, notice, arena, ret_config);
}

int prepare_parse(const char *file, const struct notice *notice, struct arena *arena, struct serve_config *ret_config)
{
	const char *const none[] = {NULL};
	const struct serve_options options = {.file = file, .sites = none, .listens = none};
	return load(&options, false, notice, arena, ret_config);
}

static int need(const char *path, const struct notice *notice, const char *what)
{
	if (path == NULL) {
		notice_say(notice, "%s", what);
		return SERVE_ENVIRONMENT;
	}
	if (valid_path(slice_from_string(path)) == NULL)
		return SERVE_FINE;
	notice_say(notice, "%s: nginx's configuration cannot name this path: no white space, quotes or ;{}$", path);
	return SERVE_ENVIRONMENT;
}

int parts_find(const struct serve_options *options, const struct serve_config *config, const struct notice *notice,
	       struct serve_parts *ret_parts)
{
	char given[PATH_MAX] = "";
	if (config->cache_dir.len > 0)
		snprintf(given, sizeof(given), "%.*s", SLICE_ARG(config->cache_dir));
	const char *cache = options->cache_dir != NULL ? options->cache_dir : given[0] != '\0' ? given : NULL;
	struct serve_parts parts = {paths_nginx(), paths_module(), paths_recommended_rules(), paths_cache(cache)};
	int code = need(parts.nginx, notice, "there is no nginx: apt-get install nginx");
	if (code == SERVE_FINE)
		code = need(parts.module, notice,
			    "ngx_http_guia_module.so is neither beside this program nor in /usr/lib/nginx/modules");
	if (code == SERVE_FINE && config->rules.count == 0)
		code = need(parts.rules, notice, "the recommended rules (guia-crs.conf) are not installed");
	if (code == SERVE_FINE && parts.cache != NULL)
		code = need(parts.cache, notice, "");
	if (code == SERVE_FINE)
		*ret_parts = parts;
	else
		parts_free(&parts);
	return code;
}

void parts_free(struct serve_parts *parts)
{
	free(parts->nginx);
	free(parts->module);
	free(parts->rules);
	free(parts->cache);
}

/* SERVE_FINE with the folder that options or configuration name, NULL if none. */
static int wanted_run_dir(const struct serve_options *options, const struct serve_config *config,
			  const struct notice *notice, char given[PATH_MAX], const char **ret_wanted)
{
	snprintf(given, PATH_MAX, "%.*s", SLICE_ARG(config->run_dir));
	const char *wanted = options->run_dir != NULL ? options->run_dir : given[0] != '\0' ? given : NULL;
	if (wanted != NULL && (wanted[0] != '/' || valid_path(slice_from_string(wanted)) != NULL)) {
		notice_say(notice, "--run-dir %s: give an absolute path without white space, quotes or ;{}$", wanted);
		return SERVE_USER;
	}
	*ret_wanted = wanted;
	return SERVE_FINE;
}

static int refuse_run_dir(const struct notice *notice, const char *wanted, int error)
{
	struct stat st;
	if (error == -EPERM && wanted != NULL && lstat(wanted, &st) == 0 && st.st_uid != geteuid()) {
		const struct passwd *owner = getpwuid(st.st_uid);
		notice_say(notice, "run directory %s: it belongs to %s: serve, and check, as that user", wanted,
			   owner != NULL ? owner->pw_name : "another user");
		return SERVE_ENVIRONMENT;
	}
	notice_say(notice, "run directory %s: %s", wanted != NULL ? wanted : "below $TMPDIR",
		   error == -EBUSY    ? "another guia serves from it"
		   : error == -EACCES ? "you, or the user of nginx's workers, may not pass through a folder above it"
		   : error == -EPERM  ? "it must be a folder of yours that nobody else may read (chmod 700)"
				      : strerror(-error));
	return SERVE_ENVIRONMENT;
}

/* A gate that runs from the same folder makes room when it ends; which of those in memory is its nobody knows. */
static void check_events(const char *wanted, const struct serve_config *config, const struct notice *notice)
{
	struct events_dir place;
	uint64_t needed_bytes = events_room_needed_bytes(config->workers), held_bytes = events_dir_held_bytes();
	uint64_t lacking_bytes = held_bytes < needed_bytes ? needed_bytes - held_bytes : 0;
	if (run_dir_events_place(wanted, lacking_bytes, &place) == 0 && !place.apart)
		events_room_tell(place.path, place.memory_short, needed_bytes, notice);
}

int prepare_run_dir_check(const struct serve_options *options, const struct serve_config *config,
			  const struct notice *notice)
{
	char given[PATH_MAX];
	const char *wanted;
	int code = wanted_run_dir(options, config, notice, given, &wanted);
	int r = code == SERVE_FINE ? run_dir_check(wanted) : 0;
	if (code != SERVE_FINE || r != 0)
		return r != 0 ? refuse_run_dir(notice, wanted, r) : code;
	check_events(wanted, config, notice);
	return SERVE_FINE;
}

void prepare_events_tell(const struct serve_config *config, const struct run_dir *dir, const struct notice *notice)
{
	if (!config->gate_off && dir->events.path[0] != '\0')
		events_room_tell(dir->events.path, dir->events.memory_short, events_room_needed_bytes(config->workers),
				 notice);
}

int prepare_run_dir(const struct serve_options *options, const struct serve_config *config, const struct notice *notice,
		    struct run_dir *ret_dir)
{
	char given[PATH_MAX];
	const char *wanted;
	int code = wanted_run_dir(options, config, notice, given, &wanted);
	if (code != SERVE_FINE)
		return code;
	int r = run_dir_open(wanted, events_room_needed_bytes(config->workers), ret_dir);
	if (r == 0 && ret_dir->events_error != 0)
		notice_say(notice, "warning: no folder for events: %s; the gate serves without a watch",
			   strerror(-ret_dir->events_error));
	if (r == 0 && ret_dir->key_error == EVENTS_KEY_REPLACED)
		notice_say(notice, "warning: %s/events.key was no key; what the watch has learned is learned anew",
			   ret_dir->path);
	else if (r == 0 && ret_dir->key_error != 0)
		notice_say(notice, "warning: no key for events can be kept: %s; the next start learns anew",
			   strerror(-ret_dir->key_error));
	if (r == 0 && ret_dir->bans_error != 0)
		notice_say(notice, "warning: no folder for bans: %s; nobody can be banned by address",
			   strerror(-ret_dir->bans_error));
	return r == 0 ? SERVE_FINE : refuse_run_dir(notice, wanted, r);
}

static int cannot_write(const struct notice *notice, const char *path, int error)
{
	notice_say(notice, "%s: %s", path, strerror(-error));
	return SERVE_ENVIRONMENT;
}

/*
 * What nginx found wrong: the user's doing, unless the machine is in the way. nginx says the number of an error before
 * its words, which are of the user's language: ENOSPC, EACCES, ENOMEM, EMFILE, EROFS.
 */
static int refused(const struct notice *notice, struct slice said, int status)
{
	static const char *const machine[] = {
		"(28: ", "(13: ", "(12: ", "(24: ", "(30: ", "dlopen() \"", "is not binary compatible"};
	notice_say(notice, "nginx refuses the configuration (exit %d):", status);
	notice_quote(notice, said);
	for (size_t i = 0; i < sizeof(machine) / sizeof(machine[0]); i++)
		if (slice_find(said, slice_from_string(machine[i]), 0) < said.len)
			return SERVE_ENVIRONMENT;
	return status == 1 ? SERVE_USER : SERVE_ENVIRONMENT;
}

static int test_nginx(const struct serve_parts *parts, const struct run_dir *dir, const char *file,
		      const struct notice *notice)
{
	char prefix[PATH_MAX];
	struct buffer said = buffer_make(NULL);
	int status = 0;
	snprintf(prefix, sizeof(prefix), "%s/", dir->path);
	/* What it has to say comes here, and not into the log, where nginx will say it again when it starts. */
	const char *const argv[] = {parts->nginx, "-t", "-p", prefix, "-c", file, "-e", "stderr", NULL};
	int r = process_run(argv, &said, &status);
	int code = r != 0        ? cannot_write(notice, parts->nginx, r)
		   : status != 0 ? refused(notice, buffer_slice(&said), status)
				 : SERVE_FINE;
	buffer_free(&said);
	return code;
}

static long open_files(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	return limit.rlim_max < LONG_MAX ? (long)limit.rlim_max : LONG_MAX;
}

static void tell_count(const struct serve_config *config, const struct notice *notice)
{
	struct diagnostics diagnostics;
	diagnostics_init(&diagnostics);
	config_count_sites(config, &diagnostics);
	notice_diagnostics(notice, &diagnostics);
	diagnostics_destroy(&diagnostics);
}

/* What nginx has stays under another name, where it has any, should it not take the new one. 0 or -errno. */
static int put_in_place(const struct run_dir *dir, const char *aside, const char *place)
{
	char before[PATH_MAX];
	snprintf(before, sizeof(before), "%s/nginx.conf.before", dir->path);
	if ((unlink(before) != 0 && errno != ENOENT) || (link(place, before) != 0 && errno != ENOENT))
		return -errno;
	return rename(aside, place) == 0 ? 0 : -errno;
}

void prepare_nginx_undo(const struct run_dir *dir, const struct notice *notice)
{
	char before[PATH_MAX], place[PATH_MAX];
	snprintf(before, sizeof(before), "%s/nginx.conf.before", dir->path);
	snprintf(place, sizeof(place), "%s/nginx.conf", dir->path);
	if (rename(before, place) != 0)
		(void)cannot_write(notice, place, -errno);
}

int prepare_nginx(const struct serve_config *config, const struct serve_parts *parts, const struct run_dir *dir,
		  const struct notice *notice)
{
	tell_count(config, notice);
	char aside[PATH_MAX], place[PATH_MAX];
	struct buffer text = buffer_make(NULL);
	bool *resolvable = origins_resolve(config, notice);
	struct render_places places = {
		.run_dir = dir->path,
		.worker_dir = dir->workers,
		.events_dir = dir->events.path,
		.bans_dir = dir->bans,
		.module = parts->module,
		.recommended_rules = parts->rules,
		.cache_dir = parts->cache != NULL ? parts->cache : "",
		.user = dir->user,
		.open_files = open_files(),
		.resolvable = resolvable,
	};
	snprintf(aside, sizeof(aside), "%s/nginx.conf.new", dir->path);
	snprintf(place, sizeof(place), "%s/nginx.conf", dir->path);
	int r = resolvable == NULL ? -ENOMEM : render_nginx(config, &places, &text);
	r = r != 0 ? r : file_replace(aside, buffer_slice(&text), 0600);
	int code = r != 0 ? cannot_write(notice, aside, r) : test_nginx(parts, dir, aside, notice);
	r = code == SERVE_FINE ? put_in_place(dir, aside, place) : 0;
	code = r != 0 ? cannot_write(notice, place, r) : code;
	free(resolvable);
	buffer_free(&text);
	return code;
}

/* nginx would try for seconds and say it in its own words: asked here first. */
static int check_port(struct slice listen, bool may_be_in_use, const struct notice *notice)
{
	int r = port_try(listen);
	if (r == 0 || (r == -EADDRINUSE && may_be_in_use))
		return SERVE_FINE;
	notice_say(notice, "cannot listen at %.*s: %s", SLICE_ARG(listen),
		   r == -EADDRINUSE ? "another program uses this port"
		   : r == -EACCES   ? "only root may use ports below 1024; write listen: 8080, or be root"
				    : strerror(-r));
	return SERVE_ENVIRONMENT;
}

int prepare_ports(const struct serve_config *config, const struct serve_config *before, bool may_be_in_use,
		  const struct notice *notice)
{
	int code = SERVE_FINE;
	const struct text_list *lists[] = {&config->listen, &config->listen_tls};
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < lists[i]->count && code == SERVE_FINE; j++)
			if (before == NULL || (!endpoint_list_has(&before->listen, lists[i]->items[j]) &&
					       !endpoint_list_has(&before->listen_tls, lists[i]->items[j])))
				code = check_port(lists[i]->items[j], may_be_in_use, notice);
	return code;
}
