/*
 * The loop and ExaBGP's two pipes; keeper_answer.c answers questions. In each turn the journal is written before any
 * line goes out. ExaBGP is pinged every two seconds: its answer tells that it lives, and which sessions are up. Of
 * those that came up it is then asked which families they carry.
 */
#include "upstream/keeper.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/reader.h"
#include "base/service.h"
#include "codec/text.h"
#include "upstream/keeper_inside.h"
#include "upstream/lease_journal.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	PING_MS = 2000,
	JOURNAL_MOST_BYTES = 4 << 20, /* then it is written anew */
	JOURNAL_READ_BYTES = 64 << 20,
	WAIT_MOST_MS = 1000,
	INPUT_MOST_BYTES = 16384, /* of one line: no answer is as long */
	PATIENCE_MS = 5000,       /* for an earlier life to end, ... */
	LOOK_MS = 50,             /* and how often that is looked for */
	BOOT_BYTES = 36,
};

static void say(const char *what, struct slice more)
{
	fprintf(stderr, "guia: upstream: %s%.*s\n", what, SLICE_ARG(more));
}

static void ping(struct keeper *k)
{
	if (k->pinging || k->now_ms < k->ping_ms)
		return;
	k->pinging = true;
	k->ping_ms = k->now_ms + PING_MS;
	buffer_text(&k->lines, EXABGP_PING);
}

/* ---- the journal ---- */

