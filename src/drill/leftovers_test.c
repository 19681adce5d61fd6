/* Connections of a network of the test's own, one of them without a program any more, are ended. */
#include "drill/leftovers.h"

#include "base/error.h"
#include "base/test.h"
#include "drill/netlink.h"

#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_at(struct sockaddr_in6 *ret_at)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*ret_at = at;
	return fd;
}

static int connect_to(const struct sockaddr_in6 *at)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)at, sizeof(*at)), 0);
	return fd;
}

static bool has_own_network(void)
{
	int fd;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	assert_int_equal(netlink_open(&fd), 0);
	assert_int_equal(netlink_set_up(fd, "lo"), 0);
	close(fd);
	return true;
}

static void connections_are_ended_and_listeners_stay(void **state)
{
	(void)state;
	struct sockaddr_in6 at;
	char byte;
	if (!has_own_network())
		skip();
	int listener = listen_at(&at);
	int kept = connect_to(&at), left = connect_to(&at);
	int accepted = accept(listener, NULL, NULL), other = accept(listener, NULL, NULL);
	assert_true(accepted >= 0 && other >= 0);
	close(left);
	int r = leftovers_end();
	assert_int_equal(r, 0);
	if (recv(kept, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN)
		skip(); /* this kernel cannot */
	assert_int_equal(recv(accepted, &byte, 1, MSG_DONTWAIT), -1);
	assert_true(errno == ECONNABORTED || errno == ECONNRESET);
	int again = connect_to(&at);
	close(again);
	close(other);
	close(accepted);
	close(kept);
	close(listener);
	assert_int_equal(leftovers_end(), 0);
}

TEST_MAIN(cmocka_unit_test(connections_are_ended_and_listeners_stay))
