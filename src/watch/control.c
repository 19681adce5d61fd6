#include "watch/control.h"

#include "base/error.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 3, ANSWER_MAX_BYTES = 16 << 20 };

static int address_make(const char *path, struct sockaddr_un *ret_address)
{
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(ret_address->sun_path))
		return -ENAMETOOLONG;
	memcpy(ret_address->sun_path, path, strlen(path));
	return 0;
}

/* Whether somebody listens there. */
static bool is_served(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool served =
		fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN);
	if (fd >= 0)
		close(fd);
	return served;
}

int control_open(struct control *control, const char *path)
{
	struct sockaddr_un address;
	struct stat st;
	int r = address_make(path, &address);
	*control = (struct control){.fd = -1, .owner = geteuid()};
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		control->clients[i].fd = -1;
	if (r != 0)
		return r;
	if (is_served(&address))
		return -EADDRINUSE;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before = umask(0177);
	if (control->fd < 0 || bind(control->fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(control->fd, CONTROL_CLIENTS) != 0)
		r = -errno;
	umask(before);
	if (r != 0 && control->fd >= 0)
		close(control->fd);
	return r;
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

size_t control_waits(const struct control *control, struct pollfd *fds)
{
	size_t count = 0;
	fds[count++] = (struct pollfd){.fd = control->fd, .events = POLLIN};
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		const struct control_client *client = &control->clients[i];
		if (client->fd >= 0)
			fds[count++] =
				(struct pollfd){.fd = client->fd, .events = client->answer.len > 0 ? POLLOUT : POLLIN};
	}
	return count;
}

static bool is_allowed(const struct control *control, int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && (who.uid == 0 || who.uid == control->owner);
}

/* One that finds no place, or may not ask, is closed unanswered. */
static void client_take(struct control *control, int fd, uint64_t now_ns)
{
	for (size_t i = 0; i < CONTROL_CLIENTS && is_allowed(control, fd); i++)
		if (control->clients[i].fd < 0) {
			control->clients[i] =
				(struct control_client){.fd = fd, .began_ns = now_ns, .answer = buffer_make(NULL)};
			return;
		}
	close(fd);
}

/* False: it is done with. */
static bool client_read(struct control_client *client, control_answer_fn *answer, void *context)
{
	ssize_t n = recv(client->fd, client->question + client->len, sizeof(client->question) - client->len, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->len += (size_t)n;
	struct slice text = slice_make(client->question, client->len);
	size_t end = slice_find_byte(text, '\n', 0);
	if (end == text.len)
		return n > 0 && client->len < sizeof(client->question);
	answer(context, slice_sub(text, 0, end), &client->answer);
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
	for (int fd; (fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;)
		client_take(control, fd, now_ns);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *client = &control->clients[i];
		if (client->fd < 0)
			continue;
		bool goes_on = now_ns - client->began_ns < (uint64_t)PATIENCE_SECONDS * 1000000000;
		if (goes_on && client->answer.len == 0)
			goes_on = client_read(client, answer, context);
		if (goes_on && client->answer.len > 0)
			goes_on = client_write(client);
		if (!goes_on)
			client_close(client);
	}
}

/* ---- the other end ---- */

static int answer_read(int fd, struct buffer *answer)
{
	char bytes[16384];
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

int control_ask(const char *path, const char *question, struct buffer *answer)
{
	struct sockaddr_un address;
	struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	char line[CONTROL_QUESTION_BYTES];
	int r = address_make(path, &address);
	int fd = r == 0 ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	if (fd < 0)
		return r != 0 ? r : -errno;
	int len = snprintf(line, sizeof(line), "%s\n", question);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    send(fd, line, (size_t)len, MSG_NOSIGNAL) != len)
		r = -errno;
	r = r != 0 ? r : answer_read(fd, answer);
	close(fd);
	return r != 0 ? r : answer->len == 0 ? -EACCES : 0;
}
