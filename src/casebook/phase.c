/* The table of phases and causes, and their words, which are others for an intrusion than for a flood. */
#include "casebook/phase.h"

#include <stddef.h>
#include <string.h>

static const struct {
	enum case_phase from;
	enum case_cause cause;
	enum case_phase to;
} transitions[] = {
	{CASE_ONSET, CASE_GOES_ON, CASE_RISING},     {CASE_ONSET, CASE_CONTAINED, CASE_HELD},
	{CASE_ONSET, CASE_ENDS, CASE_OVER},          {CASE_RISING, CASE_CONTAINED, CASE_HELD},
	{CASE_RISING, CASE_ENDS, CASE_OVER},         {CASE_HELD, CASE_ESCAPES, CASE_RISING},
	{CASE_HELD, CASE_FALLS, CASE_SUBSIDING},     {CASE_HELD, CASE_ENDS, CASE_OVER},
	{CASE_SUBSIDING, CASE_ESCAPES, CASE_RISING}, {CASE_SUBSIDING, CASE_RISES, CASE_HELD},
	{CASE_SUBSIDING, CASE_ENDS, CASE_OVER},      {CASE_OVER, CASE_RETURNS, CASE_ONSET},
};

static const char *const names[CASE_PHASES] = {"onset", "rising", "held", "subsiding", "over"};

const char *case_phase_name(enum case_phase phase)
{
	return phase < CASE_PHASES ? names[phase] : "?";
}

const char *case_cause_text(enum case_kind kind, enum case_cause cause)
{
	static const char *const texts[CASE_CAUSES][2] = {
		[CASE_GOES_ON] = {"it goes on and is not held", "not all of it is refused"},
		[CASE_CONTAINED] = {"mitigations hold it at every site", "all of it is refused"},
		[CASE_ESCAPES] = {"a site is not held", "not all of it is refused"},
		[CASE_FALLS] = {"it has fallen below half of its worst", "nothing more of it has come for a minute"},
		[CASE_RISES] = {"it has risen again", "it has come again"},
		[CASE_ENDS] = {"nothing is under attack any more", "nothing more of it has come for five minutes"},
		[CASE_RETURNS] = {"it is back within the hour", "it is back within the hour"},
	};
	return cause < CASE_CAUSES ? texts[cause][kind != CASE_FLOOD] : "?";
}

enum case_phase case_phase_find(const char *name)
{
	enum case_phase phase = CASE_ONSET;
	while (phase < CASE_PHASES && strcmp(names[phase], name) != 0)
		phase++;
	return phase;
}

bool case_phase_next(enum case_phase from, enum case_cause cause, enum case_phase *ret_to)
{
	for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++)
		if (transitions[i].from == from && transitions[i].cause == cause) {
			*ret_to = transitions[i].to;
			return true;
		}
	return false;
}
