/*
 * fork, setns and execve, without a shell. What a program writes comes back by a pipe, or goes to a file where it stays
 * on.
 */
#include "drill/command.h"

#include "base/error.h"
#include "drill/stage.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { OUTPUT_BYTES = 4 << 20 };

static bool find_in(const char *folders, const char *name, char path[PATH_MAX])
{
	for (const char *at = folders; at != NULL && *at != '\0'; at = *at == ':' ? at + 1 : at) {
		size_t len = strcspn(at, ":");
		int n = snprintf(path, PATH_MAX, "%.*s/%s", (int)len, at, name);
		if (n > 0 && n < PATH_MAX && path[0] == '/' && access(path, X_OK) == 0)
			return true;
		at += len;
	}
	return false;
}

bool command_find(const char *name, char path[PATH_MAX])
{
	return find_in(getenv("PATH"), name, path) || find_in("/usr/sbin:/sbin:/usr/bin:/bin", name, path);
}

/* Where the drill has no rights of its own the kernel forbids it, and there is nothing to lose by it. */
static bool leave_groups(void)
{
	return setgroups(0, NULL) == 0 || errno == EPERM;
}

static void become(int network_namespace, const struct command_user *user, const char *const words[],
		   char *const environment[], int output)
{
	char path[PATH_MAX];
	bool found =
		words[0][0] == '/' ? snprintf(path, sizeof(path), "%s", words[0]) > 0 : command_find(words[0], path);
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(nothing, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	if (found && stage_go(network_namespace) == 0 &&
	    (user == NULL || (leave_groups() && setgid(user->gid) == 0 && setuid(user->uid) == 0)))
		execve(path, (char *const *)(uintptr_t)words, environment);
	_exit(127);
}

int command_run_as(int network_namespace, const struct command_user *user, const char *const words[],
		   struct buffer *said)
{
	char bytes[16384];
	int pipes[2], status = 0;
	ssize_t n;
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return -errno;
	pid_t pid = fork();
	if (pid < 0) {
		status = -errno;
		close(pipes[0]);
		close(pipes[1]);
		return status;
	}
	if (pid == 0)
		become(network_namespace, user, words, environ, pipes[1]);
	close(pipes[1]);
	while ((n = read(pipes[0], bytes, sizeof(bytes))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0 && said->len < OUTPUT_BYTES)
			buffer_add(said, slice_make(bytes, (size_t)n));
	close(pipes[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int command_run(int network_namespace, const char *const words[], struct buffer *said)
{
	return command_run_as(network_namespace, NULL, words, said);
}

pid_t command_start(int network_namespace, const struct command_user *user, const char *const words[],
		    char *const environment[], const char *log)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid < 0 ? -errno : pid;
	int output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (output < 0)
		_exit(127);
	become(network_namespace, user, words, environment != NULL ? environment : environ, output);
	_exit(127);
}
