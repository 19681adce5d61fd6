/* What exists is looked at and never changed. Whose it must be follows from whom the watch becomes (run_dir.h). */
#include "serve/evidence_place.h"

#include "base/error.h"
#include "evidence/envelope.h"

#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct passwd *owner_of(const struct run_dir *dir)
{
	const char *name = run_dir_watch_user(dir);
	return name != NULL ? getpwnam(name) : NULL;
}

static bool path_of(const struct serve_config *config, char path[PATH_MAX])
{
	return config->evidence.folder.len > 0 &&
	       snprintf(path, PATH_MAX, "%.*s", SLICE_ARG(config->evidence.folder)) < PATH_MAX;
}

static bool has_parent(const char *path)
{
	char parent[PATH_MAX];
	struct stat st;
	snprintf(parent, sizeof(parent), "%s", path);
	char *slash = strrchr(parent, '/');
	if (slash != NULL)
		*(slash == parent ? slash + 1 : slash) = '\0';
	return stat(parent, &st) == 0 && S_ISDIR(st.st_mode);
}

static int check_certificate(const struct serve_config *config, const struct notice *notice)
{
	struct export_certificate *certificate;
	char path[PATH_MAX];
	if (config->evidence.certificate.len == 0)
		return SERVE_FINE;
	snprintf(path, sizeof(path), "%.*s", SLICE_ARG(config->evidence.certificate));
	int r = export_certificate_load(path, &certificate);
	if (r == 0) {
		export_certificate_free(certificate);
		return SERVE_FINE;
	}
	notice_say(notice, "`export_certificate` of `evidence`: %s: %s", path,
		   r == ENVELOPE_BAD ? "it should be the certificate that `guia evidence export-key` makes"
				     : strerror(-r));
	return SERVE_USER;
}

int evidence_place_check(const struct serve_config *config, const struct run_dir *dir, const struct notice *notice)
{
	char path[PATH_MAX];
	struct stat st;
	const char *wrong = NULL;
	if (!path_of(config, path))
		return check_certificate(config, notice);
	const struct passwd *owner = owner_of(dir);
	uid_t uid = owner != NULL ? owner->pw_uid : geteuid();
	if (lstat(path, &st) != 0)
		wrong = errno != ENOENT ? strerror(errno) : has_parent(path) ? NULL : "there is no folder above it";
	else if (!S_ISDIR(st.st_mode))
		wrong = "it is no folder";
	else if ((st.st_mode & 077) != 0)
		wrong = "nobody else may look into it (chmod 700)";
	else if (st.st_uid != uid)
		wrong = "it must belong to the user whom the watch becomes";
	if (wrong == NULL)
		return check_certificate(config, notice);
	notice_say(notice, "`folder` of `evidence`: %s: %s", path, wrong);
	return SERVE_USER;
}

int evidence_place_make(const struct serve_config *config, const struct run_dir *dir)
{
	char path[PATH_MAX];
	const struct passwd *owner = owner_of(dir);
	if (!path_of(config, path))
		return 0;
	if (mkdir(path, 0700) != 0)
		return errno == EEXIST ? 0 : -errno;
	return owner == NULL || lchown(path, owner->pw_uid, owner->pw_gid) == 0 ? 0 : -errno;
}
