/*
 * One question to sock_diag(7) on a socket of its own, and one answer: the ends of our connection, the other way round.
 */
#include "screen/peer.h"

#include "base/error.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_MS = 200, ANSWER_BYTES = 4096 };

struct question {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

static void put_end(const struct sockaddr_storage *end, __be16 *port, __be32 address[4])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)end;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)end;
	*port = end->ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port;
	if (end->ss_family == AF_INET6)
		memcpy(address, &v6->sin6_addr, sizeof(v6->sin6_addr));
	else
		memcpy(address, &v4->sin_addr, sizeof(v4->sin_addr));
}

/* The other end's socket: what is near to us is far from it. */
static int question_make(int fd, struct question *q)
{
	struct sockaddr_storage here = {0}, there = {0};
	socklen_t here_len = sizeof(here), there_len = sizeof(there);
	if (getsockname(fd, (struct sockaddr *)&here, &here_len) != 0 ||
	    getpeername(fd, (struct sockaddr *)&there, &there_len) != 0)
		return -errno;
	*q = (struct question){
		.head = {.nlmsg_len = sizeof(*q), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
		.body = {.sdiag_family = (__u8)here.ss_family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0U}};
	put_end(&there, &q->body.id.idiag_sport, q->body.id.idiag_src);
	put_end(&here, &q->body.id.idiag_dport, q->body.id.idiag_dst);
	q->body.id.idiag_cookie[0] = q->body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return 0;
}

/* Of a socket that was closed the kernel keeps a rest for a while, which is nobody's: it has no inode, and 0 as its
 * user. */
static bool is_held(const struct inet_diag_msg *socket)
{
	return socket->idiag_inode != 0 &&
	       (socket->idiag_state == TCP_ESTABLISHED || socket->idiag_state == TCP_CLOSE_WAIT);
}

static int answer_read(int link, uid_t *ret_user)
{
	_Alignas(struct nlmsghdr) char bytes[ANSWER_BYTES];
	ssize_t n = recv(link, bytes, sizeof(bytes), 0);
	const struct nlmsghdr *head = (const struct nlmsghdr *)bytes;
	if (n < 0)
		return -errno;
	if (!NLMSG_OK(head, (size_t)n))
		return -EPROTO;
	if (head->nlmsg_type == NLMSG_ERROR && head->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return ((const struct nlmsgerr *)NLMSG_DATA(head))->error;
	if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY || head->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
		return -EPROTO;
	const struct inet_diag_msg *other = (const struct inet_diag_msg *)NLMSG_DATA(head);
	if (!is_held(other))
		return -ENOENT;
	*ret_user = other->idiag_uid;
	return 0;
}

int peer_user(int fd, uid_t *ret_user)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	const struct timeval patience = {.tv_usec = PATIENCE_MS * 1000};
	struct question q;
	int r = question_make(fd, &q);
	int link = r == 0 ? socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG) : -1;
	if (r == 0 && link < 0)
		r = -errno;
	if (r == 0 && (setsockopt(link, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
		       sendto(link, &q, sizeof(q), 0, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0))
		r = -errno;
	r = r != 0 ? r : answer_read(link, ret_user);
	if (link >= 0)
		close(link);
	return r;
}
