/* A finding may speak for several kinds: what speaks for an injection speaks for a scan, too. */
#include "casebook/kind.h"

#include "wire/finding.h"

#include <stddef.h>
#include <string.h>

#define BIT(class) (UINT32_C(1) << FINDING_CLASS_##class)

enum {
	CODE = BIT(PHP) | BIT(JAVA) | BIT(COMMAND),
	INJECTED = CODE | BIT(SQL_INJECTION) | BIT(CROSS_SITE_SCRIPTING) | BIT(FILE_ACCESS) | BIT(FILE_INCLUSION) |
		   BIT(INJECTION) | BIT(SESSION_FIXATION),
	REFUSED = FINDING_DISRUPTED | FINDING_WOULD_BLOCK,
};

/* Each row speaks for its kind where a class of each list and one of the flags is there, and none of the last; an empty
 * list asks for nothing. */
static const struct {
	enum case_kind kind;
	uint32_t one_of;
	uint32_t and_one_of;
	unsigned flags;
	unsigned without;
} signs[] = {
	{CASE_SCAN, BIT(SCANNER), 0, 0, 0},
	{CASE_SCAN, INJECTED, 0, 0, FINDING_RESPONSE},
	{CASE_SCAN, 0, 0, REFUSED, FINDING_RESPONSE},
	{CASE_INJECTION, INJECTED, 0, 0, FINDING_RESPONSE},
	{CASE_LEAK, BIT(DISCLOSURE), 0, FINDING_RESPONSE, 0},
	{CASE_SHELL, BIT(UPLOAD), CODE, 0, 0},
	{CASE_SHELL, BIT(WEB_SHELL), 0, 0, 0},
};

static const struct {
	const char *name;
	const char *text;
	struct case_enough enough;
} kinds[CASE_KINDS] = {
	[CASE_FLOOD] = {"flood", "a site is under attack", {0, 0}},
	[CASE_SCAN] = {"scan", "it is tried out what a site answers to", {20, 5}},
	[CASE_INJECTION] = {"injection", "commands are sent for what is behind a site", {10, 1}},
	[CASE_LEAK] = {"leak", "an answer held what nobody should see", {1, 1}},
	[CASE_SHELL] = {"shell", "a program was uploaded, or answers as one", {1, 1}},
};

const char *case_kind_name(enum case_kind kind)
{
	return kind < CASE_KINDS ? kinds[kind].name : "?";
}

const char *case_kind_text(enum case_kind kind)
{
	return kind < CASE_KINDS ? kinds[kind].text : "?";
}

enum case_kind case_kind_find(const char *name)
{
	enum case_kind kind = CASE_FLOOD;
	while (kind < CASE_KINDS && strcmp(kinds[kind].name, name) != 0)
		kind++;
	return kind;
}

struct case_enough case_kind_enough(enum case_kind kind)
{
	return kinds[kind].enough;
}

unsigned case_kinds_of(uint32_t classes, unsigned found)
{
	unsigned speaks = 0;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if ((signs[i].one_of == 0 || (classes & signs[i].one_of) != 0) &&
		    (signs[i].and_one_of == 0 || (classes & signs[i].and_one_of) != 0) &&
		    (signs[i].flags == 0 || (found & signs[i].flags) != 0) && (found & signs[i].without) == 0)
			speaks |= 1u << signs[i].kind;
	return speaks;
}
