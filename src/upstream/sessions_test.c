/* What ExaBGP tells of families, and what is known by it. */
#include "upstream/sessions.h"
#include "upstream/test_operator.h"

static struct exabgp_answer read_fenced(const char *line)
{
	return exabgp_read(test_fenced(slice_from_string(line)));
}

static void a_family_is_read(void **state)
{
	static const struct {
		const char *line;
		enum exabgp_kind kind;
		enum exabgp_family family;
		bool agreed;
	} rows[] = {
		{"   ipv4 flow:                   enabled        disabled        disabled", EXABGP_FAMILY,
		 EXABGP_IPV4_FLOW, false},
		{"   ipv6 flow:                   enabled         enabled        disabled", EXABGP_FAMILY,
		 EXABGP_IPV6_FLOW, true},
		{"   ipv4 unicast:                enabled         enabled        disabled", EXABGP_FAMILY,
		 EXABGP_IPV4_UNICAST, true},
		{"   ipv6 unicast: enabled disabled", EXABGP_FAMILY, EXABGP_IPV6_UNICAST, false},
		{"   ipv4 flow:                   enabled             n/a        disabled", EXABGP_NOTHING, 0, false},
		{"   ipv4 flow:                   enabled", EXABGP_NOTHING, 0, false},
		{"   ipv4 flow:", EXABGP_NOTHING, 0, false},
		{"   ipv4 flow", EXABGP_NOTHING, 0, false},
		{"   ipv4 mup:                    enabled         enabled        disabled", EXABGP_NOTHING, 0, false},
		{"   asn4:                        enabled         enabled", EXABGP_NOTHING, 0, false},
		{"   hold-time                         30             240", EXABGP_NOTHING, 0, false},
		{"ipv4 flow: enabled enabled disabled", EXABGP_NOTHING, 0, false},
		{"   ", EXABGP_NOTHING, 0, false},
		{"", EXABGP_NOTHING, 0, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exabgp_answer answer = read_fenced(rows[i].line);
		if (answer.kind != rows[i].kind)
			fail_msg("[%s]", rows[i].line);
		if (answer.kind == EXABGP_FAMILY)
			assert_true(answer.family == rows[i].family && answer.agreed == rows[i].agreed);
	}
}

static void whose_they_are_is_read(void **state)
{
	(void)state;
	const struct prefix peer = test_prefix("203.0.113.1");
	struct exabgp_answer answer = read_fenced("Neighbor 203.0.113.1");
	assert_int_equal(answer.kind, EXABGP_NEIGHBOR);
	assert_true(address_equal(&answer.neighbor, &peer.address));
	assert_int_equal(read_fenced("Neighbor 2001:db8::9").kind, EXABGP_NEIGHBOR);
	assert_int_equal(read_fenced("Neighbor ").kind, EXABGP_NOTHING);
	assert_int_equal(read_fenced("Neighbor 203.0.113.1 up").kind, EXABGP_NOTHING);
	/* What a router's OPEN says is not asked for, and nothing is believed of it. */
	assert_int_equal(read_fenced("neighbor 203.0.113.1 receive open version 4 asn 65011 hold_time 240 router_id "
				     "203.0.113.1 capabilities [multiprotocol(ipv4 flow)]")
				 .kind,
			 EXABGP_NOTHING);
}

static void names(const struct session *session, const struct upstream_operator *operator_, const char *expected)
{
	struct buffer out = buffer_make(NULL);
	(void)session_tell_lacking(session, operator_, &out);
	buffer_byte(&out, '\0');
	assert_string_equal((const char *)out.ptr, expected);
	buffer_free(&out);
}

static void of_what_is_not_known_nothing_is_claimed(void **state)
{
	struct upstream_operator both = test_operator();
	struct session session = {0};
	(void)state;
	/* It may be the session before. */
	assert_false(session_agree(&session, &both, EXABGP_IPV4_FLOW, false));
	session_turn(&session, true, SLICE(""), 1000);
	names(&session, &both, "");
	assert_true(session_carries(&session, &both));
	assert_false(session_agree(&session, &both, EXABGP_IPV4_FLOW, false));
	assert_true(session_lacks(&session, EXABGP_IPV4_FLOW) && !session_lacks(&session, EXABGP_IPV6_FLOW));
	assert_false(session_agree(&session, &both, EXABGP_IPV6_FLOW, true));
	assert_false(session_agree(&session, &both, EXABGP_IPV4_UNICAST, false));
	assert_false(session_knows(&session, &both));
	assert_true(session_agree(&session, &both, EXABGP_IPV6_UNICAST, true));
	names(&session, &both, "ipv4 unicast, ipv4 flow");
	/* Once known it stays so for the session. */
	assert_false(session_agree(&session, &both, EXABGP_IPV4_FLOW, true));
	names(&session, &both, "ipv4 unicast, ipv4 flow");
	assert_true(session_carries(&session, &both));
	/* Up again, whether or not it was heard to fall. */
	session_turn(&session, true, SLICE(""), 2000);
	assert_int_equal(session.since_ms, 1000);
	names(&session, &both, "");
	assert_false(session_knows(&session, &both));
	session_turn(&session, false, SLICE("x"), 3000);
	assert_false(session_lacks(&session, EXABGP_IPV4_FLOW) || session_carries(&session, &both));
}

static void only_what_it_is_used_for_is_missed(void **state)
{
	struct upstream_operator flows = test_operator();
	struct session session = {0};
	(void)state;
	flows.takes_blackholes = false;
	session_turn(&session, true, SLICE(""), 1000);
	assert_false(session_agree(&session, &flows, EXABGP_IPV4_UNICAST, false));
	assert_false(session_agree(&session, &flows, EXABGP_IPV6_FLOW, false));
	names(&session, &flows, "ipv6 flow");
	assert_true(session_carries(&session, &flows));
	assert_true(session_agree(&session, &flows, EXABGP_IPV4_FLOW, false));
	names(&session, &flows, "ipv4 flow, ipv6 flow");
	assert_false(session_carries(&session, &flows));
}

static void a_route_has_a_family(void **state)
{
	static const struct {
		const char *text;
		enum exabgp_family family;
	} rows[] = {
		{"flow route { match { destination 192.0.2.10/32; } then { discard; } }", EXABGP_IPV4_FLOW},
		{"flow route { match { destination 2001:db8::10/128; } then { discard; } }", EXABGP_IPV6_FLOW},
		{"route 192.0.2.10/32 next-hop 192.0.2.1 community [ 65535:666 ]", EXABGP_IPV4_UNICAST},
		{"route 2001:db8::10/128 next-hop 2001:db8::1 community [ 65535:666 ]", EXABGP_IPV6_UNICAST},
	};
	struct route route;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!route_read(slice_from_string(rows[i].text), &route))
			fail_msg("%s", rows[i].text);
		assert_int_equal(exabgp_family_of(&route), rows[i].family);
	}
}

TEST_MAIN(cmocka_unit_test(a_family_is_read), cmocka_unit_test(whose_they_are_is_read),
	  cmocka_unit_test(of_what_is_not_known_nothing_is_claimed),
	  cmocka_unit_test(only_what_it_is_used_for_is_missed), cmocka_unit_test(a_route_has_a_family))
