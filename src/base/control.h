/*
 * A daemon's control socket: one question a connection, a line; one answer, JSON, and the connection is closed. Only
 * root and the socket's own user are answered, and its group where that is said. Never waits for a client; one that is
 * slow is left, and who comes while all places are taken waits for one. A socket that somebody removed is made again
 * within a second, where its folder lets us.
 */
#ifndef GUIA_BASE_CONTROL_H
#define GUIA_BASE_CONTROL_H

#include "base/buffer.h"

#include <limits.h>
#include <poll.h>
#include <sys/types.h>

enum {
	CONTROL_CLIENTS = 16,
	CONTROL_QUESTION_BYTES = 4096,
	CONTROL_PATIENCE_SECONDS = 3, /* with the other end */
};

enum control_for { CONTROL_FOR_USER, CONTROL_FOR_GROUP };

struct control_client {
	int fd; /* -1: free */
	uid_t who;
	uint64_t began_ns;
	char question[CONTROL_QUESTION_BYTES];
	size_t len;
	struct buffer answer;
	size_t sent;
};

struct control {
	int fd;
	uid_t owner;
	gid_t group;
	enum control_for whom;
	char path[PATH_MAX];
	dev_t device; /* and number of the file that is our socket's name */
	ino_t inode;
	uint64_t looked_ns; /* whether it still is */
	struct control_client clients[CONTROL_CLIENTS];
};

/* The answer to a question of a user's, appended. */
typedef void control_answer_fn(void *context, uid_t who, struct slice question, struct buffer *answer);

/* One that is not open: it may be stepped and closed, and nobody asks. */
void control_init(struct control *control);

/* Makes the socket; one that nobody listens at any more is replaced. 0; -EADDRINUSE: somebody does; -errno. */
int control_open(struct control *control, const char *path, enum control_for whom);
void control_close(struct control *control);

/* Fills in what to wait for; room for 1 + CONTROL_CLIENTS. Returns how many. */
size_t control_waits(const struct control *control, struct pollfd *fds);
void control_step(struct control *control, uint64_t now_ns, control_answer_fn *answer, void *context);

/* Whether somebody listens there, without asking. 0; -ENOENT, -ECONNREFUSED: nobody does; -EACCES; -errno. */
int control_reach(const char *path);

/*
 * Asks and takes the whole answer. 0; -errno (-ENOENT, -ECONNREFUSED: there is no watch); -ETIMEDOUT; -EACCES: also
 * where the connection was closed unanswered, which is what whoever may not ask gets.
 */
int control_ask(const char *path, const char *question, struct buffer *answer);
/* For who can wait so long. */
int control_ask_within(const char *path, const char *question, unsigned seconds, struct buffer *answer);

/* For who must not wait: connects and sends; *ret_fd is to be read until its end, and closed. 0 or -errno, as above. */
int control_send(const char *path, const char *question, int *ret_fd);

#endif
