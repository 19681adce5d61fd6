#include "serve/companion.h"

#include "base/test.h"

enum { MOST_MS = 5000 };

/* Nothing to wait for is no reason not to wait. */
static void where_nothing_is_to_be_watched_nobody_hurries(void **state)
{
	(void)state;
	static struct run_dir dir, mute;
	struct companion watcher = {.kind = &companion_watch}, running = {.kind = &companion_watch, .pid = 1};
	struct serve_config config = {0}, off = {.gate_off = true};
	strcpy(dir.events.path, "/events");
	assert_int_equal(companion_wait_ms(&watcher, &config, &dir, MOST_MS), 0);
	assert_int_equal(companion_wait_ms(&running, &config, &dir, MOST_MS), MOST_MS);
	assert_int_equal(companion_wait_ms(&watcher, &off, &dir, MOST_MS), MOST_MS);
	assert_int_equal(companion_wait_ms(&watcher, &config, &mute, MOST_MS), MOST_MS);
}

TEST_MAIN(cmocka_unit_test(where_nothing_is_to_be_watched_nobody_hurries))
