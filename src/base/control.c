/*
 * Both ends of the socket. The server is told by poll(2) who can go on, and takes each client as far as it goes without
 * waiting; who it is, SO_PEERCRED and SO_PEERGROUPS say. Who asks waits with the kernel's timeouts, but for
 * control_send().
 */
#include "base/control.h"

#include "base/error.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	ANSWER_MAX_BYTES = 16 << 20,
	ANSWER_STEP_BYTES = 16 << 10,
	GROUPS_MOST = 1024, /* of a peer: of whoever is in more only its own counts */
};

#define NS_A_SECOND UINT64_C(1000000000)

/*
 * A socket's name has 107 bytes at most: one in a deep folder is named by way of the folder, which *ret_folder then
 * keeps open; -1 otherwise.
 */
static int address_make(const char *path, struct sockaddr_un *ret_address, int *ret_folder)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	*ret_folder = -1;
	if (strlen(path) < sizeof(ret_address->sun_path)) {
		memcpy(ret_address->sun_path, path, strlen(path));
		return 0;
	}
	if (slash == NULL || (size_t)(slash - path) >= sizeof(folder))
		return -ENAMETOOLONG;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	*ret_folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_folder < 0)
		return -errno;
	int len = snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "/proc/self/fd/%d%s", *ret_folder,
			   slash);
	if (len < (int)sizeof(ret_address->sun_path))
		return 0;
	close(*ret_folder);
	return -ENAMETOOLONG;
}

/* 0: somebody listens there. */
static int reach(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	int r = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN ? 0 : -errno;
	close(fd);
	return r;
}

static int bind_to(const struct sockaddr_un *address, enum control_for whom, int *ret_fd)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mode_t before = umask(whom == CONTROL_FOR_GROUP ? 0117 : 0177);
	int r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 || listen(fd, CONTROL_CLIENTS) != 0
			? -errno
			: 0;
	umask(before);
	if (r != 0)
		close(fd);
	else
		*ret_fd = fd;
	return r;
}

/* One that nobody listens at any more is replaced. */
static int listen_at(struct control *control)
{
	struct sockaddr_un address;
	struct stat st;
	int folder, fd = -1;
	int r = address_make(control->path, &address, &folder);
	if (r == 0 && reach(&address) == 0)
		r = -EADDRINUSE;
	if (r == 0 && lstat(control->path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(control->path);
	r = r != 0 ? r : bind_to(&address, control->whom, &fd);
	if (folder >= 0)
		close(folder);
	if (r != 0)
		return r;
	if (lstat(control->path, &st) == 0) {
		control->device = st.st_dev;
		control->inode = st.st_ino;
	}
	if (control->fd >= 0)
		close(control->fd);
	control->fd = fd;
	return 0;
}

void control_init(struct control *control)
{
	*control = (struct control){.fd = -1};
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		control->clients[i].fd = -1;
}

int control_open(struct control *control, const char *path, enum control_for whom)
{
	control_init(control);
	control->owner = geteuid();
	control->group = getegid();
	control->whom = whom;
	if (snprintf(control->path, sizeof(control->path), "%s", path) >= (int)sizeof(control->path))
		return -ENAMETOOLONG;
	return listen_at(control);
}

/* Whether it is certain that nobody reaches us by our name any more. */
static bool is_lost(const struct control *control)
{
	struct stat st;
	if (lstat(control->path, &st) != 0)
		return errno == ENOENT;
	return st.st_dev != control->device || st.st_ino != control->inode;
}

/* Where it cannot be made again, what we have is kept: who is connected is answered. */
static void look(struct control *control, uint64_t now_ns)
{
	if (now_ns - control->looked_ns < NS_A_SECOND)
		return;
	control->looked_ns = now_ns;
	if (is_lost(control))
		(void)listen_at(control);
}

static void client_close(struct control_client *client)
{
	close(client->fd);
	buffer_free(&client->answer);
	*client = (struct control_client){.fd = -1};
}

void control_close(struct control *control)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i].fd >= 0)
			client_close(&control->clients[i]);
	if (control->fd >= 0)
		close(control->fd);
	control->fd = -1;
}

static bool has_room(const struct control *control)
{
	bool room = false;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		room = room || control->clients[i].fd < 0;
	return room;
}

size_t control_waits(const struct control *control, struct pollfd *fds)
{
	size_t count = 0;
	fds[count++] = (struct pollfd){.fd = has_room(control) ? control->fd : -1, .events = POLLIN};
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		const struct control_client *client = &control->clients[i];
		if (client->fd >= 0)
			fds[count++] =
				(struct pollfd){.fd = client->fd, .events = client->answer.len > 0 ? POLLOUT : POLLIN};
	}
	return count;
}

/* Of its supplementary groups; a service has its own group for files, and another to be answered by. */
static bool peer_is_in(int fd, gid_t group)
{
	gid_t groups[GROUPS_MOST];
	socklen_t bytes = sizeof(groups);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes) != 0)
		return false;
	for (size_t i = 0; i < bytes / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

static bool is_allowed(const struct control *control, int fd, uid_t *ret_who)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return false;
	*ret_who = who.uid;
	return who.uid == 0 || who.uid == control->owner ||
	       (control->whom == CONTROL_FOR_GROUP && (who.gid == control->group || peer_is_in(fd, control->group)));
}

