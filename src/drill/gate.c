/*
 * A child in the gate's network that calls serve_run(), with its output in serve.log. It is up when each site in turn
 * has shown its first page.
 */
#include "drill/gate.h"

#include "base/error.h"
#include "base/file.h"
#include "drill/asking.h"
#include "drill/probe.h"
#include "drill/record.h"
#include "serve/supervise.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	READY_SECONDS = 120,
	END_SECONDS = 20,
	PROBE_MS = 2000,
	POLL_MS = 20,
	SAID_MAX_BYTES = 4096,
	FILES = 65536,
};

static void path_in(const struct stage *stage, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%.3000s/%s", stage->folder, name);
}

static void redirect_output(const struct stage *stage)
{
	char path[PATH_MAX];
	path_in(stage, "serve.log", path);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		_exit(1);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
}

/* As a service has it; where one may not, nginx has fewer connections, in both runs. */
static void raise_file_limit(void)
{
	struct rlimit limit = {FILES, FILES}, now;
	if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_max < FILES)
		(void)setrlimit(RLIMIT_NOFILE, &limit);
}

pid_t gate_start(const struct stage *stage, int processor, bool guia)
{
	pid_t pid = stage_start(stage->gate, processor);
	if (pid == 0) {
		char path[PATH_MAX];
		const char *none[] = {NULL};
		path_in(stage, "guia.yaml", path);
		redirect_output(stage);
		raise_file_limit();
		struct serve_options options = {.file = path, .sites = none, .listens = none, .gate_off = !guia};
		_exit(serve_run(&options));
	}
	return pid;
}

static void pause_a_little(void)
{
	nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000}, NULL);
}

int gate_await(pid_t pid)
{
	size_t ready = 0;
	for (int64_t end_ns = clock_now_ns() + READY_SECONDS * 1000000000LL; clock_now_ns() < end_ns;) {
		if (stage_has_ended(pid))
			return -ECHILD;
		if (!probe_gate(site_hosts[ready], PROBE_MS))
			pause_a_little();
		else if (++ready == SITES)
			return 0;
	}
	return -ETIMEDOUT;
}

void gate_tell(const struct stage *stage, struct buffer *said)
{
	char path[PATH_MAX];
	path_in(stage, "serve.log", path);
	buffer_text(said, "guia serve:\n");
	(void)file_read(path, SAID_MAX_BYTES, said);
}

void gate_end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	for (int waited = 0; waited < END_SECONDS * 1000 && !stage_has_ended(pid); waited += POLL_MS)
		pause_a_little();
}
