/*
 * Asks the watch, on its control socket, without ever waiting for it: one question after another, as the caller's loop
 * goes round. What is answered stays until a newer answer comes.
 */
#ifndef GUIA_SCREEN_ASKER_H
#define GUIA_SCREEN_ASKER_H

#include "base/buffer.h"

#include <jansson.h>
#include <poll.h>

enum asker_question {
	ASKER_STATUS,
	ASKER_TOP,
	ASKER_BANS,
	ASKER_MODES,
	ASKER_HISTORY,
	ASKER_QUESTIONS,
};

struct asker {
	const char *path; /* of the socket; the caller's */
	int fd;           /* -1: nothing is asked */
	enum asker_question question;
	uint64_t asked_ms;
	uint64_t due_ms[ASKER_QUESTIONS];
	struct buffer text;
	json_t *answers[ASKER_QUESTIONS]; /* NULL: none yet */
	uint64_t answered_ms;             /* when it last did; 0: never */
	int error;                        /* of the last question: 0 or -errno */
};

void asker_begin(struct asker *asker, const char *path);
void asker_end(struct asker *asker);

struct pollfd asker_waits(const struct asker *asker);

/* True: *ret_question has just been answered. */
bool asker_step(struct asker *asker, uint64_t now_ms, enum asker_question *ret_question);

/* What is to be asked again at once: something was ordered. */
void asker_hurry(struct asker *asker);

#endif
