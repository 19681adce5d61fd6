/*
 * Two processes: one stays outside, to place the kernel's threads, which nobody inside can see; the other is the init
 * of the new namespaces and plays. A pair of sockets joins them, by whose end each sees that the other is gone.
 */
#include "drill/stage.h"

#include "base/error.h"
#include "serve/paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Folders that every system has and that seldom hold anything which the drill needs. */
static const char *const folders[] = {"/mnt", "/media", "/srv", "/opt"};

enum {
	NICE = -20,
	RECEIVER_PRIORITY = 2, /* before an attack, behind the visitors' client */
	SPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC,
};

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, text, strlen(text));
	int error = n < 0 ? -errno : 0;
	close(fd);
	return error;
}

/* In a new namespace of users one is who one was, and nobody else is known. */
static int map_self(uid_t user, gid_t group)
{
	char text[64];
	int r = write_text("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "%u %u 1", (unsigned)user, (unsigned)user);
	r = r != 0 ? r : write_text("/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "%u %u 1", (unsigned)group, (unsigned)group);
	return r != 0 ? r : write_text("/proc/self/gid_map", text);
}

static int leave(bool *ret_root)
{
	uid_t user = geteuid();
	gid_t group = getegid();
	if (user == 0 && unshare(SPACES) == 0) {
		*ret_root = true;
		return 0;
	}
	*ret_root = false;
	if (unshare(CLONE_NEWUSER | SPACES) != 0)
		return -errno;
	return map_self(user, group);
}

/* Whether the other end of the socket is gone: guia died before it could be told to end us with it. */
static bool is_orphan(int other)
{
	struct pollfd end = {.fd = other};
	return poll(&end, 1, 0) > 0 && (end.revents & POLLHUP) != 0;
}

/* ---- outside ---- */

struct receiver_order {
	char link[16];
	int processor;
	enum receiver_turn turn;
};

static bool is_receiver(int processes, const char *pid, const char *link)
{
	char path[300], name[32] = "", wanted[32];
	snprintf(path, sizeof(path), "%.200s/comm", pid);
	int fd = openat(processes, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, name, sizeof(name) - 1) : -1;
	if (fd >= 0)
		close(fd);
	snprintf(wanted, sizeof(wanted), "napi/%.15s-", link);
	return n > 0 && strncmp(name, wanted, strlen(wanted)) == 0;
}

/* The youngest of that name: another world's, if there is one, was there before. */
static int find_receiver(int processes, const char *link)
{
	int copy = openat(processes, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = -ESRCH;
	DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && is_receiver(processes, entry->d_name, link) &&
		    atoi(entry->d_name) > found)
			found = atoi(entry->d_name);
	if (folder != NULL)
		closedir(folder);
	return found;
}

static int put_receiver(int processes, const struct receiver_order *order)
{
	int pid = find_receiver(processes, order->link);
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET((size_t)order->processor, &set);
	bool first = order->turn == RECEIVER_FIRST;
	struct sched_param priority = {.sched_priority = first ? RECEIVER_PRIORITY : 0};
	if (pid > 0 && (sched_setaffinity(pid, sizeof(set), &set) != 0 ||
			sched_setscheduler(pid, first ? SCHED_FIFO : SCHED_BATCH, &priority) != 0))
		return -errno;
	if (pid > 0 && !first && setpriority(PRIO_PROCESS, (id_t)pid, NICE) != 0)
		return -errno;
	return pid;
}

/* Until nobody in there is left to ask. */
static void serve_inside(int inside, int processes)
{
	struct receiver_order order;
	ssize_t n;
	while ((n = recv(inside, &order, sizeof(order), 0)) > 0 || (n < 0 && errno == EINTR)) {
		int answer = n == sizeof(order) ? put_receiver(processes, &order) : -EINVAL;
		if (n > 0)
			(void)!send(inside, &answer, sizeof(answer), MSG_NOSIGNAL);
	}
}

int stage_put_receiver(const struct stage *stage, const char *link, int processor, enum receiver_turn turn,
		       int *ret_pid)
{
	struct receiver_order order = {.processor = processor, .turn = turn};
	int answer;
	snprintf(order.link, sizeof(order.link), "%s", link);
	if (stage->processes < 0)
		return -EPERM;
	if (send(stage->outside, &order, sizeof(order), MSG_NOSIGNAL) != sizeof(order) ||
	    recv(stage->outside, &answer, sizeof(answer), 0) != sizeof(answer))
		return -ECHILD;
	if (answer > 0)
		*ret_pid = answer;
	return answer > 0 ? 0 : answer;
}

int stage_enter(int (*play)(void *context, const struct stage *outside), void *context, int *ret_code)
{
	struct stage outside = {.processes = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	int ends[2], status = 0;
	int r = leave(&outside.root);
	if (r != 0)
		return r;
	if (!outside.root)
		outside.processes = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -errno;
	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		close(ends[1]);
		outside.outside = ends[0];
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(is_orphan(ends[0]) ? 1 : play(context, &outside));
	}
	close(ends[0]);
	serve_inside(ends[1], outside.processes);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	close(ends[1]);
	if (!WIFEXITED(status))
		return -ECHILD;
	*ret_code = WEXITSTATUS(status);
	return 0;
}

int stage_go(int network_namespace)
{
	return setns(network_namespace, CLONE_NEWNET) == 0 ? 0 : -errno;
}

static int open_network(int *ret_fd)
{
	*ret_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return *ret_fd >= 0 ? 0 : -errno;
}

static int make_networks(struct stage *stage)
{
	int r = open_network(&stage->world);
	int *const others[] = {&stage->router, &stage->gate};
	for (size_t i = 0; i < 2 && r == 0; i++) {
		r = unshare(CLONE_NEWNET) == 0 ? 0 : -errno;
		r = r != 0 ? r : open_network(others[i]);
	}
	return r != 0 ? r : stage_go(stage->world);
}

static bool is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Whether something that the gate needs lies in the folder, and would be hidden by a mount. */
static bool is_needed(const char *folder)
{
	char *const needed[] = {paths_nginx(), paths_module(), paths_recommended_rules(), paths_cache(NULL)};
	bool found = false;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		size_t len = strlen(folder);
		found = found || (needed[i] != NULL && strncmp(needed[i], folder, len) == 0 && needed[i][len] == '/');
		free(needed[i]);
	}
	return found;
}

static int choose_folder(char folder[PATH_MAX])
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (is_folder(folders[i]) && !is_needed(folders[i])) {
			snprintf(folder, PATH_MAX, "%s", folders[i]);
			return 0;
		}
	return -ENOENT;
}

