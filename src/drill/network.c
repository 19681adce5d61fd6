/*
 * World, router and gate in a row, joined by veth pairs. The routes are soon laid; most of this is about which
 * processor works at what a link receives and in what batches. What makes the gate's link a card is switched on before
 * a shape that has one, and off behind it.
 */
#include "drill/network.h"

#include "base/error.h"
#include "drill/connection.h"
#include "drill/netlink.h"
#include "drill/router.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORLD_LINK          NETWORK_WORLD_LINK
#define ROUTER_WORLD_LINK   NETWORK_ROUTER_WORLD_LINK
#define ROUTER_GATE_LINK    STAGE_ROUTER_LINK
#define GATE_LINK           STAGE_GATE_LINK
#define VISITORS_LINK       NETWORK_VISITORS_LINK
#define ROUTER_ENTRY        NETWORK_ROUTER_ENTRY
#define ROUTER_INTERRUPT_NS "100000"

/* Addresses of RFC 5737 and RFC 3849, which are nobody's. */
#define WORLD_V4        "198.51.100.2"
#define WORLD_V6        "2001:db8:0:1::2"
#define ROUTER_WORLD_V4 "198.51.100.1"
#define ROUTER_WORLD_V6 "2001:db8:0:1::1"
#define VISITORS_V4     "203.0.113.2"
#define VISITORS_V6     "2001:db8:0:3::2"
#define ENTRY_V4        "203.0.113.1"
#define ENTRY_V6        "2001:db8:0:3::1"
#define ROUTER_GATE_V4  "192.0.2.1"
#define ROUTER_GATE_V6  "2001:db8:0:2::1"

static struct host_address address_of(const char *text)
{
	struct host_address address = {.six = strchr(text, ':') != NULL};
	(void)inet_pton(address.six ? AF_INET6 : AF_INET, text, address.bytes);
	return address;
}

static int write_setting(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int set_up(int fd, const char *link, const char *v4, const char *v6)
{
	struct host_address four = address_of(v4), six = address_of(v6);
	int r = netlink_add_address(fd, link, &four, 24);
	r = r != 0 ? r : netlink_add_address(fd, link, &six, 64);
	r = r != 0 ? r : netlink_set_up(fd, link);
	return r != 0 ? r : netlink_set_up(fd, "lo");
}

static int add_default(int fd, const char *v4, const char *v6)
{
	struct host_address four = address_of(v4), six = address_of(v6);
	int r = netlink_add_route(fd, NULL, &four);
	return r != 0 ? r : netlink_add_route(fd, NULL, &six);
}

static int build_router(int fd, const struct stage *stage)
{
	int r = netlink_add_pair(fd, ROUTER_WORLD_LINK, WORLD_LINK, stage->world);
	r = r != 0 ? r : netlink_add_pair(fd, ROUTER_ENTRY, VISITORS_LINK, stage->world);
	r = r != 0 ? r : netlink_add_pair(fd, ROUTER_GATE_LINK, GATE_LINK, stage->gate);
	r = r != 0 ? r : set_up(fd, ROUTER_ENTRY, ENTRY_V4, ENTRY_V6);
	r = r != 0 ? r : set_up(fd, ROUTER_WORLD_LINK, ROUTER_WORLD_V4, ROUTER_WORLD_V6);
	r = r != 0 ? r : set_up(fd, ROUTER_GATE_LINK, ROUTER_GATE_V4, ROUTER_GATE_V6);
	/* Answers to forged addresses. */
	r = r != 0 ? r : netlink_add_blackhole(fd, false);
	r = r != 0 ? r : netlink_add_blackhole(fd, true);
	r = r != 0 ? r : write_setting("/proc/sys/net/ipv4/ip_forward", "1");
	return r != 0 ? r : write_setting("/proc/sys/net/ipv6/conf/all/forwarding", "1");
}

static int build_gate(int fd, const struct stage *stage)
{
	(void)stage;
	struct host_address speaker = address_of(ROUTER_GATE);
	int r = set_up(fd, GATE_LINK, GATE_V4, GATE_V6);
	r = r != 0 ? r : netlink_add_address(fd, GATE_LINK, &speaker, 24);
	r = r != 0 ? r : add_default(fd, ROUTER_GATE_V4, ROUTER_GATE_V6);
	/* As `guia check` asks for, in both runs. */
	r = r != 0 ? r : write_setting("/proc/sys/net/ipv4/tcp_syncookies", "2");
	/* nginx is not root where the drill is not. */
	return r != 0 ? r : write_setting("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
}

static int add_visitors_way(int fd)
{
	struct host_address four = address_of(ENTRY_V4), six = address_of(ENTRY_V6);
	int r = netlink_add_marked_route(fd, NETWORK_VISITORS_MARK, &four);
	return r != 0 ? r : netlink_add_marked_route(fd, NETWORK_VISITORS_MARK, &six);
}

static int build_world(int fd, const struct stage *stage)
{
	(void)stage;
	int r = set_up(fd, WORLD_LINK, WORLD_V4, WORLD_V6);
	r = r != 0 ? r : set_up(fd, VISITORS_LINK, VISITORS_V4, VISITORS_V6);
	r = r != 0 ? r : add_default(fd, ROUTER_WORLD_V4, ROUTER_WORLD_V6);
	r = r != 0 ? r : add_visitors_way(fd);
	return r != 0 ? r : write_setting("/proc/sys/net/ipv4/ip_local_port_range", "1024 65535");
}

/* Addresses of links are good at once: nobody else is there to have the same. */
static int expect_nobody(void)
{
	int r = write_setting("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
	return r != 0 ? r : write_setting("/proc/sys/net/ipv6/conf/default/dad_transmits", "0");
}

static int expect_nobody_anywhere(const struct stage *stage)
{
	const int namespaces[] = {stage->world, stage->router, stage->gate};
	int r = 0;
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]) && r == 0; i++) {
		r = stage_go(namespaces[i]);
		r = r != 0 ? r : expect_nobody();
	}
	return r;
}