static int path_of(const struct keeper *k, const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", k->options.directory, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int boot_read(struct buffer *out)
{
	int r = file_read("/proc/sys/kernel/random/boot_id", 64, out);
	if (r == 0 && out->len > BOOT_BYTES)
		out->len = BOOT_BYTES;
	return r;
}

/* The book as it is, in place of what has grown. */
static int journal_renew(struct keeper *k)
{
	char path[PATH_MAX];
	struct buffer boot = buffer_make(NULL), text = buffer_make(NULL);
	int r = path_of(k, KEEPER_JOURNAL, path);
	r = r != 0 ? r : boot_read(&boot);
	if (r == 0) {
		lease_journal_write(k->book, buffer_slice(&boot), &text);
		lease_news_keep(&k->news, &text);
		r = text.error != 0 ? text.error : file_replace(path, buffer_slice(&text), 0600);
	}
	int fd = r == 0 ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (r == 0 && fd < 0)
		r = -errno;
	if (r == 0) {
		if (k->journal_fd >= 0)
			close(k->journal_fd);
		k->journal_fd = fd;
		k->journal_bytes = text.len;
		buffer_clear(&k->journal);
	}
	buffer_free(&boot);
	buffer_free(&text);
	return r;
}

/* Before any line goes out that it is about, and any answer: what was told as news keeps its number. */
static int journal_write(struct keeper *k)
{
	if (k->journal.error != 0 || k->journal_bytes > JOURNAL_MOST_BYTES)
		return journal_renew(k);
	for (size_t done = 0; done < k->journal.len;) {
		ssize_t n = write(k->journal_fd, k->journal.ptr + done, k->journal.len - done);
		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	k->journal_bytes += k->journal.len;
	buffer_clear(&k->journal);
	return 0;
}

/* What cannot be read may be announced all the same: then ExaBGP ends, and in its next life is told what could be read.
 */
static int journal_load(struct keeper *k)
{
	char path[PATH_MAX];
	struct buffer boot = buffer_make(NULL), text = buffer_make(NULL), lines = buffer_make(NULL);
	const struct lease_sink sink = {&k->journal, &lines, k->sink.told, k->sink.context};
	ping(k);
	int r = path_of(k, KEEPER_JOURNAL, path);
	r = r != 0 ? r : boot_read(&boot);
	r = r != 0 ? r : file_read(path, JOURNAL_READ_BYTES, &text);
	lease_news_resume(&k->news, buffer_slice(&text));
	k->sink.told(k->sink.context, NULL, LEASE_KEEPER_BEGAN, 0);
	if (r == 0)
		r = lease_journal_read(k->book, buffer_slice(&text), buffer_slice(&boot), k->now_ms, &sink);
	else if (r == -ENOENT)
		r = 0;
	if (r == LEASE_JOURNAL_BAD || r == -EFBIG) {
		say("the journal cannot be read: ExaBGP is ended, so that nothing stays announced that is not known: ",
		    slice_from_string(path));
		buffer_text(&k->lines, EXABGP_SHUTDOWN);
		r = 0;
	}
	buffer_add(&k->lines, buffer_slice(&lines));
	buffer_free(&boot);
	buffer_free(&text);
	buffer_free(&lines);
	return r != 0 ? r : journal_renew(k);
}

/* ---- ExaBGP ---- */

/* Asked again with each ping until it is known. */
static void families_ask(struct keeper *k)
{
	bool wanted = false;
	for (size_t i = 0; i < k->options.count; i++)
		wanted = wanted || (k->sessions[i].up && !session_knows(&k->sessions[i], &k->options.operators[i]));
	if (wanted)
		(void)lease_line_other(k->book, SLICE(EXABGP_ASK_FAMILIES), &k->sink);
}

static void family_tell(const struct keeper *k, const struct exabgp_answer *answer)
{
	if (k->told_of >= k->options.count)
		return;
	const struct upstream_operator *o = &k->options.operators[k->told_of];
	struct session *session = &k->sessions[k->told_of];
	struct buffer names = buffer_make(NULL);
	if (session_agree(session, o, answer->family, answer->agreed) && session_tell_lacking(session, o, &names) > 0)
		fprintf(stderr,
			"guia: upstream: the router of %s did not agree to %.*s: it takes no such rules, and none is "
			"sent\n",
			o->name, SLICE_ARG(buffer_slice(&names)));
	buffer_free(&names);
}

static void ping_answered(struct keeper *k)
{
	for (size_t i = 0; i < k->options.count; i++) {
		struct session *session = &k->sessions[i];
		if (session->seen != session->up)
			session_turn(session, session->seen, slice_make("", 0), k->now_ms);
		session->seen = false;
	}
	k->pinging = false;
	if (k->answered_ms == 0)
		service_notify("READY=1");
	k->answered_ms = k->now_ms;
	service_notify("WATCHDOG=1");
	families_ask(k);
}

static void session_tell(struct keeper *k, const struct exabgp_answer *answer)
{
	size_t at = session_find(k->options.operators, k->options.count, &answer->neighbor);
	if (at == k->options.count)
		return;
	struct session *session = &k->sessions[at];
	if (answer->kind == EXABGP_ESTABLISHED || answer->kind == EXABGP_UP)
		session->seen = true;
	else
		session->seen = false;
	if (answer->kind == EXABGP_ESTABLISHED)
		return;
	bool before = session->up;
	k->told_of = k->options.count; /* what of it is still to be told is of the session before */
	k->ping_ms = answer->kind == EXABGP_UP ? k->now_ms : k->ping_ms;
	session_turn(session, answer->kind == EXABGP_UP, answer->why, k->now_ms);
	if (before == session->up)
		return;
	/* The router's own words may be in it (RFC 9003). */
	struct buffer why = buffer_make(NULL);
	text_add_terminal(&why, answer->why);
	fprintf(stderr, "guia: upstream: the session with %s is %s%s%.*s\n", k->options.operators[at].name,
		session->up ? "up" : "down", why.len > 0 ? ": " : "", SLICE_ARG(buffer_slice(&why)));
	buffer_free(&why);
}

/*
 * ExaBGP answers in order. What it says before the first ping's answer begins is about lines of an earlier life, whose
 * answers come to whoever reads them.
 */
static void answered(struct keeper *k, bool done)
{
	if (k->in_ping) {
		k->in_ping = false;
		ping_answered(k);
	} else if (k->answered_ms != 0) {
		if (!done)
			say("ExaBGP did not take a line", slice_make("", 0));
		lease_answered(k->book, done, k->now_ms, &k->sink);
	}
}

static void line_take(struct keeper *k, struct slice line)
{
	struct exabgp_answer answer = exabgp_read(line);
	switch (answer.kind) {
	case EXABGP_DONE:
	case EXABGP_ERROR:
		answered(k, answer.kind == EXABGP_DONE);
		break;
	case EXABGP_HEADER:
		k->in_ping = true;
		break;
	case EXABGP_NEIGHBOR:
		k->told_of = session_find(k->options.operators, k->options.count, &answer.neighbor);
		break;
	case EXABGP_FAMILY:
		family_tell(k, &answer);
		break;
	case EXABGP_UP:
	case EXABGP_DOWN:
	case EXABGP_ESTABLISHED:
		session_tell(k, &answer);
		break;
	case EXABGP_NOTHING:
		break;
	}
}

/* All that ExaBGP has said; it waits for us when its pipe is full. */
static void input_take(struct keeper *k)
{
	char bytes[16384];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
	if (n == 0)
		k->ended = true;
	if (n <= 0)
		return;
	buffer_add(&k->input, slice_make(bytes, (size_t)n));
	struct reader r = reader_make(buffer_slice(&k->input));
	size_t done = 0;
	while (slice_find_byte(r.bytes, '\n', r.at) < r.bytes.len) {
		line_take(k, reader_until(&r, '\n'));
		done = r.at;
	}
	if (done > 0)
		memmove(k->input.ptr, k->input.ptr + done, k->input.len - done);
	k->input.len -= done;
	if (k->input.error != 0 || k->input.len > INPUT_MOST_BYTES)
		buffer_clear(&k->input);
}

/* Whole lines, and no more than a pipe takes at once or not at all: whoever is killed leaves no half line behind. */
static size_t output_at_once(const struct keeper *k)
{
	size_t len = 0;
	for (size_t end; (end = slice_find_byte(buffer_slice(&k->lines), '\n', len)) < k->lines.len; len = end + 1)
		if (end + 1 > PIPE_BUF)
			break;
	return len;
}

static void output_give(struct keeper *k)
{
	for (size_t len; (len = output_at_once(k)) > 0;) {
		ssize_t n = write(STDOUT_FILENO, k->lines.ptr, len);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			k->ended = true;
		if (n <= 0)
			break;
		k->lines.len -= (size_t)n;
		memmove(k->lines.ptr, k->lines.ptr + n, k->lines.len);
	}
	if (k->lines.error != 0)
		k->error = k->lines.error;
}

/* ---- the loop ---- */

static void answer(void *context, uid_t who, struct slice question, struct buffer *out)
{
	struct keeper *k = context;
	keeper_answer(k, who, question, out);
	k->error = k->error != 0 ? k->error : journal_write(k);
}

static void told(void *context, const struct lease *lease, enum lease_change change, int outcome)
{
	struct keeper *k = context;
	/* Both clocks at once: when the lease ends is told in UTC. */
	lease_news_add(&k->news, lease, change, outcome,
		       (struct lease_news_time){(uint64_t)clock_boot_ms(), clock_now_ms()}, &k->journal);
}

static void wait_for_something(struct keeper *k, int signals)
{
	struct pollfd waits[3 + 1 + CONTROL_CLIENTS];
	uint64_t most = k->tick_ms < k->ping_ms ? k->tick_ms : k->ping_ms;
	uint64_t left = most > k->now_ms ? most - k->now_ms : 0;
	size_t count = 0;
	waits[count++] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	waits[count++] = (struct pollfd){.fd = signals, .events = POLLIN};
	if (k->lines.len > 0)
		waits[count++] = (struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT};
	count += control_waits(&k->control, waits + count);
	(void)poll(waits, count, left < WAIT_MOST_MS ? (int)left : WAIT_MOST_MS);
	k->now_ms = (uint64_t)clock_boot_ms();
	if ((waits[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		input_take(k);
	if ((waits[1].revents & POLLIN) != 0)
		k->ended = true;
}

static int run(struct keeper *k, int signals)
{
	while (!k->ended && k->error == 0) {
		wait_for_something(k, signals);
		control_step(&k->control, k->now_ms * CLOCK_NS_PER_MS, answer, k);
		k->tick_ms = lease_tick(k->book, k->now_ms, &k->sink);
		ping(k);
		k->error = k->error != 0 ? k->error : journal_write(k);
		if (k->error == 0)
			output_give(k);
	}
	return k->error;
}

/* ---- beginning ---- */

static int lock_take(struct keeper *k, int *ret_fd)
{
	char path[PATH_MAX];
	int r = path_of(k, KEEPER_LOCK, path);
	int fd = r == 0 ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
	if (r != 0 || fd < 0)
		return r != 0 ? r : -errno;
	for (unsigned left = PATIENCE_MS / LOOK_MS; flock(fd, LOCK_EX | LOCK_NB) != 0; left--) {
		if (errno != EWOULDBLOCK || left == 0) {
			r = errno == EWOULDBLOCK ? KEEPER_BUSY : -errno;
			close(fd);
			return r;
		}
		(void)poll(NULL, 0, LOOK_MS);
	}
	*ret_fd = fd;
	return 0;
}

static int signals_open(int *ret_fd)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	*ret_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

static int begin(struct keeper *k)
{
	char path[PATH_MAX];
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	int r = flags >= 0 && fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK) == 0 ? 0 : -errno;
	k->sessions = calloc(k->options.count + 1, sizeof(*k->sessions));
	r = r == 0 && k->sessions == NULL ? -ENOMEM : r;
	r = r != 0 ? r : lease_book_create(k->options.operators, k->options.count, &k->book);
	r = r != 0 ? r : journal_load(k);
	r = r != 0 ? r : path_of(k, KEEPER_SOCKET, path);
	r = r != 0 ? r : control_open(&k->control, path, CONTROL_FOR_GROUP);
	return r == -EADDRINUSE ? KEEPER_BUSY : r;
}

static void end(struct keeper *k)
{
	control_close(&k->control);
	lease_book_free(k->book);
	lease_news_free(&k->news);
	free(k->sessions);
	buffer_free(&k->journal);
	buffer_free(&k->lines);
	buffer_free(&k->input);
	if (k->journal_fd >= 0)
		close(k->journal_fd);
}

int keeper_run(const struct keeper_options *options, const char **ret_what)
{
	struct keeper *k = calloc(1, sizeof(*k));
	int signals = -1, lock = -1;
	if (k == NULL)
		return -ENOMEM;
	*k = (struct keeper){.options = *options,
			     .journal_fd = -1,
			     .now_ms = (uint64_t)clock_boot_ms(),
			     .told_of = options->count,
			     .control = {.fd = -1}};
	lease_news_init(&k->news, k->options.operators, clock_now_ms());
	k->sink = (struct lease_sink){&k->journal, &k->lines, told, k};
	*ret_what = options->directory;
	int r = signals_open(&signals);
	r = r != 0 ? r : lock_take(k, &lock);
	r = r != 0 ? r : begin(k);
	r = r != 0 ? r : run(k, signals);
	end(k);
	free(k);
	if (signals >= 0)
		close(signals);
	if (lock >= 0)
		close(lock);
	return r;
}