/* One that may not ask is closed unanswered. */
static void client_take(struct control *control, int fd, uint64_t now_ns)
{
	uid_t who;
	bool allowed = is_allowed(control, fd, &who);
	for (size_t i = 0; i < CONTROL_CLIENTS && allowed; i++)
		if (control->clients[i].fd < 0) {
			control->clients[i] = (struct control_client){
				.fd = fd, .who = who, .began_ns = now_ns, .answer = buffer_make(NULL)};
			return;
		}
	close(fd);
}

/* False: it is done with. */
static bool client_read(struct control_client *client, uint64_t now_ns, control_answer_fn *answer, void *context)
{
	ssize_t n = recv(client->fd, client->question + client->len, sizeof(client->question) - client->len, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->len += (size_t)n;
	struct slice text = slice_make(client->question, client->len);
	size_t end = slice_find_byte(text, '\n', 0);
	if (end == text.len)
		return n > 0 && client->len < sizeof(client->question);
	answer(context, client->who, slice_sub(text, 0, end), &client->answer);
	client->began_ns = now_ns;
	return client->answer.error == 0 && client->answer.len > 0;
}

static bool client_write(struct control_client *client)
{
	ssize_t n =
		send(client->fd, client->answer.ptr + client->sent, client->answer.len - client->sent, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->sent += (size_t)n;
	return client->sent < client->answer.len;
}

void control_step(struct control *control, uint64_t now_ns, control_answer_fn *answer, void *context)
{
	if (control->fd < 0)
		return;
	look(control, now_ns);
	for (int fd; has_room(control) && (fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;)
		client_take(control, fd, now_ns);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &control->clients[i];
		if (client->fd < 0)
			continue;
		/* Looked at before it is said to be late: it may be we who stood still. */
		bool goes_on = client->answer.len > 0 || client_read(client, now_ns, answer, context);
		if (goes_on && client->answer.len > 0)
			goes_on = client_write(client);
		if (!goes_on || now_ns - client->began_ns >= CONTROL_PATIENCE_SECONDS * NS_A_SECOND)
			client_close(client);
	}
}

int control_reach(const char *path)
{
	struct sockaddr_un address;
	int folder;
	int r = address_make(path, &address, &folder);
	r = r == 0 ? reach(&address) : r;
	if (folder >= 0)
		close(folder);
	return r;
}

/* Closed before it said anything: as whoever may not ask is. */
static int unanswered(int error)
{
	return error == -EPIPE || error == -ECONNRESET ? -EACCES : error;
}

static int answer_read(int fd, struct buffer *answer)
{
	char bytes[ANSWER_STEP_BYTES];
	for (ssize_t n; (n = recv(fd, bytes, sizeof(bytes), 0)) != 0;) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (answer->len > ANSWER_MAX_BYTES)
			return -EFBIG;
		buffer_add(answer, slice_make(bytes, (size_t)n));
	}
	return answer->error;
}

static int line_send(int fd, const struct sockaddr_un *address, const char *question)
{
	char line[CONTROL_QUESTION_BYTES];
	int len = snprintf(line, sizeof(line), "%s\n", question);
	if (len >= (int)sizeof(line))
		return -EMSGSIZE;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
		return -errno;
	ssize_t sent = send(fd, line, (size_t)len, MSG_NOSIGNAL);
	return sent == len ? 0 : sent < 0 ? -errno : -EMSGSIZE;
}

static int question_send(int fd, const struct sockaddr_un *address, const char *question, unsigned seconds)
{
	struct timeval patience = {.tv_sec = seconds};
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	int r = line_send(fd, address, question);
	return r == -EAGAIN ? -ETIMEDOUT : r; /* so many wait for it already */
}

int control_send(const char *path, const char *question, int *ret_fd)
{
	struct sockaddr_un address;
	int folder;
	int r = address_make(path, &address, &folder);
	int fd = r == 0 ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
	if (r == 0)
		r = fd < 0 ? -errno : line_send(fd, &address, question);
	if (folder >= 0)
		close(folder);
	if (r == 0)
		*ret_fd = fd;
	else if (fd >= 0)
		close(fd);
	return unanswered(r);
}

int control_ask(const char *path, const char *question, struct buffer *answer)
{
	return control_ask_within(path, question, CONTROL_PATIENCE_SECONDS, answer);
}

int control_ask_within(const char *path, const char *question, unsigned seconds, struct buffer *answer)
{
	struct sockaddr_un address;
	int folder;
	int r = address_make(path, &address, &folder);
	int fd = r == 0 ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	if (r == 0)
		r = fd < 0 ? -errno : question_send(fd, &address, question, seconds);
	r = r != 0 ? r : answer_read(fd, answer);
	if (fd >= 0)
		close(fd);
	if (folder >= 0)
		close(folder);
	return answer->len > 0 ? r : r == 0 ? -EACCES : unanswered(r);
}
