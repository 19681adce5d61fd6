/*
 * One thread that waits in sigtimedwait(2) and does all its work between two signals. While nginx starts or reloads
 * signals are still taken: one to end cuts the wait short, and another reload is taken up afterwards.
 */
#include "serve/supervise.h"

#include "base/error.h"
#include "base/service.h"
#include "serve/companion.h"
#include "serve/detected.h"
#include "serve/evidence_place.h"
#include "serve/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CONFIG_ARENA_BYTES = 256 << 20,
	START_SECONDS = 120,
	RELOAD_SECONDS = 60,
	CHILDREN_MAX = 1024,
	KILL_SECONDS = 3,
	POLL_MS = 20,
	IDLE_MS = 60000,
	SCREEN_SECONDS = 2,
	WATCH_SECONDS = 30, /* it closes the evidence, on a disk that may be slow: what it cannot write is lost */
};

/* In the order in which they are started. */
enum { WATCH, SCREEN, COMPANIONS };

struct supervisor {
	const struct serve_options *options;
	struct notice notice;
	struct arena arena;
	struct serve_config config;
	struct serve_parts parts;
	struct run_dir dir;
	sigset_t signals;
	struct companion companions[COMPANIONS];
	pid_t nginx; /* 0: gone */
	int status;  /* of waitpid, once it is gone */
	int pending; /* a signal to be taken up again; 0: none */
};

static void file_in(const struct supervisor *s, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", s->dir.path, name);
}

static void open_log(struct supervisor *s)
{
	char path[PATH_MAX];
	file_in(s, "guia.log", path);
	if (s->notice.log >= 0)
		close(s->notice.log);
	s->notice.log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->notice.log < 0)
		notice_say(&s->notice, "warning: %s: %s", path, strerror(errno));
}

/* Everything up to a configuration that nginx has tested. */
static int prepare(struct supervisor *s, bool check_only)
{
	int code = prepare_config(s->options, &s->notice, &s->arena, &s->config);
	if (code != SERVE_FINE)
		return code;
	code = parts_find(s->options, &s->config, &s->notice, &s->parts);
	if (code == SERVE_FINE)
		code = prepare_ports(&s->config, NULL, check_only, &s->notice);
	if (code == SERVE_FINE)
		code = prepare_run_dir(s->options, &s->config, &s->notice, &s->dir);
	if (code == SERVE_FINE)
		code = evidence_place_check(&s->config, &s->dir, &s->notice);
	if (code != SERVE_FINE)
		return code;
	if (!check_only) {
		open_log(s);
		prepare_events_tell(&s->config, &s->dir, &s->notice);
	}
	return prepare_nginx(&s->config, &s->parts, &s->dir, &s->notice);
}

static int start(struct supervisor *s)
{
	char prefix[PATH_MAX], config[PATH_MAX], log[PATH_MAX], pid[PATH_MAX];
	file_in(s, "", prefix);
	file_in(s, "nginx.conf", config);
	file_in(s, "error.log", log);
	file_in(s, "nginx.pid", pid);
	(void)unlink(pid); /* one that a killed nginx left would look like a start */
	const char *const argv[] = {s->parts.nginx, "-p", prefix, "-c", config, "-e", log, "-g", "daemon off;", NULL};
	int r = process_adopt();
	r = r != 0 ? r : process_start(argv, &s->nginx);
	if (r == 0)
		return SERVE_FINE;
	notice_say(&s->notice, "%s: %s", s->parts.nginx, strerror(-r));
	return SERVE_ENVIRONMENT;
}

static void companions_reap(struct supervisor *s, pid_t pid, int status)
{
	for (size_t i = 0; i < COMPANIONS; i++)
		if (s->companions[i].pid == pid)
			companion_ended(&s->companions[i], status, &s->notice);
}

/* Takes notice of every child that ended: nginx, what it left to us, what runs beside it. */
static void reap(struct supervisor *s)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		if (pid == s->nginx) {
			kill(-pid, SIGKILL); /* workers, where it left any: without a master they would serve on */
			s->nginx = 0;
			s->status = status;
		} else {
			companions_reap(s, pid, status);
		}
}

