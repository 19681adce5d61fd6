/*
 * The conductor of one run. Every part is a child in its network; while morning and day go on the watch is asked, tolls
 * are taken and the router's filter is kept up in turn; then whatever is left is killed. What is measured is in the
 * shared record.
 */
#include "drill/run.h"

#include "base/error.h"
#include "base/file.h"
#include "drill/client.h"
#include "drill/connection.h"
#include "drill/fence.h"
#include "drill/gate.h"
#include "drill/gate_files.h"
#include "drill/leftovers.h"
#include "drill/network.h"
#include "drill/origin.h"
#include "drill/permission.h"
#include "drill/router.h"
#include "drill/toll.h"
#include "drill/tracking.h"
#include "drill/volley.h"
#include "base/control.h"

#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	LEAD_MS = 300, /* between the moment when all is ready and the start */
	POLL_MS = 50,
	ASK_MS = 1000,
	LOOK_MS = 300, /* at the operator's table */
	DARK_MS = 1000,
	HELD_WITHIN_MS = 15000, /* the edge by the watch, which looks for one each second */
	LOG_MAX_BYTES = 64 << 20,
	ATTACKERS_NICE = -15,
	VISITORS_PRIORITY = 3, /* before who receives (stage.c): it has the processor for a tenth of a millisecond */
	VOLLEY_PRIORITY = 1,   /* behind: what was answered must find room */
};

struct run {
	const struct run_setting *setting;
	struct record *record;
	struct hash_key key;
	int listener;
	pid_t origin;
	pid_t serve;
	pid_t clients[2]; /* visitors', attackers' */
	uint64_t start_boot_ms;
	uint64_t ask_ms;
	struct buffer *said;
	struct router router;
	pid_t speaker; /* ExaBGP; 0: none */
	uint64_t look_ms;
};

static void in_folder(const struct run *run, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%.3000s/%s", run->setting->stage->folder, name);
}

static int start_origin(struct run *run)
{
	const struct run_setting *s = run->setting;
	pid_t pid = stage_start(s->stage->gate, s->gate_processor);
	if (pid == 0) {
		int r = origin_listen(&run->listener);
		r = r != 0 ? r : origin_run(run->listener, &run->key, s->people, run->record);
		_exit(r == 0 ? 0 : 1);
	}
	run->origin = pid;
	return pid < 0 ? pid : 0;
}

