/*
 * A dump of all sockets of each family, kept as the orders that would end them; then SOCK_DESTROY for one after
 * another.
 */
#include "drill/leftovers.h"

#include "base/buffer.h"
#include "base/error.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_BYTES = 32 << 10 };

/* All states but those in which a socket sends nothing. */
static const uint32_t STATES = ~(UINT32_C(1) << TCP_TIME_WAIT | UINT32_C(1) << TCP_CLOSE | UINT32_C(1) << TCP_LISTEN);

struct order {
	struct nlmsghdr head;
	struct inet_diag_req_v2 wanted;
};

static int send_order(int fd, uint16_t type, uint16_t flags, const struct inet_diag_req_v2 *wanted)
{
	const struct order order = {.head = {.nlmsg_len = sizeof(order),
					     .nlmsg_type = type,
					     .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)},
				    .wanted = *wanted};
	return send(fd, &order, sizeof(order), 0) == (ssize_t)sizeof(order) ? 0 : -errno;
}

/* Of an answer's messages: sockets are added to `found`. 1 behind the last of all, 0 before that, or -errno. */
static int take_answer(struct nlmsghdr *message, size_t len, struct buffer *found)
{
	for (; NLMSG_OK(message, len); message = NLMSG_NEXT(message, len)) {
		if (message->nlmsg_type == NLMSG_DONE)
			return 1;
		if (message->nlmsg_type == NLMSG_ERROR) {
			int error = ((const struct nlmsgerr *)NLMSG_DATA(message))->error;
			return error != 0 ? error : 1;
		}
		const struct inet_diag_msg *socket = NLMSG_DATA(message);
		const struct inet_diag_req_v2 one = {.sdiag_family = socket->idiag_family,
						     .sdiag_protocol = IPPROTO_TCP,
						     .idiag_states = STATES,
						     .id = socket->id};
		buffer_add(found, slice_make(&one, sizeof(one)));
	}
	return 0;
}

static int receive(int fd, struct buffer *found)
{
	union {
		struct nlmsghdr head;
		uint8_t bytes[ANSWER_BYTES];
	} answer;
	int r;
	do {
		ssize_t n = recv(fd, &answer, sizeof(answer), 0);
		r = n < 0 ? -errno : take_answer(&answer.head, (size_t)n, found);
	} while (r == 0);
	return r == 1 ? found->error : r;
}

static int list(int fd, struct buffer *found)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	int r = 0;
	for (size_t i = 0; i < sizeof(families) && r == 0; i++) {
		const struct inet_diag_req_v2 all = {
			.sdiag_family = families[i], .sdiag_protocol = IPPROTO_TCP, .idiag_states = STATES};
		r = send_order(fd, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &all);
		r = r != 0 ? r : receive(fd, found);
	}
	return r;
}

/* One that has ended by itself meanwhile is none to be ended. */
static int end_each(int fd, const struct buffer *found)
{
	struct buffer none = buffer_make(NULL);
	int r = 0;
	for (size_t at = 0; at < found->len && (r == 0 || r == -ENOENT); at += sizeof(struct inet_diag_req_v2)) {
		struct inet_diag_req_v2 one;
		memcpy(&one, found->ptr + at, sizeof(one));
		r = send_order(fd, SOCK_DESTROY, NLM_F_ACK, &one);
		r = r != 0 ? r : receive(fd, &none);
	}
	return r == -ENOENT ? 0 : r;
}

int leftovers_end(void)
{
	struct buffer found = buffer_make(NULL);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return errno == EPROTONOSUPPORT ? 0 : -errno;
	int r = list(fd, &found);
	r = r != 0 ? r : end_each(fd, &found);
	buffer_free(&found);
	close(fd);
	return r == -EOPNOTSUPP || r == -ENOENT ? 0 : r; /* ENOENT: it has no part for TCP */
}
