/* Programs that the drill has others do its work with: tc(8), GoBGP, ExaBGP. */
#ifndef GUIA_DRILL_COMMAND_H
#define GUIA_DRILL_COMMAND_H

#include "base/buffer.h"

#include <limits.h>
#include <sys/types.h>

struct command_user {
	uid_t uid;
	gid_t gid;
	char name[64];
};

/* Where it is: in $PATH, or where administrators' programs are. */
bool command_find(const char *name, char path[PATH_MAX]);

/* In a network namespace, to its end; what it writes is added to `said`. 0, -errno, or -EIO if it says that it failed.
 */
int command_run(int network_namespace, const char *const words[], struct buffer *said);

/* The same as another user. */
int command_run_as(int network_namespace, const struct command_user *user, const char *const words[],
		   struct buffer *said);

/* Starts it there, with its output in a file; it ends with this process. `user` and `environment` may be NULL: this
 * one's. Its process number, or -errno. */
pid_t command_start(int network_namespace, const struct command_user *user, const char *const words[],
		    char *const environment[], const char *log);

#endif