static int start_serve(struct run *run)
{
	const struct run_setting *s = run->setting;
	run->serve = gate_start(s->stage, s->gate_processor, s->guia);
	return run->serve < 0 ? run->serve : 0;
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static int tell_log(struct run *run, int error)
{
	if (error == -ECHILD)
		run->serve = 0;
	gate_tell(run->setting->stage, run->said);
	return error;
}

static int await_serve(struct run *run)
{
	int r = gate_await(run->serve);
	return r == 0 ? 0 : tell_log(run, r);
}

static int allow_guest(struct run *run)
{
	const struct run_setting *s = run->setting;
	char path[PATH_MAX];
	if (!s->guia || !s->plan->shape->guests.allowed)
		return 0;
	in_folder(run, "run/control", path);
	return permission_give(path, &s->people->visitors[s->people->resident_count].address, run->said);
}

static bool is_volley(const struct run *run)
{
	return run->setting->plan->shape->volley.kind != PACKET_NONE;
}

/* A crowd of this run, or of the morning before it. */
static struct client_job job_of(const struct run *run, bool attackers)
{
	const struct run_setting *s = run->setting;
	return (struct client_job){
		.plan = s->plan,
		.persons = attackers ? s->people->attackers : s->people->visitors,
		.person_count = attackers ? s->people->attacker_count : s->people->visitor_count,
		.schedule = attackers ? s->attack : s->visitors,
		.tells = s->tells,
		.key = &run->key,
		.record = run->record,
		.attackers = attackers,
		.mark = attackers || is_volley(run) ? 0 : NETWORK_VISITORS_MARK,
	};
}

static int start_client(struct run *run, const struct client_job *job)
{
	const struct run_setting *s = run->setting;
	pid_t pid = stage_start(s->stage->world, s->crowd_processor);
	if (pid == 0) {
		/* Visitors' measuring comes first on the processor of the crowd; without rights it is but not last. */
		struct sched_param first = {.sched_priority = VISITORS_PRIORITY};
		if (job->attackers && s->stage->root)
			(void)setpriority(PRIO_PROCESS, 0, ATTACKERS_NICE);
		else if (!job->attackers)
			(void)sched_setscheduler(0, SCHED_RR, &first);
		_exit(client_run(job) == 0 ? 0 : 1);
	}
	run->clients[job->attackers] = pid;
	return pid < 0 ? pid : 0;
}

/* In front of every attack, where there can be an edge at all. */
static bool is_fenced(const struct run *run)
{
	const struct shape *shape = run->setting->plan->shape;
	const char *why;
	return run->setting->guia && shape->kind != KIND_CALM && fence_may_be(run->setting->stage, &why);
}

/* Packets come in at the operator's router, whose forwarding is no attacker's to pay. */
static int start_volley(struct run *run)
{
	const struct run_setting *s = run->setting;
	bool far = s->plan->shape->link_mbit > 0; /* before the router's filter and shaper */
	struct volley_job job = {.plan = s->plan,
				 .people = s->people,
				 .record = run->record,
				 .links = {.out = far ? NETWORK_WORLD_LINK : STAGE_ROUTER_LINK,
					   .home = far ? NETWORK_VISITORS_LINK : NETWORK_ROUTER_ENTRY,
					   .visitors = far ? NULL : NETWORK_ROUTER_WORLD_LINK,
					   .answers = far       ? VOLLEY_ANSWERS_BEHIND
						      : s->guia ? VOLLEY_ANSWERS_FRAMES
								: VOLLEY_ANSWERS_PACKETS}};
	int r = network_ends(s->stage, far, &job.ends);
	if (r != 0)
		return r;
	pid_t pid = stage_start(far ? s->stage->world : s->stage->router, s->crowd_processor);
	if (pid == 0) {
		/* A moment at a time, as even as a card brings what comes: visitors' client is never late for it. */
		struct sched_param first = {.sched_priority = VOLLEY_PRIORITY};
		(void)sched_setscheduler(0, SCHED_RR, &first);
		_exit(volley_run(&job) == 0 ? 0 : 1);
	}
	run->clients[1] = pid;
	return pid < 0 ? pid : 0;
}

static uint64_t boot_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Each second the watch is asked what it knows. It may be busy, or not there yet. */
static void ask_watch(struct run *run)
{
	char path[PATH_MAX];
	struct buffer answer = buffer_make(NULL);
	uint64_t now_ms = boot_ms();
	if (run->setting->account == NULL || now_ms < run->ask_ms)
		return;
	in_folder(run, "run/control", path);
	if (control_ask(path, "status", &answer) == 0)
		(void)account_take(run->setting->account, buffer_slice(&answer), run->start_boot_ms, now_ms);
	buffer_free(&answer);
	run->ask_ms = now_ms + ASK_MS;
}

/* nginx's logs would fill the memory that stands for its disk. */
static void shorten_logs(const struct run *run)
{
	static const char *const logs[] = {"run/access.log", "run/audit.log", "run/error.log"};
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		char path[PATH_MAX];
		struct stat st;
		in_folder(run, logs[i], path);
		if (stat(path, &st) == 0 && st.st_size > LOG_MAX_BYTES)
			(void)!truncate(path, 0); /* then it grows on */
	}
}

static int tell(struct run *run, const char *what)
{
	buffer_text(run->said, what);
	return -ECHILD;
}

static void take_fence(const struct run *run, bool attack_over, int64_t since_ns)
{
	struct record *record = run->record;
	struct fence_counts counts, *quiet = &record->fence_quiet;
	bool quiet_over = since_ns >= (int64_t)run->setting->plan->quiet_ms * 1000000;
	if (!run->setting->guia || fence_count(&counts) != 0)
		return;
	if (!quiet_over)
		*quiet = counts;
	else if (record->fence_first_ns == 0 && counts.dropped + counts.answered > quiet->dropped + quiet->answered)
		record->fence_first_ns = since_ns;
	if (!attack_over)
		record->fence_attack = counts;
}

