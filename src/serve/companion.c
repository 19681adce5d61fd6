/*
 * A small state machine: without a pid it is to be started at start_ms; a pause_ms of -1 is one that was told to end,
 * and is started at once when it has. Nothing waits here: the supervisor reaps.
 */
#include "serve/companion.h"

#include "base/clock.h"
#include "base/error.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PAUSE_MS = 1000,
	PAUSE_MAX_MS = 60000,
	STEADY_MS = 10000, /* one that lived so long is started again after the shortest pause */
	WORDS_MOST = 64,   /* that one look hears */
};

static bool is_out_of_reach(const struct companion *companion, const struct run_dir *dir, int64_t now)
{
	char path[PATH_MAX];
	struct stat st;
	if (companion->pid == 0 || companion->pause_ms < 0 || companion->kind->socket == NULL ||
	    now - companion->start_ms < STEADY_MS ||
	    snprintf(path, sizeof(path), "%s/%s", dir->path, companion->kind->socket) >= (int)sizeof(path))
		return false;
	return lstat(path, &st) != 0 && errno == ENOENT;
}

/* How many words came since the last look. */
static unsigned hear(const struct companion *companion)
{
	char word[64];
	unsigned count = 0;
	while (count < WORDS_MOST && recv(companion->words, word, sizeof(word), MSG_DONTWAIT) > 0)
		count++;
	return count;
}

bool companion_look(struct companion *companion, int64_t now_ms, const struct notice *notice)
{
	if (now_ms < companion->look_ms)
		return false;
	bool late = now_ms - companion->look_ms > COMPANION_LATE_MS;
	unsigned words = hear(companion);
	companion->look_ms = now_ms + COMPANION_LOOK_MS;
	companion->heard += words;
	if (words > 0)
		companion->silent = 0;
	if (words > 0 || companion->heard == 0 || late)
		return false;
	companion->silent++;
	bool patient = companion->heard == 1 || companion->pause_ms < 0;
	unsigned most = patient ? COMPANION_PATIENT_LOOKS : COMPANION_SILENT_LOOKS;
	if (companion->silent != most) /* once: one in a system call that does not return stays for a while */
		return false;
	notice_say(notice, "the %s has shown no sign of life for %u s: it is killed", companion->kind->name,
		   most * COMPANION_LOOK_MS / CLOCK_MS_PER_S);
	kill(companion->pid, SIGKILL);
	return true;
}

static void start(struct companion *companion, const struct serve_config *config, const struct serve_parts *parts,
		  const struct run_dir *dir, const struct notice *notice)
{
	int64_t now = (int64_t)clock_monotonic_ms();
	companion->start_ms = now;
	companion->look_ms = now + COMPANION_LOOK_MS;
	companion->heard = companion->silent = 0;
	int r = companion->kind->start(config, parts, dir, &companion->pid, &companion->words);
	if (r == 0)
		return;
	companion->start_ms = now + PAUSE_MAX_MS;
	notice_say(notice, "warning: the %s cannot be started: %s", companion->kind->name, strerror(-r));
}

void companion_tend(struct companion *companion, const struct serve_config *config, const struct serve_parts *parts,
		    const struct run_dir *dir, const struct notice *notice)
{
	int64_t now = (int64_t)clock_monotonic_ms();
	if (is_out_of_reach(companion, dir, now)) {
		notice_say(notice, "the %s's socket was removed: it is started anew", companion->kind->name);
		companion_renew(companion);
	}
	if (companion->pid != 0)
		(void)companion_look(companion, now, notice);
	else if (companion->kind->is_wanted(config, dir) && now >= companion->start_ms)
		start(companion, config, parts, dir, notice);
}

void companion_ended(struct companion *companion, int status, const struct notice *notice)
{
	int64_t now = (int64_t)clock_monotonic_ms();
	bool steady = now - companion->start_ms >= STEADY_MS;
	close(companion->words);
	companion->pid = 0;
	if (companion->pause_ms < 0) { /* it was asked to */
		companion->pause_ms = 0;
		companion->start_ms = now;
		return;
	}
	companion->pause_ms = steady || companion->pause_ms == 0       ? PAUSE_MS
			      : companion->pause_ms < PAUSE_MAX_MS / 2 ? companion->pause_ms * 2
								       : PAUSE_MAX_MS;
	companion->start_ms = now + companion->pause_ms;
	notice_say(notice, "the %s ended (%s %d); the gate serves on, and it is started again in %lld s",
		   companion->kind->name, WIFSIGNALED(status) ? "signal" : "exit code",
		   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), (long long)companion->pause_ms / 1000);
}

void companion_renew(struct companion *companion)
{
	if (companion->pid == 0) { /* what kept it may be mended */
		companion->pause_ms = companion->start_ms = 0;
		return;
	}
	companion->pause_ms = -1;
	kill(companion->pid, SIGTERM);
}

long companion_wait_ms(const struct companion *companion, const struct serve_config *config, const struct run_dir *dir,
		       long most_ms)
{
	if (companion->pid == 0 && !companion->kind->is_wanted(config, dir))
		return most_ms;
	int64_t due = companion->pid != 0 ? companion->look_ms : companion->start_ms;
	int64_t left = due - (int64_t)clock_monotonic_ms();
	return left <= 0 ? 0 : left < most_ms ? (long)left : most_ms;
}
