/*
 * Folders are tried in turn, and the first file that may be read, or run, is taken. Where the executable is says
 * /proc/self/exe.
 */
#include "serve/paths.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *join(const char *folder, const char *name)
{
	char *path = NULL;
	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* The folder of this executable, or "". */
static void own_folder(char folder[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", folder, PATH_MAX - 1);
	folder[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(folder, '/');
	if (slash != NULL)
		*slash = '\0';
}

/* The first of the folders that holds a readable file of that name; relative ones start at the executable's folder. */
static char *find(const char *const *folders, const char *name, int mode)
{
	char own[PATH_MAX];
	own_folder(own);
	for (; *folders != NULL; folders++) {
		char *folder = (*folders)[0] == '/' ? strdup(*folders) : join(own, *folders);
		char *path = folder != NULL ? join(folder, name) : NULL;
		free(folder);
		if (path != NULL && access(path, mode) == 0) {
			char *real = realpath(path, NULL);
			free(path);
			return real;
		}
		free(path);
	}
	return NULL;
}

char *paths_recommended_rules(void)
{
	static const char *const folders[] = {"../rules", "/usr/share/guia/rules", NULL};
	return find(folders, "guia-crs.conf", R_OK);
}

char *paths_module(void)
{
	static const char *const folders[] = {".", "/usr/lib/nginx/modules", NULL};
	return find(folders, "ngx_http_guia_module.so", R_OK);
}

char *paths_nginx(void)
{
	static const char *const folders[] = {"/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin", NULL};
	const char *path = getenv("PATH");
	char *copy = strdup(path != NULL ? path : "");
	char *found = NULL;
	char *rest = copy;
	for (char *folder; copy != NULL && found == NULL && (folder = strsep(&rest, ":")) != NULL;)
		if (folder[0] == '/')
			found = find((const char *const[]){folder, NULL}, "nginx", X_OK);
	free(copy);
	return found != NULL ? found : find(folders, "nginx", X_OK);
}

char *paths_cache(const char *given)
{
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	if (given != NULL)
		return strdup(given);
	if (cache != NULL && cache[0] == '/')
		return join(cache, "guia");
	if (home == NULL || home[0] != '/')
		return NULL;
	char *parent = join(home, ".cache");
	if (parent != NULL)
		(void)mkdir(parent, 0700); /* if it cannot be made the pool says so */
	char *found = parent != NULL ? join(parent, "guia") : NULL;
	free(parent);
	return found;
}
