/*
 * A folder that is not there is made; one that is must be as it should be, and is not mended. Where root serves, those
 * of others lie beside it (PATH.workers, PATH.bans), else within.
 */
#include "serve/run_dir.h"

#include "base/error.h"
#include "serve/events_key.h"

#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whom the package makes for it. */
#define WATCH_USER "guia"

static const struct passwd *worker_user(void)
{
	static const char *const names[] = {"www-data", "nginx", "nobody"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct passwd *user = getpwnam(names[i]);
		if (user != NULL)
			return user;
	}
	return NULL;
}

static const char *temp_dir(void)
{
	const char *temp = getenv("TMPDIR");
	return temp == NULL || temp[0] != '/' ? "/tmp" : temp;
}

void run_dir_fresh(char path[PATH_MAX], const char *last)
{
	snprintf(path, PATH_MAX, "%s/guia-%s", temp_dir(), last);
}

static int make_fresh(struct run_dir *dir)
{
	if (snprintf(dir->path, sizeof(dir->path), "%s/guia-XXXXXX", temp_dir()) >= (int)sizeof(dir->path))
		return -ENAMETOOLONG;
	dir->made = true;
	return mkdtemp(dir->path) == NULL ? -errno : 0;
}

static int make_wanted(const char *wanted, struct run_dir *dir)
{
	if (snprintf(dir->path, sizeof(dir->path), "%s", wanted) >= (int)sizeof(dir->path))
		return -ENAMETOOLONG;
	return mkdir(wanted, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

/* Ours, a folder, no link, and for nobody else: an existing one is not made private, since who knows what is in it. */
static int check_private(const char *path, uid_t owner)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return -errno;
	return S_ISDIR(st.st_mode) && st.st_uid == owner && (st.st_mode & 077) == 0 ? 0 : -EPERM;
}

static int take_lock(struct run_dir *dir)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/lock", dir->path);
	dir->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (dir->lock < 0)
		return -errno;
	return flock(dir->lock, LOCK_EX | LOCK_NB) == 0 ? 0 : errno == EWOULDBLOCK ? -EBUSY : -errno;
}

/* Whether the workers may pass through every folder above `path`. */
static int check_reachable(const char *path, const struct passwd *user)
{
	char above[PATH_MAX];
	struct stat st;
	for (const char *slash = path; (slash = strchr(slash + 1, '/')) != NULL;) {
		snprintf(above, sizeof(above), "%.*s", (int)(slash - path), path);
		if (stat(above, &st) != 0)
			return -errno;
		mode_t needed = st.st_uid == user->pw_uid ? 0100 : st.st_gid == user->pw_gid ? 0010 : 0001;
		if ((st.st_mode & needed) == 0)
			return -EACCES;
	}
	return 0;
}

/* The workers' folder, with an empty `temp` in it. */
static int make_workers(struct run_dir *dir)
{
	char temp[PATH_MAX];
	const struct passwd *user = geteuid() == 0 ? worker_user() : NULL;
	uid_t owner = user != NULL ? user->pw_uid : geteuid();
	if (user != NULL)
		snprintf(dir->user, sizeof(dir->user), "%s", user->pw_name);
	snprintf(dir->workers, sizeof(dir->workers), user != NULL ? "%s.workers" : "%s/workers", dir->path);
	if (mkdir(dir->workers, 0700) == 0) {
		if (user != NULL && lchown(dir->workers, user->pw_uid, user->pw_gid) != 0)
			return -errno;
	} else if (errno != EEXIST) {
		return -errno;
	}
	int r = check_private(dir->workers, owner);
	if (r == 0 && user != NULL)
		r = check_reachable(dir->workers, user);
	if (r != 0)
		return r;
	/* What a run that was killed left half-written, pages without a verdict among it. */
	snprintf(temp, sizeof(temp), "%s/temp", dir->workers);
	events_dir_remove(temp, user);
	if (mkdir(temp, 0700) != 0 && errno != EEXIST)
		return -errno;
	return user != NULL && lchown(temp, user->pw_uid, user->pw_gid) != 0 ? -errno : 0;
}

const char *run_dir_watch_user(const struct run_dir *dir)
{
	if (dir->user[0] == '\0')
		return NULL;
	return dir->events.group != NULL && getpwnam(WATCH_USER) != NULL ? WATCH_USER : dir->user;
}

const struct passwd *run_dir_usual_watch_user(void)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam(WATCH_USER) : NULL;
	return user == NULL && geteuid() == 0 ? worker_user() : user;
}

/* The watch's, of the workers' group, which files in it have too. Modes first: what is another's we may not change. */
static int bans_give(const char *path, uid_t owner)
{
	const struct passwd *workers = worker_user();
	if (workers == NULL)
		return -ENOENT;
	return chmod(path, 02750) == 0 && lchown(path, owner, workers->pw_gid) == 0 ? 0 : -errno;
}

