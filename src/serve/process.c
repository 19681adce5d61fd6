/*
 * fork and execv, with no signal blocked. Children are those that /proc/PID/task/PID/children lists; they are killed
 * again and again, for each that ends may leave us more.
 */
#include "serve/process.h"

#include "base/error.h"
#include "base/service.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	SAID_MAX_BYTES = 64 << 10,
	CHILDREN_MAX = 1024,
};

/* Between fork and exec, in a process of one thread. */
static void become(const char *const argv[], int death_signal, pid_t parent)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, death_signal);
	unsetenv("NOTIFY_SOCKET"); /* whoever listens there waits for us */
	if (getppid() == parent)
		execv(argv[0], (char *const *)argv);
	_exit(127);
}

/* Likewise there. It stays open, and is told where and how often to tell. */
static void leave_open(int words, int within_ms)
{
	char number[16], us[24];
	snprintf(number, sizeof(number), "%d", words);
	snprintf(us, sizeof(us), "%lld", within_ms * 1000LL);
	if (fcntl(words, F_SETFD, 0) != 0 || setenv(SERVICE_FD, number, 1) != 0 || setenv("WATCHDOG_USEC", us, 1) != 0)
		_exit(127);
	unsetenv("WATCHDOG_PID"); /* that was us */
}

/* `words` is the child's end; -1: it has nothing to tell. */
static int start(const char *const argv[], int words, int within_ms, pid_t *ret_pid)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		setpgid(0, 0); /* Ctrl-C is ours to pass on */
		if (words >= 0)
			leave_open(words, within_ms);
		become(argv, SIGTERM, parent);
	}
	*ret_pid = pid;
	return 0;
}

int process_start(const char *const argv[], pid_t *ret_pid)
{
	return start(argv, -1, 0, ret_pid);
}

int process_start_telling(const char *const argv[], int within_ms, pid_t *ret_pid, int *ret_words)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) != 0)
		return -errno;
	int r = start(argv, ends[1], within_ms, ret_pid);
	close(ends[1]);
	if (r == 0)
		*ret_words = ends[0];
	else
		close(ends[0]);
	return r;
}

static int collect(int fd, struct buffer *said)
{
	char piece[4096];
	for (ssize_t n; (n = read(fd, piece, sizeof(piece))) != 0;) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (said->len < SAID_MAX_BYTES)
			buffer_add(said, slice_make(piece, (size_t)n));
	}
	return said->error;
}

int process_run(const char *const argv[], struct buffer *said, int *ret_status)
{
	int pipes[2], status = 0;
	pid_t parent = getpid();
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return -errno;
	pid_t pid = fork();
	if (pid < 0) {
		int error = -errno;
		close(pipes[0]);
		close(pipes[1]);
		return error;
	}
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		dup2(pipes[1], STDERR_FILENO);
		become(argv, SIGKILL, parent);
	}
	close(pipes[1]);
	int r = collect(pipes[0], said);
	close(pipes[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return r;
}

int process_adopt(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 ? 0 : -errno;
}

size_t process_children(pid_t pid, pid_t *list, size_t capacity)
{
	char path[64];
	size_t count = 0;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *file = fopen(path, "re");
	while (file != NULL && count < capacity && fscanf(file, "%d", &list[count]) == 1)
		count++;
	if (file != NULL)
		fclose(file);
	return count;
}

static bool kill_listed(void)
{
	pid_t list[CHILDREN_MAX];
	size_t count = process_children(getpid(), list, CHILDREN_MAX);
	for (size_t i = 0; i < count; i++)
		kill(list[i], SIGKILL);
	return count > 0;
}

void process_end_children(void)
{
	/* Ending a master hands us its workers, so this is done until nobody is left. */
	for (int i = 0; i < 200 && kill_listed(); i++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		nanosleep(&(struct timespec){.tv_nsec = 10 * 1000000L}, NULL);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}