/* The next signal, or 0 after `ms` milliseconds. */
static int next_signal(struct supervisor *s, long ms)
{
	int pending = s->pending;
	s->pending = 0;
	if (pending != 0)
		return pending;
	struct timespec wait = {ms / 1000, ms % 1000 * 1000000L};
	int number = sigtimedwait(&s->signals, NULL, &wait);
	return number > 0 ? number : 0;
}

static bool has_started(const struct supervisor *s)
{
	char path[PATH_MAX];
	struct stat st;
	file_in(s, "nginx.pid", path);
	return stat(path, &st) == 0 && st.st_size > 0;
}

static bool is_end(int number)
{
	return number == SIGTERM || number == SIGINT || number == SIGQUIT;
}

/* How long those that are left may take to end; 0: none are. */
static int companions_ms(const struct supervisor *s)
{
	if (s->companions[WATCH].pid != 0)
		return WATCH_SECONDS * 1000;
	return s->companions[SCREEN].pid != 0 ? SCREEN_SECONDS * 1000 : 0;
}

/* They have time to close what they keep. A further request to end makes it short. */
static void companions_end(struct supervisor *s)
{
	int number = 0;
	for (size_t i = 0; i < COMPANIONS; i++)
		companion_renew(&s->companions[i]);
	for (int waited = 0; waited < companions_ms(s) && !is_end(number); waited += POLL_MS) {
		number = next_signal(s, POLL_MS);
		reap(s);
	}
}

static int died(struct supervisor *s)
{
	char log[PATH_MAX];
	file_in(s, "error.log", log);
	if (WIFSIGNALED(s->status))
		notice_say(&s->notice, "nginx was ended by signal %d; see %s", WTERMSIG(s->status), log);
	else
		notice_say(&s->notice, "nginx ended unexpectedly with exit code %d; see %s", WEXITSTATUS(s->status),
			   log);
	service_notify("STOPPING=1");
	companions_end(s);
	process_end_children();
	return SERVE_ENVIRONMENT;
}

static void say_ready(const struct supervisor *s)
{
	struct buffer where = buffer_make(NULL);
	for (size_t i = 0; i < s->config.listen.count; i++)
		buffer_printf(&where, " %.*s", SLICE_ARG(s->config.listen.items[i]));
	for (size_t i = 0; i < s->config.listen_tls.count; i++)
		buffer_printf(&where, " %.*s (TLS)", SLICE_ARG(s->config.listen_tls.items[i]));
	notice_say(&s->notice, "serving %zu site%s at%.*s", s->config.site_count, s->config.site_count == 1 ? "" : "s",
		   SLICE_ARG(buffer_slice(&where)));
	notice_say(&s->notice, "logs and copies: %s; HUP reloads, TERM ends", s->dir.path);
	buffer_free(&where);
}

/* Waits for nginx to be up, however long. SERVE_FINE with *ret_end if a signal asked to end meanwhile. */
static int await_start(struct supervisor *s, bool *ret_end)
{
	int later = 0;
	for (int64_t waited = 0; !has_started(s); waited += POLL_MS) {
		int number = next_signal(s, POLL_MS);
		reap(s);
		if (s->nginx == 0)
			return died(s);
		if (waited == START_SECONDS * 1000)
			notice_say(&s->notice, "nginx is not up after %d s, and is waited for", START_SECONDS);
		if (is_end(number)) {
			*ret_end = true;
			return SERVE_FINE;
		}
		later = number == SIGHUP ? number : later;
	}
	s->pending = later;
	say_ready(s);
	service_notify("READY=1");
	return SERVE_FINE;
}

static bool has_new_child(pid_t pid, const pid_t *before, size_t before_count)
{
	pid_t now[CHILDREN_MAX];
	size_t count = process_children(pid, now, CHILDREN_MAX);
	for (size_t i = 0; i < count; i++) {
		size_t j = 0;
		while (j < before_count && before[j] != now[i])
			j++;
		if (j == before_count)
			return true;
	}
	return false;
}

