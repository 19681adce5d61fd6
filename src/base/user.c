/* The groups first, the user last: after him nothing of it may be changed any more. */
#include "base/user.h"

#include "base/error.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int user_become(const char *name)
{
	int death = 0;
	pid_t parent = getppid();
	const struct passwd *user = getpwnam(name);
	if (user == NULL)
		return -ENOENT;
	prctl(PR_GET_PDEATHSIG, &death);
	if (initgroups(name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
		return -errno;
	if (death != 0 && prctl(PR_SET_PDEATHSIG, death) == 0 && getppid() != parent)
		raise(death);
	return 0;
}
