#include "serve/companion.h"

#include "base/clock.h"
#include "base/test.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { MOST_MS = 1000, HOUR_MS = 3600000, MANY = 1000 };

static const struct notice quiet = {-1};
static struct companion hanging;
static int64_t now_ms;
static int child_end;

/* A watch that was just started, and does nothing by itself. */
static int start_one(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
	child_end = ends[1];
	now_ms = 1;
	hanging = (struct companion){.kind = &companion_watch, .pid = fork(), .words = ends[0], .look_ms = now_ms};
	if (hanging.pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (hanging.pid == 0)
		pause();
	assert_true(hanging.pid > 0);
	return 0;
}

static int end_one(void **state)
{
	(void)state;
	close(child_end);
	close(hanging.words);
	kill(hanging.pid, SIGKILL);
	return waitpid(hanging.pid, NULL, 0) == hanging.pid ? 0 : -1;
}

static void tell(const char *word)
{
	assert_int_equal(send(child_end, word, strlen(word), 0), strlen(word));
}

/* Whether it was killed at one of so many looks, each so late. */
static bool killed_within(unsigned looks, int64_t late_ms)
{
	bool killed = false;
	for (unsigned i = 0; i < looks && !killed; i++) {
		killed = companion_look(&hanging, now_ms + late_ms, &quiet);
		now_ms = hanging.look_ms;
	}
	return killed;
}

static void begin_its_turns(void)
{
	tell("READY=1");
	tell("WATCHDOG=1");
	assert_false(killed_within(1, 0));
}

static void one_that_is_silent_is_killed_once(void **state)
{
	(void)state;
	begin_its_turns();
	assert_false(killed_within(COMPANION_SILENT_LOOKS - 1, COMPANION_LATE_MS));
	tell("WATCHDOG=1");
	assert_false(killed_within(COMPANION_SILENT_LOOKS, 0));
	assert_true(killed_within(1, 0));
	siginfo_t about;
	assert_int_equal(waitid(P_PID, (id_t)hanging.pid, &about, WEXITED | WNOWAIT), 0);
	assert_int_equal(about.si_status, SIGKILL);
	assert_false(killed_within(MANY, 0));
}

static void between_looks_nothing_is_judged(void **state)
{
	(void)state;
	begin_its_turns();
	for (int i = 0; i < MANY; i++)
		assert_false(companion_look(&hanging, now_ms - 1, &quiet));
}

static void one_that_is_not_ready_is_waited_for(void **state)
{
	(void)state;
	assert_false(killed_within(MANY, 0));
	tell("READY=1");
	assert_false(killed_within(COMPANION_PATIENT_LOOKS, 0));
	assert_true(killed_within(1, 0));
}

static void one_that_was_asked_to_end_may_take_long(void **state)
{
	(void)state;
	begin_its_turns();
	hanging.pause_ms = -1;
	assert_false(killed_within(COMPANION_PATIENT_LOOKS - 1, 0));
	assert_true(killed_within(1, 0));
}

static void who_looks_late_judges_nobody(void **state)
{
	(void)state;
	begin_its_turns();
	assert_false(killed_within(MANY, COMPANION_LATE_MS + 1));
	assert_false(killed_within(COMPANION_SILENT_LOOKS - 1, 0));
	assert_false(killed_within(1, INT64_C(86400000)));
	assert_true(killed_within(1, 0));
}

/* Nothing to wait for is no reason not to wait. */
static void where_nothing_is_to_be_watched_nobody_hurries(void **state)
{
	(void)state;
	static struct run_dir dir, mute;
	struct companion watcher = {.kind = &companion_watch}, running = {.kind = &companion_watch, .pid = 1};
	running.look_ms = INT64_MAX;
	struct serve_config config = {0}, off = {.gate_off = true};
	strcpy(dir.events.path, "/events");
	assert_int_equal(companion_wait_ms(&watcher, &config, &dir, MOST_MS), 0);
	assert_int_equal(companion_wait_ms(&running, &config, &dir, MOST_MS), MOST_MS);
	assert_int_equal(companion_wait_ms(&watcher, &off, &dir, MOST_MS), MOST_MS);
	assert_int_equal(companion_wait_ms(&watcher, &config, &mute, MOST_MS), MOST_MS);
}

/* A new configuration may have mended what it ended for. */
static void one_that_pauses_is_started_at_once_for_a_new_configuration(void **state)
{
	(void)state;
	static struct run_dir dir;
	struct companion pausing = {
		.kind = &companion_watch, .start_ms = (int64_t)clock_monotonic_ms() + HOUR_MS, .pause_ms = HOUR_MS};
	struct serve_config config = {0};
	strcpy(dir.events.path, "/events");
	assert_int_equal(companion_wait_ms(&pausing, &config, &dir, MOST_MS), MOST_MS);
	companion_renew(&pausing);
	assert_int_equal(companion_wait_ms(&pausing, &config, &dir, MOST_MS), 0);
	assert_int_equal(pausing.pause_ms, 0);
}

#define WITH_ONE(test) cmocka_unit_test_setup_teardown(test, start_one, end_one)

TEST_MAIN(cmocka_unit_test(where_nothing_is_to_be_watched_nobody_hurries), WITH_ONE(one_that_is_silent_is_killed_once),
	  WITH_ONE(between_looks_nothing_is_judged), WITH_ONE(one_that_is_not_ready_is_waited_for),
	  WITH_ONE(one_that_was_asked_to_end_may_take_long), WITH_ONE(who_looks_late_judges_nobody),
	  cmocka_unit_test(one_that_pauses_is_started_at_once_for_a_new_configuration))
