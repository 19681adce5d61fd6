/* Becoming somebody with fewer rights, for good. */
#ifndef GUIA_BASE_USER_H
#define GUIA_BASE_USER_H

/*
 * The user, his group and his other groups. The parent's wish that we end with it, which does not survive such a
 * change, is renewed. 0; -ENOENT: there is no such user; -errno.
 */
int user_become(const char *name);

#endif