/* Tells nginx, and waits for workers of the new configuration. False if none come, or it is time to end. */
static bool nginx_reload(struct supervisor *s)
{
	pid_t before[CHILDREN_MAX];
	size_t count = process_children(s->nginx, before, CHILDREN_MAX);
	int later = 0;
	bool taken = false;
	kill(s->nginx, SIGHUP);
	for (int waited = 0; waited < RELOAD_SECONDS * 1000 && !taken && !is_end(later); waited += POLL_MS) {
		int number = next_signal(s, POLL_MS);
		reap(s);
		if (s->nginx == 0)
			break;
		later = number == SIGHUP || number == SIGUSR1 || is_end(number) ? number : later;
		taken = has_new_child(s->nginx, before, count);
	}
	s->pending = later;
	return taken;
}

static bool reload_with(struct supervisor *s, struct serve_config *config)
{
	struct serve_parts parts;
	if (parts_find(s->options, config, &s->notice, &parts) != SERVE_FINE)
		return false;
	bool ready = prepare_ports(config, &s->config, false, &s->notice) == SERVE_FINE &&
		     evidence_place_check(config, &s->dir, &s->notice) == SERVE_FINE &&
		     prepare_nginx(config, &parts, &s->dir, &s->notice) == SERVE_FINE;
	if (ready)
		prepare_events_tell(config, &s->dir, &s->notice);
	bool good = ready && nginx_reload(s);
	if (ready && !good)
		prepare_nginx_undo(&s->dir, &s->notice);
	parts_free(good ? &s->parts : &parts);
	if (good)
		s->parts = parts;
	return good;
}

/* A configuration that does not do leaves everything as it was. */
static void reload(struct supervisor *s)
{
	struct serve_config config;
	struct arena arena;
	arena_init(&arena, CONFIG_ARENA_BYTES, 0);
	notice_say(&s->notice, "reloading");
	bool read = prepare_config(s->options, &s->notice, &arena, &config) == SERVE_FINE;
	run_dir_mend(&s->dir);
	bool screen_changes = read && !slice_equal(config.screen, s->config.screen);
	if (read && reload_with(s, &config)) {
		screen_changes = screen_changes || config.screen_off;
		config_free(&s->config);
		arena_destroy(&s->arena);
		s->config = config;
		s->arena = arena;
		companion_renew(&s->companions[WATCH]);
		if (screen_changes || s->companions[SCREEN].pid == 0)
			companion_renew(&s->companions[SCREEN]);
		notice_say(&s->notice, "reloaded: %zu site%s", s->config.site_count,
			   s->config.site_count == 1 ? "" : "s");
		return;
	}
	if (read)
		config_free(&config);
	arena_destroy(&arena);
	if (s->nginx != 0)
		notice_say(&s->notice, "the new configuration is not taken; the old one goes on serving");
}

/* Workers of another user cannot open files in a folder of root's: there new workers get them from the master. */
static void reopen_logs(struct supervisor *s)
{
	open_log(s);
	if (s->dir.user[0] == '\0')
		kill(s->nginx, SIGUSR1);
	else if (!nginx_reload(s) && s->nginx != 0)
		notice_say(&s->notice, "nginx goes on with the old logs");
}

/* Whether nginx ended within the time. A further request to end makes it short. */
static bool await_end(struct supervisor *s, int64_t seconds)
{
	for (int64_t waited = 0; waited < seconds * 1000 && s->nginx != 0; waited += POLL_MS) {
		int number = next_signal(s, POLL_MS);
		reap(s);
		if (is_end(number))
			return s->nginx == 0;
	}
	return s->nginx == 0;
}

static void stop(struct supervisor *s)
{
	notice_say(&s->notice, "ending");
	service_notify("STOPPING=1");
	kill(s->nginx, SIGQUIT);
	if (!await_end(s, s->config.drain_seconds + 2)) {
		kill(s->nginx, SIGTERM);
		(void)await_end(s, KILL_SECONDS);
	}
	companions_end(s);
	process_end_children();
}

