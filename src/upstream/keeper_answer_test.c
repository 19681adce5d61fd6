/* What the keeper answers to `status`, with the clock in our hand. */
#include "upstream/keeper_inside.h"
#include "upstream/test_operator.h"

#define ASK "ask * 60 - x\tflow route { match { destination 192.0.2.10/32; protocol [ =17 ]; } then { discard; } }"

struct bench {
	struct upstream_operator operator_;
	struct session session;
	struct buffer out;
	struct keeper keeper;
};

static void bench_open(struct bench *b)
{
	*b = (struct bench){.operator_ = test_operator()};
	b->keeper.options = (struct keeper_options){.operators = &b->operator_, .count = 1};
	b->keeper.sessions = &b->session;
	b->keeper.sink = (struct lease_sink){.journal = &b->keeper.journal, .lines = &b->keeper.lines};
	assert_int_equal(lease_book_create(&b->operator_, 1, &b->keeper.book), 0);
}

static void bench_close(struct bench *b)
{
	lease_book_free(b->keeper.book);
	buffer_free(&b->keeper.journal);
	buffer_free(&b->keeper.lines);
	buffer_free(&b->out);
}

static const char *answer(struct bench *b, const char *question, uint64_t now_ms)
{
	b->keeper.now_ms = now_ms;
	buffer_clear(&b->out);
	keeper_answer(&b->keeper, 0, slice_from_string(question), &b->out);
	buffer_byte(&b->out, '\0');
	assert_int_equal(b->out.error, 0);
	return (const char *)b->out.ptr;
}

static void tells(struct bench *b, uint64_t now_ms, const char *part)
{
	const char *said = answer(b, "status", now_ms);
	if (strstr(said, part) == NULL)
		fail_msg("at %u: no [%s] in %s", (unsigned)now_ms, part, said);
}

static void a_silent_watch_is_told_before_its_rules_end(void **state)
{
	struct bench b;
	(void)state;
	bench_open(&b);
	tells(&b, 1000, "\"held\":false,\"operators\"");
	(void)answer(&b, "hold", 1000);
	tells(&b, 1000, "\"held\":true,\"watch\":{\"silent\":false,\"heard_seconds\":0,\"seconds_left\":25}");
	/* As long as it may take where all is well. */
	tells(&b, 8000, "\"held\":true,\"watch\":{\"silent\":false,\"heard_seconds\":7,\"seconds_left\":18}");
	tells(&b, 8001, "\"held\":true,\"watch\":{\"silent\":true,\"heard_seconds\":7,\"seconds_left\":17}");
	assert_non_null(
		strstr(answer(&b, ASK, 20000),
		       "{\"held\":true,\"watch\":{\"silent\":true,\"heard_seconds\":19,\"seconds_left\":6},\"told\""));
	tells(&b, 25999, "\"held\":true,\"watch\":{\"silent\":true,\"heard_seconds\":24,\"seconds_left\":0}");
	tells(&b, 26000, "\"held\":false,\"watch\":{\"silent\":true,\"heard_seconds\":25,\"seconds_left\":0}");
	tells(&b, 99000, "\"held\":false,\"watch\":{\"silent\":true,\"heard_seconds\":98,\"seconds_left\":0}");
	(void)answer(&b, "hold", 99000);
	tells(&b, 99001, "\"held\":true,\"watch\":{\"silent\":false,\"heard_seconds\":0,\"seconds_left\":24}");
	bench_close(&b);
}

static void a_rule_is_told_with_its_session(void **state)
{
	struct bench b;
	(void)state;
	bench_open(&b);
	(void)answer(&b, "hold", 1000);
	assert_non_null(strstr(answer(&b, ASK, 1000), "\"id\":1,\"session\":\"down\"}"));
	/* ExaBGP takes it all the same. */
	lease_answered(b.keeper.book, true, 1000, &b.keeper.sink);
	tells(&b, 1000, "\"session\":\"down\",\"state\":\"announced\",\"taken\":true");
	assert_null(strstr(
		answer(&b, "try * 60 - x\tflow route { match { destination 192.0.2.10/32; } then { discard; } }", 1000),
		"\"watch\""));
	session_turn(&b.session, true, SLICE(""), 2000);
	tells(&b, 2000, "\"session\":\"up\",\"state\":\"announced\",\"taken\":true");
	assert_non_null(strstr(answer(&b, ASK, 2000), "\"id\":1,\"session\":\"up\"}"));
	bench_close(&b);
}

/* ExaBGP takes it as any other. */
static void what_the_router_did_not_agree_to_is_not_announced(void **state)
{
	struct bench b;
	(void)state;
	bench_open(&b);
	(void)answer(&b, "hold", 1000);
	session_turn(&b.session, true, SLICE(""), 1000);
	(void)answer(&b, ASK, 1000);
	lease_answered(b.keeper.book, true, 1000, &b.keeper.sink);
	tells(&b, 1000,
	      "\"families\":{\"ipv4 unicast\":null,\"ipv6 unicast\":null,\"ipv4 flow\":null,\"ipv6 flow\":null}");
	tells(&b, 1000, "\"state\":\"announced\",\"taken\":true");
	for (unsigned i = 0; i < EXABGP_FAMILIES; i++)
		(void)session_agree(&b.session, &b.operator_, (enum exabgp_family)i, i != EXABGP_IPV4_FLOW);
	tells(&b, 1000,
	      "\"families\":{\"ipv4 unicast\":true,\"ipv6 unicast\":true,\"ipv4 flow\":false,\"ipv6 flow\":true}");
	tells(&b, 1000, "\"state\":\"not sent\",\"taken\":true");
	assert_non_null(strstr(answer(&b, ASK, 1000),
			       "\"passes\":true,\"needs_yes\":false,\"says\":\"passes, but is not sent: "
			       "the router takes no ipv4 flow\",\"lacks\":\"ipv4 flow\",\"id\":1"));
	assert_non_null(strstr(answer(&b, "hold", 1000), "\"up\":1,\"carry\":1,"));
	/* Of another family. */
	assert_null(
		strstr(answer(&b,
			      "ask * 60 - x\tflow route { match { destination 2001:db8::10/128; next-header [ =17 ]; } "
			      "then { discard; } }",
			      1000),
		       "lacks"));
	/* What is lifted is not called otherwise. */
	(void)answer(&b, "lift 1", 1000);
	tells(&b, 1000, "\"state\":\"lifted\"");
	(void)answer(&b, "raise 1", 1000);
	session_turn(&b.session, false, SLICE(""), 2000);
	tells(&b, 2000, "\"session\":\"down\",\"state\":\"announced\"");
	assert_non_null(strstr(answer(&b, "hold", 2000), "\"up\":0,\"carry\":0,"));
	session_turn(&b.session, true, SLICE(""), 3000);
	for (unsigned i = 0; i < EXABGP_FAMILIES; i++)
		(void)session_agree(&b.session, &b.operator_, (enum exabgp_family)i, false);
	assert_non_null(strstr(answer(&b, "hold", 3000), "\"up\":1,\"carry\":0,"));
	bench_close(&b);
}

TEST_MAIN(cmocka_unit_test(a_silent_watch_is_told_before_its_rules_end),
	  cmocka_unit_test(a_rule_is_told_with_its_session),
	  cmocka_unit_test(what_the_router_did_not_agree_to_is_not_announced))
