/* Rules go to nft(8) as one argument. Connections are forgotten by a message to the kernel itself (ctnetlink). */
#include "drill/tracking.h"

#include "base/error.h"
#include "drill/command.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#define TABLE  "inet guia_drill"
#define FILTER "chain input { type filter hook input priority filter; policy accept; ct state invalid drop; }; "
/* Chains without a rule are asked of each connection that begins, as it comes in and where it ends in the host. */
#define NAT                                                                                                            \
	"chain nat_prerouting { type nat hook prerouting priority -100; }; "                                           \
	"chain nat_input { type nat hook input priority 100; }; "

#define RULES "table " TABLE " { " FILTER NAT "}"

bool tracking_may_be(const struct stage *stage, const char **ret_why)
{
	char path[PATH_MAX];
	struct buffer said = buffer_make(NULL);
	const char *words[] = {"nft", "-c", RULES, NULL}; /* asks, and changes nothing */
	*ret_why = "it needs nft, of the package nftables";
	if (!command_find("nft", path))
		return false;
	*ret_why = "this kernel has no packet filter that tracks connections, or no NAT";
	int r = command_run(stage->gate, words, &said);
	buffer_free(&said);
	return r == 0;
}

static int run(const struct stage *stage, const char *what, struct buffer *said)
{
	const char *words[] = {"nft", what, NULL};
	return command_run(stage->gate, words, said);
}

/* Of the network that the process is in: what an earlier run left would be in the way for half a minute. */
static int forget_all(void)
{
	struct {
		struct nlmsghdr head;
		struct nfgenmsg family; /* zeros: of all of them, every connection */
	} order = {.head = {.nlmsg_len = sizeof(order),
			    .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK}};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0)
		return -errno;
	int r = send(fd, &order, sizeof(order), 0) < 0                           ? -errno
		: recv(fd, &answer, sizeof(answer), 0) < (ssize_t)sizeof(answer) ? -EPROTO
										 : answer.error.error;
	close(fd);
	return r;
}

int tracking_begin(const struct stage *stage, struct buffer *said)
{
	int r = stage_go(stage->gate);
	r = r != 0 ? r : forget_all();
	int back = stage_go(stage->world);
	if (r != 0 || back != 0) {
		buffer_printf(said, "connections that the kernel tracks cannot be forgotten: %s\n", strerror(-r));
		return r != 0 ? r : back;
	}
	return run(stage, RULES, said);
}

void tracking_end(const struct stage *stage)
{
	struct buffer said = buffer_make(NULL);
	(void)run(stage, "delete table " TABLE, &said);
	buffer_free(&said);
}
