#include "base/control.h"

#include "base/error.h"
#include "base/test.h"

#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS = 3 };

#define NS_A_SECOND UINT64_C(1000000000)

static char folder[64], path[80], other_path[80];
static struct control control;

static void echo(void *context, uid_t who, struct slice question, struct buffer *out)
{
	unsigned *asked = context;
	assert_int_equal(who, geteuid());
	(*asked)++;
	buffer_add(out, question);
}

static int open_one(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/guia-control-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/control", folder);
	snprintf(other_path, sizeof(other_path), "%s/other", folder);
	return control_open(&control, path, CONTROL_FOR_USER);
}

static int close_it(void **state)
{
	(void)state;
	control_close(&control);
	(void)unlink(path);
	(void)unlink(other_path);
	return rmdir(folder);
}

static unsigned step(uint64_t now_ns)
{
	unsigned asked = 0;
	for (unsigned i = 0; i < STEPS; i++)
		control_step(&control, now_ns, echo, &asked);
	return asked;
}

static int ask(const char *question)
{
	int fd = -1;
	return control_send(path, question, &fd) == 0 ? fd : -1;
}

static void is_answered(int fd, const char *wanted)
{
	char text[64];
	ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	assert_int_equal(n, strlen(wanted));
	assert_memory_equal(text, wanted, strlen(wanted));
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 0);
	close(fd);
}

static void one_that_was_removed_is_made_again(void **state)
{
	(void)state;
	struct stat st;
	step(10 * NS_A_SECOND);
	int before = ask("before");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(step(10 * NS_A_SECOND), 1);
	is_answered(before, "before");
	assert_int_equal(ask("nobody"), -1);
	step(11 * NS_A_SECOND);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	int after = ask("after");
	assert_int_equal(step(11 * NS_A_SECOND), 1);
	is_answered(after, "after");
}

/* Whoever took our name keeps it, and we take it up again when he has gone. */
static void the_name_of_another_is_left(void **state)
{
	(void)state;
	static struct control other;
	assert_int_equal(control_open(&other, other_path, CONTROL_FOR_USER), 0);
	assert_int_equal(rename(other_path, path), 0);
	step(10 * NS_A_SECOND);
	assert_int_equal(control_reach(path), 0);
	control_close(&other);
	assert_int_equal(control_reach(path), -ECONNREFUSED);
	step(11 * NS_A_SECOND);
	int fd = ask("ours");
	assert_int_equal(step(11 * NS_A_SECOND), 1);
	is_answered(fd, "ours");
}

static void who_finds_no_place_waits_for_one(void **state)
{
	(void)state;
	int idle[CONTROL_CLIENTS], more[4];
	struct pollfd fds[1 + CONTROL_CLIENTS];
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	strcpy(to.sun_path, path);
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		idle[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(idle[i], (struct sockaddr *)&to, sizeof(to)), 0);
		assert_int_equal(write(idle[i], "half a quest", 12), 12);
		step(10 * NS_A_SECOND);
	}
	for (unsigned i = 0; i < 4; i++)
		more[i] = ask("more");
	assert_int_equal(step(10 * NS_A_SECOND), 0);
	/* And nobody is woken for those who wait. */
	assert_int_equal(control_waits(&control, fds), 1 + CONTROL_CLIENTS);
	assert_int_equal(poll(fds, 1 + CONTROL_CLIENTS, 0), 0);
	assert_int_equal(step((10 + CONTROL_PATIENCE_SECONDS) * NS_A_SECOND), 4);
	for (unsigned i = 0; i < 4; i++)
		is_answered(more[i], "more");
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		close(idle[i]);
}

/* Its question came while we stood still: it is no fault of the client's that nobody read it in time. */
static void a_question_that_waited_for_us_is_answered(void **state)
{
	(void)state;
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	strcpy(to.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(step(10 * NS_A_SECOND), 0);
	assert_int_equal(write(fd, "late\n", 5), 5);
	assert_int_equal(step((11 + CONTROL_PATIENCE_SECONDS) * NS_A_SECOND), 1);
	is_answered(fd, "late");
}

/* A line that does not end, or whose client ends it. */
static void what_is_no_question_is_closed(void **state)
{
	(void)state;
	static char much[2 * CONTROL_QUESTION_BYTES];
	memset(much, 'x', sizeof(much));
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	strcpy(to.sun_path, path);
	for (unsigned i = 0; i < 2; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
		assert_true(write(fd, much, i == 0 ? sizeof(much) : 10) > 0);
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
		assert_int_equal(step((10 + i) * NS_A_SECOND), 0);
		char byte;
		assert_true(recv(fd, &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
		close(fd);
	}
}

static void answer_any(void *context, uid_t who, struct slice question, struct buffer *out)
{
	(void)context;
	(void)who;
	buffer_add(out, question);
}

/* Another user's process with one supplementary group. Whether it is answered. */
static bool answers_member_of(gid_t group)
{
	enum { NOBODY = 65534, WAIT_MS = 10 };
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char byte;
		int fd = -1;
		if (setgroups(1, &group) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
		    setresuid(NOBODY, NOBODY, NOBODY) != 0 || (fd = ask("member")) < 0)
			_exit(2);
		(void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
		_exit(recv(fd, &byte, 1, 0) == 1 ? 0 : 1);
	}
	int status;
	while (waitpid(child, &status, WNOHANG) == 0) {
		control_step(&control, 10 * NS_A_SECOND, answer_any, NULL);
		poll(NULL, 0, WAIT_MS);
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 2);
	return WEXITSTATUS(status) == 0;
}

/* A service's own group may be another: what counts is that it is in ours. */
static void who_is_in_the_group_is_answered(void **state)
{
	enum { OURS = 4711, OTHER = 4712 };
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(folder, 0711), 0);
	assert_int_equal(chmod(path, 0666), 0);
	control.group = OURS;
	control.whom = CONTROL_FOR_GROUP;
	assert_true(answers_member_of(OURS));
	assert_false(answers_member_of(OTHER));
	control.whom = CONTROL_FOR_USER;
	assert_false(answers_member_of(OURS));
}

TEST_MAIN(cmocka_unit_test_setup_teardown(who_is_in_the_group_is_answered, open_one, close_it),
	  cmocka_unit_test_setup_teardown(one_that_was_removed_is_made_again, open_one, close_it),
	  cmocka_unit_test_setup_teardown(the_name_of_another_is_left, open_one, close_it),
	  cmocka_unit_test_setup_teardown(who_finds_no_place_waits_for_one, open_one, close_it),
	  cmocka_unit_test_setup_teardown(a_question_that_waited_for_us_is_answered, open_one, close_it),
	  cmocka_unit_test_setup_teardown(what_is_no_question_is_closed, open_one, close_it))