/* What packets cost the gate, and what the edge did with them, at the ends of quiet and of the attack. */
static void take_toll(const struct run *run)
{
	const struct run_plan *plan = run->setting->plan;
	struct record *record = run->record;
	int64_t since_ns = clock_now_ns() - atomic_load(&record->start_ns);
	bool attack_over = since_ns >= ((int64_t)plan->quiet_ms + plan->attack_ms) * 1000000;
	struct toll *toll = since_ns < 1000000000                          ? &record->quiet_from
			    : since_ns < (int64_t)plan->quiet_ms * 1000000 ? &record->quiet_to
									   : &record->attack_to;
	if (!is_volley(run) || run->clients[1] == 0 || attack_over)
		return;
	(void)toll_take(run->setting->stage->processes, run->setting->receiver, run->serve, STAGE_GATE_LINK, toll);
	take_fence(run, attack_over, since_ns);
}

/* guia serve has the watch be somebody who may do less; what is for the watch is for that one. */
static struct command_user watch_user(const struct run *run)
{
	char path[PATH_MAX];
	struct stat st;
	in_folder(run, "run.bans", path);
	const struct passwd *found = getpwuid(stat(path, &st) == 0 ? st.st_uid : geteuid());
	struct command_user user = {geteuid(), getegid(), "root"};
	if (found == NULL)
		return user;
	user.uid = found->pw_uid;
	user.gid = found->pw_gid;
	snprintf(user.name, sizeof(user.name), "%s", found->pw_name);
	return user;
}

static int build_fence(struct run *run)
{
	const struct command_user user = watch_user(run);
	int r = fence_build(run->setting->stage, user.uid, user.gid, run->said);
	for (int waited_ms = 0; r == 0 && !fence_is_held() && waited_ms < HELD_WITHIN_MS; waited_ms += POLL_MS)
		pause_ms(POLL_MS);
	return r == 0 && !fence_is_held() ? tell(run, "the watch did not find the edge\n") : r;
}

static int ask_service(struct run *run)
{
	char path[PATH_MAX];
	const struct command_user user = watch_user(run);
	in_folder(run, "guia.yaml", path);
	if (chmod(path, 0644) != 0) /* it holds no secret */
		return -errno;
	/* It is the gate's host's, and runs where that does. */
	int r = stage_pin(run->setting->gate_processor);
	r = r != 0 ? r : router_ask_service(run->setting->stage, path, &user, run->said, &run->speaker);
	(void)stage_pin(run->setting->crowd_processor);
	return r;
}

/* The operator's router does what its table says; without priority the session is begun in the midst of the attack. */
static int take_router(struct run *run)
{
	const struct run_plan *plan = run->setting->plan;
	int64_t since_ms = (clock_now_ns() - atomic_load(&run->record->start_ns)) / 1000000;
	uint64_t now_ms = boot_ms();
	int rules;
	/* Once the attack is over a session may come about, and what it brings is of no use any more. */
	bool over = since_ms >= (int64_t)plan->quiet_ms + plan->attack_ms;
	if (plan->shape->link_mbit == 0 || now_ms < run->look_ms || run->clients[1] == 0 || over)
		return 0;
	run->look_ms = now_ms + LOOK_MS;
	if (run->setting->guia && plan->shape->dark && run->speaker == 0 &&
	    since_ms > (int64_t)plan->quiet_ms + DARK_MS)
		return ask_service(run);
	if (router_look(&run->router, &rules) != 0)
		return 0; /* it may be busy: it is asked again */
	if (rules > 0 && run->record->asked_first_ns == 0)
		run->record->asked_first_ns = since_ms * 1000000;
	run->record->asked_rules = rules;
	return 0;
}

