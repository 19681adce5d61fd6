/*
 * A message is a header, the kind's own structure and attributes in one buffer; a nest is closed by filling in its
 * length. The kernel acknowledges each, which is the answer. A marked route is a rule and a table of its own.
 */
#include "drill/netlink.h"

#include "base/error.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MESSAGE_BYTES = 1024,
	LOOPBACK = 1,       /* the index of lo in every namespace */
	MARKED_TABLE = 100, /* none of the kernel's own; a table for each mark from here on */
};

struct message {
	union {
		struct nlmsghdr head;
		uint8_t bytes[MESSAGE_BYTES];
	};
};

int netlink_open(int *ret_fd)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* The message's own structure, which follows the header; zeroed. */
static void *start(struct message *m, uint16_t type, uint16_t flags, size_t bytes)
{
	memset(m, 0, sizeof(*m));
	m->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(bytes);
	m->head.nlmsg_type = type;
	m->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	return NLMSG_DATA(&m->head);
}

static void *extend(struct message *m, size_t bytes)
{
	size_t at = NLMSG_ALIGN(m->head.nlmsg_len);
	m->head.nlmsg_len = (uint32_t)(at + bytes);
	return m->bytes + at;
}

static struct rtattr *attribute(struct message *m, unsigned short type, const void *value, size_t bytes)
{
	struct rtattr *a = extend(m, RTA_LENGTH(bytes));
	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(bytes);
	if (bytes > 0)
		memcpy(RTA_DATA(a), value, bytes);
	return a;
}

/* The attributes that were added since are inside of this one. */
static void close_nest(struct message *m, struct rtattr *nest)
{
	nest->rta_len = (unsigned short)(m->bytes + m->head.nlmsg_len - (uint8_t *)nest);
}

static int ask(int fd, struct message *m)
{
	struct message answer;
	if (send(fd, m, m->head.nlmsg_len, 0) < 0)
		return -errno;
	ssize_t n = recv(fd, &answer, sizeof(answer), 0);
	if (n < 0)
		return -errno;
	if (!NLMSG_OK(&answer.head, (size_t)n) || answer.head.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return ((const struct nlmsgerr *)NLMSG_DATA(&answer.head))->error;
}

static void name_it(struct message *m, const char *name)
{
	attribute(m, IFLA_IFNAME, name, strlen(name) + 1);
}

int netlink_add_pair(int fd, const char *name, const char *peer, int peer_namespace)
{
	struct message m;
	struct ifinfomsg *link = start(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	name_it(&m, name);
	struct rtattr *about = attribute(&m, IFLA_LINKINFO, NULL, 0);
	attribute(&m, IFLA_INFO_KIND, "veth", 4);
	struct rtattr *data = attribute(&m, IFLA_INFO_DATA, NULL, 0);
	struct rtattr *other = attribute(&m, VETH_INFO_PEER, NULL, 0);
	extend(&m, sizeof(struct ifinfomsg));
	name_it(&m, peer);
	attribute(&m, IFLA_NET_NS_FD, &peer_namespace, sizeof(peer_namespace));
	close_nest(&m, other);
	close_nest(&m, data);
	close_nest(&m, about);
	return ask(fd, &m);
}

int netlink_set_up(int fd, const char *name)
{
	struct message m;
	struct ifinfomsg *link = start(&m, RTM_NEWLINK, 0, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	link->ifi_flags = IFF_UP;
	link->ifi_change = IFF_UP;
	name_it(&m, name);
	return ask(fd, &m);
}

static size_t address_bytes(const struct host_address *address)
{
	return address->six ? 16 : 4;
}

static unsigned char family_of(const struct host_address *address)
{
	return address->six ? AF_INET6 : AF_INET;
}

int netlink_add_address(int fd, const char *name, const struct host_address *address, unsigned bits)
{
	struct message m;
	struct ifaddrmsg *own = start(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*own));
	own->ifa_family = family_of(address);
	own->ifa_prefixlen = (unsigned char)bits;
	own->ifa_flags = IFA_F_NODAD; /* nobody else is there */
	own->ifa_index = if_nametoindex(name);
	if (own->ifa_index == 0)
		return -errno;
	attribute(&m, IFA_LOCAL, address->bytes, address_bytes(address));
	attribute(&m, IFA_ADDRESS, address->bytes, address_bytes(address));
	return ask(fd, &m);
}

static struct rtmsg *start_route(struct message *m, bool six, const struct network *to)
{
	struct rtmsg *route = start(m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*route));
	route->rtm_family = six ? AF_INET6 : AF_INET;
	route->rtm_protocol = RTPROT_STATIC;
	if (to == NULL)
		return route;
	route->rtm_dst_len = (unsigned char)to->bits;
	attribute(m, RTA_DST, to->base.bytes, address_bytes(&to->base));
	return route;
}

static int add_route(int fd, uint8_t table, const struct network *to, const struct host_address *gateway)
{
	struct message m;
	struct rtmsg *route = start_route(&m, gateway->six, to);
	route->rtm_table = table;
	route->rtm_scope = RT_SCOPE_UNIVERSE;
	route->rtm_type = RTN_UNICAST;
	attribute(&m, RTA_GATEWAY, gateway->bytes, address_bytes(gateway));
	return ask(fd, &m);
}

int netlink_add_route(int fd, const struct network *to, const struct host_address *gateway)
{
	return add_route(fd, RT_TABLE_MAIN, to, gateway);
}

int netlink_add_marked_route(int fd, uint32_t mark, const struct host_address *gateway)
{
	struct message m;
	uint8_t table = (uint8_t)(MARKED_TABLE + mark);
	struct fib_rule_hdr *rule = start(&m, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*rule));
	rule->family = family_of(gateway);
	rule->table = table;
	rule->action = FR_ACT_TO_TBL;
	attribute(&m, FRA_FWMARK, &mark, sizeof(mark));
	int r = ask(fd, &m);
	return r != 0 ? r : add_route(fd, table, NULL, gateway);
}

int netlink_add_blackhole(int fd, bool six)
{
	struct message m;
	struct rtmsg *route = start_route(&m, six, NULL);
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_scope = RT_SCOPE_UNIVERSE;
	route->rtm_type = RTN_BLACKHOLE;
	return ask(fd, &m);
}

int netlink_add_own(int fd, const struct network *network)
{
	struct message m;
	uint32_t loopback = LOOPBACK;
	struct rtmsg *route = start_route(&m, network->base.six, network);
	route->rtm_table = RT_TABLE_LOCAL;
	route->rtm_scope = RT_SCOPE_HOST;
	route->rtm_type = RTN_LOCAL;
	attribute(&m, RTA_OIF, &loopback, sizeof(loopback));
	return ask(fd, &m);
}
