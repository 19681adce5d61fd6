/* What is said of leases, in words. */
#include "upstream/lease.h"

const char *lease_state_name(enum lease_state state)
{
	static const char *const names[LEASE_STATES] = {
		[LEASE_ANNOUNCED] = "announced", [LEASE_LIFTED] = "lifted", [LEASE_ENDING] = "ending"};
	return state < LEASE_STATES ? names[state] : "?";
}

const char *lease_change_name(enum lease_change change)
{
	static const char *const names[LEASE_CHANGES] = {
		[LEASE_KEEPER_BEGAN] = "the keeper began",
		[LEASE_ASKED] = "asked",
		[LEASE_RENEWED] = "renewed",
		[LEASE_REFUSED] = "refused",
		[LEASE_TAKEN] = "announced",
		[LEASE_NOT_TAKEN] = "not taken",
		[LEASE_IS_LIFTED] = "lifted",
		[LEASE_RAISED] = "raised",
		[LEASE_WITHDRAWN] = "withdrawn",
		[LEASE_LAPSED] = "lapsed",
		[LEASE_LET_GO] = "let go",
		[LEASE_GONE] = "gone",
	};
	return change < LEASE_CHANGES ? names[change] : "?";
}

const char *lease_outcome_text(int outcome)
{
	if (outcome == LEASE_UNHELD)
		return "would not be held: no watch is there to see what it does";
	if (outcome == LEASE_UNKNOWN)
		return "there is no such rule";
	return outcome == LEASE_UNWRITABLE ? "has no words in ExaBGP's language"
					   : guard_text((enum guard_verdict)outcome);
}