static int in_namespace(int namespace, int (*act)(int fd, const struct stage *stage), const struct stage *stage)
{
	int fd, r = stage_go(namespace);
	r = r != 0 ? r : netlink_open(&fd);
	if (r != 0)
		return r;
	r = act(fd, stage);
	close(fd);
	return r;
}

/* Another shape's people may live in the same network. */
static int unless_there(int r)
{
	return r == -EEXIST ? 0 : r;
}

/* /sys shows the network namespace of whoever mounts it, so it is mounted to be written to and goes again. */
static int write_link(const struct stage *stage, int namespace, const char *link, const char *name, const char *value)
{
	char path[PATH_MAX + 64];
	int r = stage_go(namespace);
	if (r != 0)
		return r;
	if (mount("sysfs", stage->folder, "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/class/net/%s/%s", stage->folder, link, name);
	r = write_setting(path, value);
	umount2(stage->folder, MNT_DETACH);
	return r;
}

void network_mask(int processor, char out[NETWORK_MASK_BYTES])
{
	int len = snprintf(out, NETWORK_MASK_BYTES, "%x", 1u << processor % 32);
	for (int i = processor / 32; i > 0; i--)
		len += snprintf(out + len, (size_t)(NETWORK_MASK_BYTES - len), ",00000000");
}

static int receive_on(const struct stage *stage, int namespace, const char *link, int processor)
{
	char mask[NETWORK_MASK_BYTES];
	network_mask(processor, mask);
	return write_link(stage, namespace, link, "queues/rx-0/rps_cpus", mask);
}

static int ask_link(int namespace, const char *link, unsigned long what, struct ifreq *request)
{
	int r = stage_go(namespace);
	if (r != 0)
		return r;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", link);
	r = ioctl(fd, what, request) == 0 ? 0 : -errno;
	close(fd);
	return r;
}

static int mac_of(int namespace, const char *link, uint8_t ret_mac[MAC_BYTES])
{
	struct ifreq request = {0};
	int r = ask_link(namespace, link, SIOCGIFHWADDR, &request);
	if (r == 0)
		memcpy(ret_mac, request.ifr_hwaddr.sa_data, MAC_BYTES);
	return r;
}

static int set_offload(int namespace, const char *link, uint32_t command, bool on)
{
	struct ethtool_value value = {command, on};
	struct ifreq request = {.ifr_data = (void *)&value};
	return ask_link(namespace, link, SIOCETHTOOL, &request);
}

/* A virtual link batches only what its peer does not hand on in one piece, and sends back only to who batches. */
static int batch(const struct stage *stage, bool on)
{
	int r = set_offload(stage->router, ROUTER_GATE_LINK, ETHTOOL_STSO, !on);
	r = r != 0 ? r : set_offload(stage->gate, GATE_LINK, ETHTOOL_SGRO, on);
	/* What goes on as a frame must be whole: nobody adds its checksum later. */
	r = r != 0 ? r : set_offload(stage->world, WORLD_LINK, ETHTOOL_STXCSUM, !on);
	r = r != 0 ? r : set_offload(stage->world, VISITORS_LINK, ETHTOOL_STXCSUM, !on);
	return r != 0 ? r : write_link(stage, stage->gate, GATE_LINK, "threaded", on ? "1" : "0");
}

/*
 * The router hands on together what came while the crowd was at it. One by one each packet would interrupt the other
 * processor, which costs more than to route it.
 */
static int gather_at_router(const struct stage *stage, int crowd_processor)
{
	static const char *const links[] = {ROUTER_WORLD_LINK, ROUTER_ENTRY, ROUTER_GATE_LINK};
	int receiver, r = set_offload(stage->world, WORLD_LINK, ETHTOOL_STSO, false);
	r = r != 0 ? r : set_offload(stage->world, VISITORS_LINK, ETHTOOL_STSO, false);
	r = r != 0 ? r : set_offload(stage->gate, GATE_LINK, ETHTOOL_STSO, false);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]) && r == 0; i++) {
		r = set_offload(stage->router, links[i], ETHTOOL_SGRO, true);
		r = r != 0 ? r : write_link(stage, stage->router, links[i], "threaded", "1");
		r = r != 0 ? r : write_link(stage, stage->router, links[i], "queues/rx-0/rps_cpus", "0");
		r = r != 0 ? r : stage_put_receiver(stage, links[i], crowd_processor, RECEIVER_NEXT, &receiver);
	}
	return r;
}