/* Until the clients have ended. */
static int watch(struct run *run)
{
	int left = (run->clients[0] != 0) + (run->clients[1] != 0);
	while (left > 0) {
		pause_ms(POLL_MS);
		ask_watch(run);
		take_toll(run);
		int r = take_router(run);
		if (r != 0)
			return r;
		shorten_logs(run);
		for (size_t i = 0; i < 2; i++) {
			int status;
			if (run->clients[i] == 0 || waitpid(run->clients[i], &status, WNOHANG) == 0)
				continue;
			run->clients[i] = 0;
			left--;
			if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
				return tell(run, "the crowd's client failed\n");
		}
		if (stage_has_ended(run->serve))
			return tell_log(run, -ECHILD);
		if (stage_has_ended(run->origin)) {
			run->origin = 0;
			return tell(run, "the origin failed\n");
		}
	}
	return 0;
}

/* Whatever is left: this process is the init of a namespace that holds nothing but the drill. */
static void end_all(void)
{
	if (getpid() != 1)
		return;
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

/* The record begins with the moment that everybody counts from. */
static void start_record(struct run *run, struct record *record)
{
	int64_t lead_ns = LEAD_MS * 1000000LL;
	atomic_store(&record->start_ns, clock_now_ns() + lead_ns);
	run->start_boot_ms = boot_ms() + LEAD_MS;
	run->ask_ms = run->start_boot_ms;
}

/* Nobody measures it. */
static int play_morning(struct run *run)
{
	const struct run_setting *s = run->setting;
	struct client_job job = job_of(run, false);
	if (s->morning == NULL)
		return 0;
	job.plan = s->morning;
	job.schedule = s->morning_visitors;
	int r = record_map(s->morning_visitors->count, &job.record);
	if (r != 0)
		return r;
	start_record(run, job.record);
	r = start_client(run, &job);
	run->ask_ms = UINT64_MAX;
	r = r != 0 ? r : watch(run);
	record_unmap(job.record);
	return r;
}

static int play_day(struct run *run)
{
	struct client_job visitors = job_of(run, false), attackers = job_of(run, true);
	start_record(run, run->record);
	int r = start_client(run, &visitors);
	r = r != 0 ? r : is_volley(run) ? start_volley(run) : start_client(run, &attackers);
	return r != 0 ? r : watch(run);
}

static int play(struct run *run)
{
	(void)leftovers_end(); /* else the quiet time has some of them */
	int r = stage_clear(run->setting->stage);
	r = r != 0 ? r : gate_files_write(run->setting);
	if (r == 0 && run->setting->past != NULL)
		r = past_lay(run->setting->past, run->setting->stage->folder);
	if (r != 0)
		buffer_printf(run->said, "%s: %s\n", run->setting->stage->folder, strerror(-r));
	const struct shape *shape = run->setting->plan->shape;
	if (r == 0 && shape->link_mbit > 0)
		r = router_begin(&run->router, run->setting->stage, shape->link_mbit, !shape->dark, run->said);
	if (r == 0 && shape->volley.tracked)
		r = tracking_begin(run->setting->stage, run->said);
	r = r != 0 ? r : start_origin(run);
	r = r != 0 ? r : start_serve(run);
	r = r != 0 ? r : await_serve(run);
	if (r == 0 && is_fenced(run))
		r = build_fence(run);
	if (r == 0 && run->setting->guia && shape->link_mbit > 0 && !shape->dark)
		r = ask_service(run);
	r = r != 0 ? r : allow_guest(run);
	r = r != 0 ? r : play_morning(run);
	return r != 0 ? r : play_day(run);
}

/* The watch writes down what it has learned when it ends as it should; the others need not. */
static int keep(struct run *run)
{
	gate_end(run->serve);
	int r = past_keep(run->setting->keep, run->setting->stage->folder);
	return r == 0 ? 0 : tell_log(run, r);
}

int run_shape(const struct run_setting *setting, struct buffer *said, struct record **ret_record)
{
	struct run run = {.setting = setting, .key = hash_key_random(), .said = said};
	int r = record_map(setting->visitors->count, &run.record);
	if (r != 0)
		return r;
	r = play(&run);
	if (r == 0 && setting->keep != NULL)
		r = keep(&run);
	end_all();
	if (is_fenced(&run))
		fence_remove();
	router_end(&run.router);
	if (setting->plan->shape->volley.tracked)
		tracking_end(setting->stage);
	if (r != 0)
		record_unmap(run.record);
	else
		*ret_record = run.record;
	return r;
}
