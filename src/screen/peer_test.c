#include "screen/peer.h"

#include "base/error.h"
#include "base/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { SOMEBODY = 65534 };

struct ends {
	int here;
	int stay; /* closed: the client may close */
	pid_t client;
	uid_t user; /* of the client */
};

/* Between fork and its end: it becomes another user where it may, connects, sends a request whole and closes. */
static void be_client(const struct sockaddr_in *at, int stay)
{
	char byte;
	int fd = geteuid() != 0 || setuid(SOMEBODY) == 0 ? socket(AF_INET, SOCK_STREAM, 0) : -1;
	if (fd < 0 || connect(fd, (const struct sockaddr *)at, sizeof(*at)) != 0 ||
	    send(fd, "GET / HTTP/1.1\r\n\r\n", 18, 0) != 18 || read(stay, &byte, 1) != 0)
		_exit(1);
	close(fd);
	_exit(0);
}

static void come(struct ends *ends)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int stay[2], fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(fd >= 0 && pipe(stay) == 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*ends = (struct ends){.user = geteuid() == 0 ? SOMEBODY : geteuid(), .client = fork()};
	assert_true(ends->client >= 0);
	if (ends->client == 0) {
		close(stay[1]);
		be_client(&at, stay[0]);
	}
	close(stay[0]);
	ends->stay = stay[1];
	ends->here = accept(fd, NULL, NULL);
	assert_true(ends->here >= 0);
	close(fd);
}

/* The client closes and is gone, and what it sent last, its end, has come. */
static void leave(const struct ends *ends)
{
	int status;
	struct pollfd gone = {.fd = ends->here, .events = POLLRDHUP};
	close(ends->stay);
	assert_int_equal(waitpid(ends->client, &status, 0), ends->client);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(poll(&gone, 1, -1), 1);
}

static void who_is_connected_is_known(void **state)
{
	(void)state;
	struct ends ends;
	uid_t user = (uid_t)-1;
	come(&ends);
	assert_int_equal(peer_user(ends.here, &user), 0);
	assert_int_equal(user, ends.user);
	/* Who will send no more waits for an answer still. */
	assert_int_equal(shutdown(ends.here, SHUT_WR), 0);
	assert_int_equal(peer_user(ends.here, &user), 0);
	assert_int_equal(user, ends.user);
	leave(&ends);
	close(ends.here);
}

/* The kernel says 0 of a socket that nobody has any more, which is root. */
static void who_has_closed_is_nobody(void **state)
{
	(void)state;
	struct ends ends;
	uid_t user = (uid_t)-1;
	come(&ends);
	leave(&ends);
	assert_int_equal(peer_user(ends.here, &user), -ENOENT);
	assert_int_equal(user, (uid_t)-1);
	close(ends.here);
}

TEST_MAIN(cmocka_unit_test(who_is_connected_is_known), cmocka_unit_test(who_has_closed_is_nobody))