int stage_build(const struct stage *outside, struct stage *ret_stage, const char **ret_what)
{
	struct stage stage = *outside;
	*ret_what = "a folder to mount on";
	int r = choose_folder(stage.folder);
	if (r != 0)
		return r;
	*ret_what = "mounts of its own";
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return -errno;
	/* The edge is pinned there. */
	stage.run_is_ours =
		stage.root && is_folder("/run") && !is_needed("/run") &&
		mount("guia-drill", "/run", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=16m") == 0;
	*ret_what = "a /proc of its own";
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
		return -errno;
	*ret_what = "networks of its own";
	r = make_networks(&stage);
	if (r == 0)
		*ret_stage = stage;
	return r;
}

int stage_clear(const struct stage *stage)
{
	while (umount2(stage->folder, MNT_DETACH) == 0)
		;
	return mount("guia-drill", stage->folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=1g") == 0
		       ? 0
		       : -errno;
}

int stage_pin(int processor)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET((size_t)processor, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0 ? 0 : -errno;
}

pid_t stage_start(int network_namespace, int processor)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (stage_go(network_namespace) != 0 || stage_pin(processor) != 0)
		_exit(1);
	return 0;
}

bool stage_has_ended(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) != 0;
}

void stage_come_first(void)
{
	/* Without rights, or where there are no such groups, the machine's load is measured along. */
	/* Whoever started it may be one that only has what nobody else wants, of which no nice value makes more. */
	const struct sched_param none = {0};
	(void)sched_setscheduler(0, SCHED_OTHER, &none);
	(void)setsid();
	(void)write_text("/proc/self/autogroup", "-20");
	(void)setpriority(PRIO_PROCESS, 0, NICE);
}

int stage_processors(int *ret_gate, int *ret_crowd)
{
	cpu_set_t set;
	int found[2], count = 0;
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return -errno;
	for (int i = 0; i < CPU_SETSIZE && count < 2; i++)
		if (CPU_ISSET((size_t)i, &set))
			found[count++] = i;
	if (count < 2)
		return -ENODEV;
	*ret_gate = found[0];
	*ret_crowd = found[1];
	return 0;
}
