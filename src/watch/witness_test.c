#include "watch/witness.h"

#include "base/clock.h"
#include "base/test.h"
#include "evidence/journal.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BEGAN_NS = 1000, EARLY = 5, OWN = 3, LOOKS = 6000, LOOK_US = 10000 };

static struct edge_bans no_edge;
static struct places no_places;

/* A watch, as far as its witness needs one. */
struct life {
	struct witness *witness;
	struct intake intake;
	struct sites sites;
};

static struct life life_begin(const char *folder)
{
	struct life life;
	const struct witness_options options = {.folder = folder};
	assert_int_equal(intake_init(&life.intake, "/nonexistent"), 0);
	assert_int_equal(sites_init(&life.sites), 0);
	assert_int_equal(witness_begin(&options, BEGAN_NS, &life.witness), 0);
	return life;
}

static void refused(struct life *life, uint64_t at_ns, uint64_t second, size_t count)
{
	const struct event event = {.at_ns = at_ns,
				    .wall_ms = second * 1000 + 10,
				    .kind = EVENT_END,
				    .end = {.verdict = EVENT_BLOCKED, .reason = EVENT_BY_LIMIT}};
	for (size_t i = 0; i < count; i++)
		witness_events(life->witness, &life->sites, 0, &event, 1);
}

/* The second before is over, and in this one connections were closed. */
static void second_comes(struct life *life, uint64_t second)
{
	sites_take(&life->sites, &life->intake, second);
	life->sites.connections.shed[0] += second;
	const struct witness_sight sight = {&life->intake, &life->sites, &no_edge, &no_places, second * 1000};
	witness_second(life->witness, &sight);
}

/* Until the log is open and all that was told is signed for. */
static void await_signed(const struct life *life)
{
	struct buffer said = buffer_make(NULL);
	bool done = false;
	for (unsigned i = 0; i < LOOKS && !done; i++) {
		usleep(LOOK_US);
		buffer_clear(&said);
		witness_report(life->witness, &said);
		buffer_byte(&said, '\0');
		done = strstr((char *)said.ptr, "\"unsigned\":0,") != NULL &&
		       strstr((char *)said.ptr, "\"unsealed_ms\":0,") != NULL &&
		       strstr((char *)said.ptr, "\"sealed\":0,") == NULL;
	}
	buffer_free(&said);
	if (!done)
		abort();
}

/* How many refusals the log tells of in all, to whoever comes next. */
static uint64_t told_in_all(const char *folder)
{
	char name[HOST_NAME_MAX + 1] = "", key[PATH_MAX];
	uint64_t told = 0;
	struct log *log;
	assert_int_equal(gethostname(name, HOST_NAME_MAX), 0);
	snprintf(key, sizeof(key), "%s/key.pem", folder);
	const struct log_config config = {folder, name, key, &disk_kernel, NULL, 0, JOURNAL_HALF_BYTES_LEAST};
	assert_int_equal(log_open(&config, clock_now_ms(), &log), 0);
	const struct recent *recent = log_beginning(log).recent;
	for (size_t i = 0; i < recent->total_count; i++)
		if (slice_equal(recent->totals[i].rule, slice_from_string(event_reason_name(EVENT_BY_LIMIT))))
			told += recent->totals[i].told;
	log_close(log);
	return told;
}

struct plan {
	const char *folder;
	uint64_t second;
	int lock; /* a log that cannot be opened until the test lets it */
	bool steps;
};

/* Told of a second that ended. */
static void first_life(const struct plan *plan)
{
	struct life life = life_begin(plan->folder);
	await_signed(&life);
	witness_step(life.witness);
	second_comes(&life, plan->second);
	refused(&life, BEGAN_NS, plan->second, EARLY);
	second_comes(&life, plan->second + 1);
	await_signed(&life);
}

/* Its log opens when two of its own seconds are over. */
static void second_life(const struct plan *plan)
{
	struct life life = life_begin(plan->folder);
	refused(&life, BEGAN_NS - 1, plan->second + 1, EARLY);
	refused(&life, BEGAN_NS, plan->second + 2, OWN);
	second_comes(&life, plan->second + 2);
	second_comes(&life, plan->second + 3);
	second_comes(&life, plan->second + 4);
	(void)flock(plan->lock, LOCK_UN);
	await_signed(&life);
	if (!plan->steps)
		return;
	witness_step(life.witness);
	second_comes(&life, plan->second + 5);
	await_signed(&life);
}

/* Finds all in the rings that the two before it did. */
static void third_life(const struct plan *plan)
{
	struct life life = life_begin(plan->folder);
	refused(&life, BEGAN_NS - 1, plan->second, EARLY);
	refused(&life, BEGAN_NS - 1, plan->second + 1, EARLY);
	refused(&life, BEGAN_NS - 1, plan->second + 2, OWN);
	second_comes(&life, plan->second + 9);
	witness_end(life.witness);
	sites_release(&life.sites);
	intake_release(&life.intake);
}

static void is_killed(void (*life)(const struct plan *plan), const struct plan *plan)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		life(plan);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* -> what the log tells of after two lives that were killed and one that was not */
static uint64_t killed_twice(bool steps, uint64_t second)
{
	char folder[] = "/tmp/guia-witness-XXXXXX", log[64], path[80], clear[80];
	assert_non_null(mkdtemp(folder));
	snprintf(log, sizeof(log), "%s/log", folder);
	struct plan plan = {log, second, -1, steps};
	is_killed(first_life, &plan);
	snprintf(path, sizeof(path), "%s/lock", log);
	plan.lock = open(path, O_RDWR | O_CLOEXEC);
	assert_true(plan.lock >= 0 && flock(plan.lock, LOCK_EX | LOCK_NB) == 0);
	is_killed(second_life, &plan);
	close(plan.lock);
	third_life(&plan);
	uint64_t told = told_in_all(log);
	snprintf(clear, sizeof(clear), "rm -rf '%s'", folder);
	assert_int_equal(system(clear), 0);
	return told;
}

static void each_refusal_is_told_once_whoever_was_killed(void **state)
{
	uint64_t second = clock_now_ms() / 1000;
	(void)state;
	assert_int_equal(killed_twice(false, second), EARLY + EARLY + OWN);
	assert_int_equal(killed_twice(true, second), EARLY + EARLY + OWN);
}

TEST_MAIN(cmocka_unit_test(each_refusal_is_told_once_whoever_was_killed))
