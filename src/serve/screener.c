/* The screen beside the watch: where there is a watch, it has something to show. */
#include "serve/companion.h"

#include "base/error.h"
#include "serve/process.h"
#include "watch/watch.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_wanted(const struct serve_config *config, const struct run_dir *dir)
{
	return !config->screen_off && companion_watch.is_wanted(config, dir);
}

static int start(const struct serve_config *config, const struct serve_parts *parts, const struct run_dir *dir,
		 pid_t *ret_pid, int *ret_words)
{
	(void)parts;
	char control[PATH_MAX], listen[80];
	const char *words[12] = {"/proc/self/exe", "screen", "--run-dir", dir->path};
	size_t count = 4;
	if (config->screen.len > 0) {
		snprintf(listen, sizeof(listen), "%.*s", SLICE_ARG(config->screen));
		words[count++] = "--listen";
		words[count++] = listen;
	}
	/* As another user it reaches the watch where that answers its own user. */
	if (run_dir_watch_user(dir) != NULL) {
		if (dir->bans[0] == '\0' ||
		    snprintf(control, sizeof(control), "%s/" WATCH_INNER_CONTROL, dir->bans) >= (int)sizeof(control))
			return -ENOENT;
		words[count++] = "--control";
		words[count++] = control;
		words[count++] = "--user";
		words[count++] = run_dir_watch_user(dir);
	}
	return process_start_telling(words, COMPANION_LOOK_MS, ret_pid, ret_words);
}

const struct companion_kind companion_screen = {"screen", NULL, is_wanted, start};
