/*
 * The loop: send what is due, give up what is late, wait, step. What happens to a connection is client_step.c's.
 * Attackers differ by a tick, which gathers events, and by a credit of processor time, without which they open no
 * connection.
 */
#include "drill/client.h"

#include "base/error.h"
#include "drill/asking.h"
#include "drill/client_state.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	EVENTS = 256,
	BATCH = 64, /* sent before answers are looked at */
	FILES_KEPT = 64,
	FILES_MAX = 60000,
	IDLE_MS = 10000,
	ATTACKERS_IDLE_MS = 700, /* a tool that has moved on to another address */
	ATTACKERS_WAIT_MS = 4000,
	ATTACKERS_CPU_PERCENT = 50,
	CREDIT_MAX_MS = 250,
	ATTACKERS_TICK_US = 200,
	LINGER_MS = 2000,
	TOOLS_END_MS = 100,
};

static int64_t ms(int64_t count)
{
	return count * 1000000;
}

static int64_t cpu_ns(void)
{
	struct rusage use;
	getrusage(RUSAGE_SELF, &use);
	return ((int64_t)use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000000 +
	       ((int64_t)use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000;
}

/* What the processor did for this client from the beginning of the attack to its end. */
static void measure_use(struct client *client, int64_t since_ns)
{
	struct client_use *use = client->use;
	const struct run_plan *plan = client->job->plan;
	if (client->mark_cpu_ns == 0 && since_ns >= ms(plan->quiet_ms)) {
		client->mark_cpu_ns = cpu_ns();
		client->mark_ns = since_ns;
	}
	if (use->attack_wall_ns == 0 && since_ns >= ms((int64_t)plan->quiet_ms + plan->attack_ms)) {
		use->attack_cpu_ns = cpu_ns() - client->mark_cpu_ns;
		use->attack_wall_ns = since_ns - client->mark_ns;
	}
}

static size_t file_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024 - FILES_KEPT;
	struct rlimit more = {FILES_MAX, FILES_MAX};
	if (limit.rlim_max < FILES_MAX && setrlimit(RLIMIT_NOFILE, &more) == 0)
		return FILES_MAX - FILES_KEPT;
	limit.rlim_cur = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* a limit that stays low is kept to */
	return limit.rlim_cur - FILES_KEPT;
}

/* Whoever is at the end of his patience, and connections that nobody needs. */
static void expire(struct client *client, int64_t now_ns)
{
	while (client->waiting.first != NULL && client->waiting.first->due_ns <= now_ns)
		client_give_up(client, client->waiting.first, now_ns);
	while (client->resting.first != NULL && client->resting.first->due_ns <= now_ns)
		client_drop(client, client->resting.first, false);
}

/*
 * What an attacker may use of the processor. Where the gate is slow a flood is ever more connections, each dearer than
 * a request over one that is there: their number is what the processor of the crowd allows, so that it never becomes
 * the residents' bottleneck.
 */
static void earn(struct client *client, int64_t now_ns)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	int64_t used_ns = (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
	client->credit_ns += (now_ns - client->earned_ns) * ATTACKERS_CPU_PERCENT / 100 - (used_ns - client->used_ns);
	if (client->credit_ns > ms(CREDIT_MAX_MS))
		client->credit_ns = ms(CREDIT_MAX_MS);
	client->earned_ns = now_ns;
	client->used_ns = used_ns;
}

static void send_due(struct client *client, int64_t now_ns)
{
	const struct schedule *schedule = client->job->schedule;
	for (size_t i = 0; i < BATCH && client->next < schedule->count; i++) {
		if (client->start_ns + schedule->items[client->next].at_ns > now_ns)
			return;
		client_send(client, client->next++, now_ns);
	}
}

static int64_t next_moment(const struct client *client, int64_t end_ns)
{
	const struct schedule *schedule = client->job->schedule;
	int64_t next_ns = end_ns;
	if (client->next < schedule->count && client->start_ns + schedule->items[client->next].at_ns < next_ns)
		next_ns = client->start_ns + schedule->items[client->next].at_ns;
	if (client->waiting.first != NULL && client->waiting.first->due_ns < next_ns)
		next_ns = client->waiting.first->due_ns;
	if (client->resting.first != NULL && client->resting.first->due_ns < next_ns)
		next_ns = client->resting.first->due_ns;
	return next_ns;
}

static void free_closed(struct client *client)
{
	for (struct connection *c; (c = client->closed) != NULL;) {
		client->closed = c->under;
		connection_free(&client->dial, c);
	}
}

/*
 * Nobody measures attackers to the millisecond: what comes within a tick is looked at together, which is cheaper. A
 * tick of a millisecond would be too much: attempts that come in bunches leave the places between them to residents.
 */
static void gather(void)
{
	nanosleep(&(struct timespec){.tv_nsec = ATTACKERS_TICK_US * 1000}, NULL);
}

/* Whether the run is over and no visitor waits any more. */
static bool has_all(const struct client *client, int64_t now_ns)
{
	return !client->job->attackers && client->next == client->job->schedule->count &&
	       client->waiting.first == NULL && now_ns >= client->start_ns + ms(run_plan_end_ms(client->job->plan));
}

static int loop(struct client *client)
{
	struct epoll_event events[EVENTS];
	const struct run_plan *plan = client->job->plan;
	/* When the attack is over its tools end, and with them their connections. Of the days before nobody counts
	 * answers.
	 */
	int64_t end_ms = client->job->attackers
				 ? (int64_t)plan->quiet_ms + plan->attack_ms + TOOLS_END_MS
				 : (int64_t)run_plan_end_ms(plan) + (plan->attack_ms > 0 ? LINGER_MS : 0);
	int64_t end_ns = client->start_ns + ms(end_ms);
	for (int64_t now_ns; (now_ns = clock_now_ns()) < end_ns && !has_all(client, now_ns);) {
		if (client->job->attackers)
			earn(client, now_ns);
		send_due(client, now_ns);
		expire(client, now_ns);
		measure_use(client, now_ns - client->start_ns);
		if (client->job->attackers && now_ns >= client->start_ns)
			client->job->record->attack[record_second(now_ns - client->start_ns)].open =
				(uint32_t)client->open;
		if (client->job->attackers)
			gather();
		int64_t left_ns = next_moment(client, end_ns) - clock_now_ns();
		left_ns = left_ns > 0 ? left_ns : 0;
		struct timespec wait = {left_ns / 1000000000, left_ns % 1000000000};
		int ready = epoll_pwait2(client->dial.poll, events, EVENTS, &wait, NULL);
		if (ready < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < ready; i++)
			client_step(client, events[i].data.ptr,
				    (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0, clock_now_ns());
		free_closed(client);
	}
	measure_use(client, clock_now_ns() - client->start_ns);
	return 0;
}

int client_run(const struct client_job *job)
{
	struct client client = {
		.job = job,
		.start_ns = atomic_load(&job->record->start_ns),
		.use = job->attackers ? &job->record->attackers_use : &job->record->visitors_use,
		.patience_ns = ms(job->attackers ? ATTACKERS_WAIT_MS : ANSWER_WITHIN_MS),
		.idle_ns = ms(job->attackers ? ATTACKERS_IDLE_MS : IDLE_MS),
		.limit = file_limit(),
		.idle = calloc(job->person_count + 1, sizeof(struct connection *)),
	};
	signal(SIGPIPE, SIG_IGN);
	arena_init(&client.arena, 1 << 20, 64 << 10);
	int r = client.idle == NULL ? -ENOMEM : dial_init(job->person_count, job->attackers, job->mark, &client.dial);
	return r != 0 ? r : loop(&client); /* the process ends: nothing is given back */
}