/* Until there is something to do: a signal, a watch to be started, a manager to be told that we live. */
static int await_signal(struct supervisor *s)
{
	int64_t watchdog_ms = service_watchdog_ms();
	long most_ms = watchdog_ms > 0 && watchdog_ms < IDLE_MS ? (long)watchdog_ms : IDLE_MS;
	for (size_t i = 0; i < COMPANIONS; i++)
		most_ms = companion_wait_ms(&s->companions[i], &s->config, &s->dir, most_ms);
	int number = next_signal(s, most_ms);
	reap(s);
	service_notify("WATCHDOG=1");
	return number;
}

static int watch(struct supervisor *s)
{
	bool end = false;
	int code = await_start(s, &end);
	while (code == SERVE_FINE && !end) {
		for (size_t i = 0; i < COMPANIONS; i++)
			companion_tend(&s->companions[i], &s->config, &s->parts, &s->dir, &s->notice);
		int number = await_signal(s);
		if (s->nginx != 0 && number == SIGHUP) {
			service_watchdog_wait_long(); /* rules may have to be compiled */
			reload(s);
			service_watchdog_wait_as_before();
		}
		if (s->nginx != 0 && number == SIGUSR1)
			reopen_logs(s);
		if (s->nginx == 0)
			return died(s);
		end = is_end(number);
	}
	if (code == SERVE_FINE)
		stop(s);
	return code;
}

static void say_detected(const struct supervisor *s)
{
	char path[PATH_MAX];
	file_in(s, "detected.log", path);
	(void)detected_say(path, &s->notice); /* the run is over: nobody could do anything about it */
}

static void release(struct supervisor *s)
{
	config_free(&s->config);
	parts_free(&s->parts);
	run_dir_close(&s->dir);
	if (s->notice.log >= 0)
		close(s->notice.log);
	arena_destroy(&s->arena);
}

static void supervisor_init(struct supervisor *s, const struct serve_options *options)
{
	*s = (struct supervisor){
		.options = options,
		.notice = {-1},
		.companions = {[WATCH] = {.kind = &companion_watch}, [SCREEN] = {.kind = &companion_screen}},
		.dir = {.lock = -1, .events = {.lock = -1}}};
	arena_init(&s->arena, CONFIG_ARENA_BYTES, 0);
	config_init(&s->config, &s->arena);
	umask(077);
}

/* What was made for a run that did not come about, or was none. */
static void remove_dirs(const struct supervisor *s)
{
	const char *const argv[] = {"/bin/rm",          "-rf",       "--", s->dir.path, s->dir.workers,
				    s->dir.events.path, s->dir.bans, NULL};
	struct buffer said = buffer_make(NULL);
	int status;
	if (s->dir.path[0] != '\0')
		(void)process_run(argv, &said, &status); /* what stays behind is an empty folder */
	buffer_free(&said);
}

int serve_run(const struct serve_options *options)
{
	struct supervisor s;
	supervisor_init(&s, options);
	static const int numbers[] = {SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGCHLD, SIGUSR1};
	/* Whoever reads stderr may leave; nginx's change of binary is not for here. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&s.signals);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&s.signals, numbers[i]);
	sigprocmask(SIG_BLOCK, &s.signals, NULL);
	int code = prepare(&s, false);
	if (code == SERVE_FINE)
		code = start(&s);
	if (code == SERVE_FINE) {
		code = watch(&s);
		say_detected(&s);
		notice_say(&s.notice, "ended");
	} else if (s.dir.made) {
		remove_dirs(&s);
	}
	release(&s);
	return code;
}

int serve_check(const struct serve_options *options)
{
	struct serve_options apart = *options;
	struct supervisor s;
	char *temp = strdup("/tmp/guia-check-XXXXXX");
	supervisor_init(&s, &apart);
	apart.run_dir = temp != NULL ? mkdtemp(temp) : NULL;
	int code = prepare(&s, true);
	if (code == SERVE_FINE)
		code = prepare_run_dir_check(options, &s.config, &s.notice);
	remove_dirs(&s);
	if (apart.run_dir != NULL)
		(void)rmdir(apart.run_dir); /* it is still there if nothing was made in it */
	release(&s);
	free(temp);
	return code;
}
