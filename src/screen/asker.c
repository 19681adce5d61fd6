/*
 * Each question has its interval. Whenever nothing is asked, that which has been due for longest is, on a connection of
 * its own. When one comes to nothing all wait for half a second.
 */
#include "screen/asker.h"

#include "base/control.h"
#include "base/error.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PATIENCE_MS = 3000,
	PAUSE_MS = 500, /* after a question that came to nothing */
	ANSWER_MAX_BYTES = 16 << 20,
	PIECE_BYTES = 65536,
};

static const struct {
	const char *text;
	uint64_t every_ms;
} questions[ASKER_QUESTIONS] = {
	[ASKER_STATUS] = {"status", 250}, [ASKER_TOP] = {"top 12", 1000},       [ASKER_BANS] = {"bans", 2000},
	[ASKER_MODES] = {"modes", 2000},  [ASKER_HISTORY] = {"history", 10000},
};

void asker_begin(struct asker *asker, const char *path)
{
	*asker = (struct asker){.path = path, .fd = -1, .text = buffer_make(NULL)};
}

static void hang_up(struct asker *asker)
{
	if (asker->fd >= 0)
		close(asker->fd);
	asker->fd = -1;
}

void asker_end(struct asker *asker)
{
	hang_up(asker);
	buffer_free(&asker->text);
	for (size_t i = 0; i < ASKER_QUESTIONS; i++)
		json_decref(asker->answers[i]);
}

struct pollfd asker_waits(const struct asker *asker)
{
	return (struct pollfd){.fd = asker->fd, .events = POLLIN};
}

void asker_hurry(struct asker *asker)
{
	memset(asker->due_ms, 0, sizeof(asker->due_ms));
}

static void fail(struct asker *asker, int error, uint64_t now_ms)
{
	hang_up(asker);
	asker->error = error;
	for (size_t i = 0; i < ASKER_QUESTIONS; i++)
		if (asker->due_ms[i] < now_ms + PAUSE_MS)
			asker->due_ms[i] = now_ms + PAUSE_MS;
}

/* Of those that are due, the one that has been for longest. */
static void ask(struct asker *asker, uint64_t now_ms)
{
	size_t next = 0;
	for (size_t i = 1; i < ASKER_QUESTIONS; i++)
		if (asker->due_ms[i] < asker->due_ms[next])
			next = i;
	if (now_ms < asker->due_ms[next])
		return;
	asker->question = (enum asker_question)next;
	asker->asked_ms = now_ms;
	asker->due_ms[next] = now_ms + questions[next].every_ms;
	buffer_clear(&asker->text);
	int r = control_send(asker->path, questions[next].text, &asker->fd);
	if (r != 0)
		fail(asker, r, now_ms);
}

static bool take(struct asker *asker, uint64_t now_ms)
{
	json_t *answer = json_loadb((const char *)asker->text.ptr, asker->text.len, JSON_ALLOW_NUL, NULL);
	hang_up(asker);
	if (answer == NULL) {
		fail(asker, asker->text.len == 0 ? -EACCES : -EPROTO, now_ms);
		return false;
	}
	json_decref(asker->answers[asker->question]);
	asker->answers[asker->question] = answer;
	asker->answered_ms = now_ms;
	asker->error = 0;
	return true;
}

/* 1: the answer is whole; 0: not yet; -errno. */
static int read_on(struct asker *asker)
{
	for (;;) {
		if (buffer_reserve(&asker->text, PIECE_BYTES) != 0)
			return -ENOMEM;
		ssize_t n = recv(asker->fd, asker->text.ptr + asker->text.len, PIECE_BYTES, 0);
		if (n == 0)
			return 1;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		asker->text.len += (size_t)n;
		if (asker->text.len > ANSWER_MAX_BYTES)
			return -EFBIG;
	}
}

bool asker_step(struct asker *asker, uint64_t now_ms, enum asker_question *ret_question)
{
	if (asker->fd < 0)
		ask(asker, now_ms);
	if (asker->fd < 0)
		return false;
	int r = read_on(asker);
	if (r == 0 && now_ms - asker->asked_ms >= PATIENCE_MS)
		r = -ETIMEDOUT;
	if (r < 0)
		fail(asker, r, now_ms);
	*ret_question = asker->question;
	return r > 0 && take(asker, now_ms);
}
