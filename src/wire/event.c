/* What the enums of event.h and counters.h are called. */
#include "wire/counters.h"

const char *event_verdict_name(unsigned verdict)
{
	static const char *const names[EVENT_VERDICTS] = {
		[EVENT_PASSED] = "pass",
		[EVENT_BLOCKED] = "block",
		[EVENT_WOULD_BLOCK] = "would-block",
		[EVENT_UNSEEN] = "unseen",
	};

	return verdict < EVENT_VERDICTS ? names[verdict] : "?";
}

const char *event_reason_name(unsigned reason)
{
	static const char *const names[EVENT_REASONS] = {
		[EVENT_NO_REASON] = "none",
		[EVENT_BY_RULE] = "rule",
		[EVENT_BY_FAILURE] = "failure",
		[EVENT_BY_SERVER] = "server",
		[EVENT_BY_BAN] = "ban",
		[EVENT_BY_LIMIT] = "limit",
		[EVENT_CROWDED_OUT] = "crowded-out",
		[EVENT_BY_SIGNATURE] = "signature",
		[EVENT_BY_MODE] = "mode",
	};

	return reason < EVENT_REASONS ? names[reason] : "?";
}

const char *event_method_name(unsigned method)
{
	static const char *const names[EVENT_METHODS] = {
		[EVENT_OTHER_METHOD] = "other", [EVENT_GET] = "GET",     [EVENT_HEAD] = "HEAD",
		[EVENT_POST] = "POST",          [EVENT_PUT] = "PUT",     [EVENT_DELETE] = "DELETE",
		[EVENT_OPTIONS] = "OPTIONS",    [EVENT_PATCH] = "PATCH",
	};

	return method < EVENT_METHODS ? names[method] : "?";
}

const char *shed_kind_name(unsigned kind)
{
	static const char *const names[SHED_KINDS] = {"heads",   "bodies",  "below-rate",
						      "crowded", "refused", "turned-away"};
	return kind < SHED_KINDS ? names[kind] : "?";
}

const char *connection_state_name(unsigned state)
{
	static const char *const names[CONNECTION_STATES] = {
		[STATE_READING_HEADER] = "reading-header",
		[STATE_IDLE] = "idle",
		[STATE_READING_BODY] = "reading-body",
		[STATE_WAITING] = "waiting",
		[STATE_WRITING] = "writing",
		[STATE_WORKING] = "working",
	};

	return state < CONNECTION_STATES ? names[state] : "?";
}
