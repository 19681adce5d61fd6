#include "drill/volley.h"

#include "base/error.h"
#include "drill/random.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	SOURCES = 1 << 16, /* a power of two */
	BATCH = 64,        /* far less than a processor's queue of received packets holds */
	TICK_US = 100,
	REAL_PERCENT = 25, /* of sources of datagrams; the rest is forged */
	FORGED_RESIDENTS_PERCENT = 10,
	BUFFER_BYTES = 8 << 20,
};

struct volley {
	const struct volley_job *job;
	int fd;
	uint64_t random;
	struct address *sources;
	uint8_t frames[BATCH][PACKET_BYTES];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
};

/* Residents' addresses are among them, since nobody need ask whose address he writes there. */
static struct address draw_source(struct volley *volley)
{
	const struct people *people = volley->job->people;
	const struct volley_shape *shape = &volley->job->plan->shape->volley;
	uint32_t dice = random_below(&volley->random, 100);
	if (shape->forged_residents > 0 && dice < FORGED_RESIDENTS_PERCENT)
		return people->visitors[random_below(&volley->random, shape->forged_residents)].address;
	if (people->attacker_count > 0 && dice >= 100 - REAL_PERCENT)
		return people->attackers[random_below(&volley->random, (uint32_t)people->attacker_count)].address;
	return people_nobody(people, &volley->random);
}

static int open_link(const struct volley_job *job, int *ret_fd)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(job->link)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), past = !job->queued, bytes = BUFFER_BYTES;
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &past, sizeof(past)) != 0 ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

static void make_batch(struct volley *volley, size_t count)
{
	const struct volley_shape *shape = &volley->job->plan->shape->volley;
	for (size_t i = 0; i < count; i++) {
		uint64_t word = random_next(&volley->random);
		bool syn = shape->kind == PACKET_SYN;
		const struct packet_what what = {
			.kind = shape->kind,
			.bytes = shape->bytes,
			.from_port = shape->from_port != 0 ? shape->from_port : (uint16_t)(word | 1024),
			.to_port = syn ? (word >> 16 & 1 ? 80 : 443) : (uint16_t)(word >> 16 | 1),
			.sequence = (uint32_t)(word >> 32),
		};
		const struct address *from = &volley->sources[word >> 40 & (SOURCES - 1)];
		volley->parts[i].iov_len = packet_make(&volley->job->ends, &what, from, volley->frames[i]);
	}
}

/* What finds no room at the gate's card has been sent all the same, and is lost there. */
static void send_batch(struct volley *volley, size_t count)
{
	make_batch(volley, count);
	for (size_t at = 0; at < count;) {
		int sent = sendmmsg(volley->fd, volley->messages + at, (unsigned)(count - at), MSG_DONTWAIT);
		at += sent > 0 ? (size_t)sent : 1;
	}
}

static int64_t cpu_ns(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/* What is due is looked at in time, or never: nobody sends a second's packets in a moment. */
static void loop(struct volley *volley)
{
	const struct run_plan *plan = volley->job->plan;
	struct record *record = volley->job->record;
	int64_t start_ns = atomic_load(&record->start_ns) + (int64_t)plan->quiet_ms * 1000000;
	int64_t end_ns = start_ns + (int64_t)plan->attack_ms * 1000000, now_ns;
	uint64_t done = 0;
	while ((now_ns = clock_now_ns()) < start_ns)
		nanosleep(&(struct timespec){.tv_nsec = TICK_US * 1000}, NULL);
	int64_t cpu_start_ns = cpu_ns();
	record->attackers_use.first_ns = (uint64_t)(now_ns - atomic_load(&record->start_ns));
	while ((now_ns = clock_now_ns()) < end_ns) {
		uint64_t due = (uint64_t)(now_ns - start_ns) * plan->attacks_per_second / 1000000000;
		struct attack_second *second = &record->attack[record_second(now_ns - atomic_load(&record->start_ns))];
		if (due == done) {
			nanosleep(&(struct timespec){.tv_nsec = TICK_US * 1000}, NULL);
			continue;
		}
		size_t count = due - done < BATCH ? (size_t)(due - done) : BATCH;
		second->offered += (uint32_t)count;
		second->sent += (uint32_t)count;
		send_batch(volley, count);
		done += count;
	}
	record->attackers_use.attack_cpu_ns = cpu_ns() - cpu_start_ns;
	record->attackers_use.attack_wall_ns = clock_now_ns() - start_ns;
}

int volley_run(const struct volley_job *job)
{
	struct volley *volley = calloc(1, sizeof(*volley));
	if (volley == NULL || (volley->sources = calloc(SOURCES, sizeof(*volley->sources))) == NULL)
		return -ENOMEM;
	volley->job = job;
	volley->random = random_stream(job->plan->census.day, 9);
	int r = open_link(job, &volley->fd);
	if (r != 0)
		return r;
	for (size_t i = 0; i < SOURCES; i++)
		do
			volley->sources[i] = draw_source(volley);
		while (volley->sources[i].six && job->plan->shape->volley.only_v4);
	for (size_t i = 0; i < BATCH; i++) {
		volley->parts[i].iov_base = volley->frames[i];
		volley->messages[i].msg_hdr = (struct msghdr){.msg_iov = &volley->parts[i], .msg_iovlen = 1};
	}
	loop(volley);
	return 0; /* the process ends: nothing is given back */
}