static int bans_make(struct run_dir *dir)
{
	struct stat st;
	const char *name = run_dir_watch_user(dir);
	const struct passwd *user = name != NULL ? getpwnam(name) : NULL;
	uid_t owner = user != NULL ? user->pw_uid : geteuid();
	snprintf(dir->bans, sizeof(dir->bans), user != NULL ? "%s.bans" : "%s/bans", dir->path);
	bool made = mkdir(dir->bans, 0700) == 0;
	int r = made || errno == EEXIST ? 0 : -errno;
	if (made && user != NULL)
		r = bans_give(dir->bans, owner);
	if (r == 0 && lstat(dir->bans, &st) != 0)
		r = -errno;
	if (r == 0 && (!S_ISDIR(st.st_mode) || st.st_uid != owner || (st.st_mode & 022) != 0))
		r = -EPERM;
	if (r != 0)
		dir->bans[0] = '\0';
	return r;
}

static void events_make(struct run_dir *dir)
{
	const struct passwd *user = dir->user[0] != '\0' ? worker_user() : NULL;
	dir->events_error = events_dir_open(dir->path, user, dir->events_bytes, &dir->events);
	dir->key_error = dir->events_error == 0 ? events_key_lay(dir->path, dir->events.path, user) : 0;
}

static bool is_gone(const char *path)
{
	struct stat st;
	return path[0] != '\0' && lstat(path, &st) != 0 && errno == ENOENT;
}

void run_dir_mend(struct run_dir *dir)
{
	if (is_gone(dir->events.path)) {
		events_dir_close(&dir->events, dir->user[0] != '\0' ? worker_user() : NULL);
		events_make(dir);
	}
	if (is_gone(dir->bans))
		dir->bans_error = bans_make(dir);
}

int run_dir_open(const char *wanted, uint64_t events_bytes, struct run_dir *ret_dir)
{
	struct run_dir dir = {.lock = -1, .events_bytes = events_bytes, .events = {.lock = -1}};
	int r = wanted == NULL ? make_fresh(&dir) : make_wanted(wanted, &dir);
	r = r != 0 ? r : check_private(dir.path, geteuid());
	r = r != 0 ? r : take_lock(&dir);
	r = r != 0 ? r : make_workers(&dir);
	if (r == 0) {
		events_make(&dir);
		dir.bans_error = bans_make(&dir);
	}
	if (r != 0) {
		run_dir_close(&dir);
		return r;
	}
	*ret_dir = dir;
	return 0;
}

/* Whether something could be made in the folder that `path` would lie in. */
static int check_above(const char *path)
{
	char above[PATH_MAX];
	if (snprintf(above, sizeof(above), "%s", path) >= (int)sizeof(above))
		return -ENAMETOOLONG;
	return faccessat(AT_FDCWD, dirname(above), W_OK | X_OK, AT_EACCESS) == 0 ? 0 : -errno;
}

/* 1 if there is a folder that will do, 0 if one could be made, or why not. */
static int look_at(const char *path, uid_t owner)
{
	int r = check_private(path, owner);
	return r == 0 ? 1 : r == -ENOENT ? check_above(path) : r;
}

int run_dir_events_place(const char *wanted, uint64_t events_bytes, struct events_dir *ret_dir)
{
	char fresh[PATH_MAX];
	const struct passwd *user = geteuid() == 0 ? worker_user() : NULL;
	run_dir_fresh(fresh, "XXXXXX");
	return events_dir_place(wanted != NULL ? wanted : fresh, user, events_bytes, ret_dir);
}

int run_dir_check(const char *wanted)
{
	char fresh[PATH_MAX], workers[PATH_MAX];
	const struct passwd *user = geteuid() == 0 ? worker_user() : NULL;
	run_dir_fresh(fresh, "check");
	const char *path = wanted != NULL ? wanted : fresh;
	int r = wanted != NULL ? look_at(path, geteuid()) : check_above(path);
	if (r == 1 && faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) != 0)
		r = -errno;
	if (r < 0 || user == NULL)
		return r < 0 ? r : 0;
	if (snprintf(workers, sizeof(workers), "%s.workers", path) >= (int)sizeof(workers))
		return -ENAMETOOLONG;
	r = look_at(workers, user->pw_uid);
	return r < 0 ? r : check_reachable(workers, user);
}

void run_dir_close(struct run_dir *dir)
{
	events_dir_close(&dir->events, dir->user[0] != '\0' ? worker_user() : NULL);
	if (dir->lock >= 0)
		close(dir->lock);
	dir->lock = -1;
}