int network_build(const struct stage *stage, int gate_processor, int crowd_processor)
{
	int r = expect_nobody_anywhere(stage);
	r = r != 0 ? r : in_namespace(stage->router, build_router, stage);
	r = r != 0 ? r : in_namespace(stage->gate, build_gate, stage);
	r = r != 0 ? r : in_namespace(stage->world, build_world, stage);
	if (r != 0)
		return r;
	int received = receive_on(stage, stage->gate, GATE_LINK, gate_processor);
	received = received != 0 ? received : receive_on(stage, stage->router, ROUTER_WORLD_LINK, crowd_processor);
	received = received != 0 ? received : receive_on(stage, stage->router, ROUTER_ENTRY, crowd_processor);
	received = received != 0 ? received : receive_on(stage, stage->router, ROUTER_GATE_LINK, crowd_processor);
	received = received != 0 ? received : receive_on(stage, stage->world, WORLD_LINK, crowd_processor);
	if (received == 0 && stage->root)
		received = gather_at_router(stage, crowd_processor);
	r = stage_go(stage->world);
	return r != 0 ? r : received != 0 ? NETWORK_RECEIVES_ELSEWHERE : 0;
}

int network_admit(const struct stage *stage, const struct people *people)
{
	struct host_address four = address_of(WORLD_V4), six = address_of(WORLD_V6);
	int own, way, r = stage_go(stage->router);
	r = r != 0 ? r : netlink_open(&way);
	if (r != 0)
		return r;
	r = stage_go(stage->world);
	if (r == 0 && (r = netlink_open(&own)) == 0) {
		for (size_t i = 0; i < NETWORKS && r == 0; i++) {
			const struct network *network = &people->networks[i];
			r = unless_there(netlink_add_own(own, network));
			if (r == 0)
				r = unless_there(netlink_add_route(way, network, network->base.six ? &six : &four));
		}
		close(own);
	}
	close(way);
	return r;
}

/*
 * The router's card interrupts nobody for each packet: whoever it wakes is not woken again for a while. And the other
 * link takes frames, for that is where an attack's pages end (volley.bpf.c).
 */
static int take_packets(const struct stage *stage, bool on)
{
	int r = write_link(stage, stage->router, ROUTER_GATE_LINK, "gro_flush_timeout", on ? ROUTER_INTERRUPT_NS : "0");
	r = r != 0 ? r : write_link(stage, stage->router, ROUTER_GATE_LINK, "napi_defer_hard_irqs", on ? "1" : "0");
	return r != 0 ? r : set_offload(stage->world, VISITORS_LINK, ETHTOOL_SGRO, on);
}

int network_card_begin(const struct stage *stage, int gate_processor, int crowd_processor, enum receiver_turn router,
		       int *ret_receiver)
{
	int r = batch(stage, true), other;
	r = r != 0 ? r : write_link(stage, stage->gate, GATE_LINK, "queues/rx-0/rps_cpus", "0");
	r = r != 0 ? r : stage_put_receiver(stage, GATE_LINK, gate_processor, RECEIVER_FIRST, ret_receiver);
	r = r != 0 ? r : stage_put_receiver(stage, ROUTER_GATE_LINK, crowd_processor, router, &other);
	r = r != 0 ? r : stage_put_receiver(stage, ROUTER_WORLD_LINK, crowd_processor, router, &other);
	if (r == 0 && router == RECEIVER_FIRST)
		r = take_packets(stage, true);
	int back = stage_go(stage->world);
	return r != 0 ? r : back;
}

void network_card_end(const struct stage *stage, int gate_processor, int crowd_processor)
{
	int other;
	(void)batch(stage, false);
	(void)take_packets(stage, false);
	(void)receive_on(stage, stage->gate, GATE_LINK, gate_processor);
	(void)stage_put_receiver(stage, ROUTER_GATE_LINK, crowd_processor, RECEIVER_NEXT, &other);
	(void)stage_put_receiver(stage, ROUTER_WORLD_LINK, crowd_processor, RECEIVER_NEXT, &other);
	(void)stage_go(stage->world);
}

int network_ends(const struct stage *stage, bool from_world, struct packet_ends *ret_ends)
{
	struct packet_ends ends = {.to = {address_of(GATE_V4), address_of(GATE_V6)}};
	int r = from_world ? mac_of(stage->world, WORLD_LINK, ends.from_mac)
			   : mac_of(stage->router, ROUTER_GATE_LINK, ends.from_mac);
	r = r != 0       ? r
	    : from_world ? mac_of(stage->router, ROUTER_WORLD_LINK, ends.to_mac)
			 : mac_of(stage->gate, GATE_LINK, ends.to_mac);
	int back = stage_go(stage->world);
	if (r == 0)
		*ret_ends = ends;
	return r != 0 ? r : back;
}
