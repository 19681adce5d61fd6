#include "screen/sessions.h"

#include "base/test.h"

#include <string.h>

enum { ALICE = 1000, BOB = 1001 };

static void a_token_lets_in_once(void **state)
{
	(void)state;
	static struct sessions all;
	char token[SECRET_BYTES + 1];
	strcpy(token, sessions_ticket(&all, 5));
	assert_int_equal(strlen(token), SECRET_BYTES);
	assert_null(sessions_enter(&all, "", ALICE, 6));
	assert_null(sessions_enter(&all, NULL, ALICE, 6));
	assert_false(sessions_would_enter(&all, NULL, 6));
	for (unsigned i = 0; i < 3; i++)
		assert_true(sessions_would_enter(&all, token, 6)); /* and none is used up by asking */
	assert_non_null(sessions_enter(&all, token, ALICE, 6));
	assert_false(sessions_would_enter(&all, token, 7));
	assert_null(sessions_enter(&all, token, ALICE, 7));
}

static void a_token_grows_old(void **state)
{
	(void)state;
	static struct sessions all;
	char token[SECRET_BYTES + 1];
	strcpy(token, sessions_ticket(&all, 5));
	assert_null(sessions_enter(&all, token, ALICE, 5 + TICKET_MS));
	strcpy(token, sessions_ticket(&all, 5));
	assert_non_null(sessions_enter(&all, token, ALICE, 4 + TICKET_MS));
}

static void a_cookie_is_its_users(void **state)
{
	(void)state;
	static struct sessions all;
	struct session *session = sessions_enter(&all, sessions_ticket(&all, 0), ALICE, 0);
	char cookie[SECRET_BYTES + 1];
	strcpy(cookie, session->cookie);
	assert_ptr_equal(sessions_find(&all, cookie, ALICE, 10), session);
	assert_null(sessions_find(&all, cookie, BOB, 10));
	assert_null(sessions_find(&all, "", ALICE, 10));
	assert_null(sessions_find(&all, NULL, ALICE, 10));
	cookie[0] = cookie[0] == '0' ? '1' : '0';
	assert_null(sessions_find(&all, cookie, ALICE, 10));
}

static void a_session_ends_when_unused(void **state)
{
	(void)state;
	static struct sessions all;
	struct session *session = sessions_enter(&all, sessions_ticket(&all, 0), ALICE, 0);
	char cookie[SECRET_BYTES + 1];
	strcpy(cookie, session->cookie);
	assert_non_null(sessions_find(&all, cookie, ALICE, SESSION_IDLE_MS - 1));
	assert_non_null(sessions_find(&all, cookie, ALICE, 2 * SESSION_IDLE_MS - 2));
	assert_null(sessions_find(&all, cookie, ALICE, 3 * SESSION_IDLE_MS));
	assert_null(sessions_find(&all, cookie, ALICE, 3 * SESSION_IDLE_MS));
}

static void changes_want_the_sessions_own_token(void **state)
{
	(void)state;
	static struct sessions all;
	struct session *one = sessions_enter(&all, sessions_ticket(&all, 1), ALICE, 1);
	struct session *two = sessions_enter(&all, sessions_ticket(&all, 2), ALICE, 2);
	assert_true(session_may_change(one, one->csrf));
	assert_false(session_may_change(one, two->csrf));
	assert_false(session_may_change(one, one->cookie));
	assert_false(session_may_change(one, ""));
	assert_false(session_may_change(one, NULL));
}

static void of_too_many_the_one_unused_for_longest_ends(void **state)
{
	(void)state;
	static struct sessions all;
	char cookies[SESSIONS_MAX + 1][SECRET_BYTES + 1];
	for (size_t i = 0; i <= SESSIONS_MAX; i++)
		strcpy(cookies[i], sessions_enter(&all, sessions_ticket(&all, i), ALICE, i + 1)->cookie);
	assert_null(sessions_find(&all, cookies[0], ALICE, 100));
	for (size_t i = 1; i <= SESSIONS_MAX; i++)
		assert_non_null(sessions_find(&all, cookies[i], ALICE, 100));
}

TEST_MAIN(cmocka_unit_test(a_token_lets_in_once), cmocka_unit_test(a_token_grows_old),
	  cmocka_unit_test(a_cookie_is_its_users), cmocka_unit_test(a_session_ends_when_unused),
	  cmocka_unit_test(changes_want_the_sessions_own_token),
	  cmocka_unit_test(of_too_many_the_one_unused_for_longest_ends))
