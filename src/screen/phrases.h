/* What the screen says beyond the report's phrases, in the same languages, written by hand: phrase_table.h. */
#ifndef GUIA_SCREEN_PHRASES_H
#define GUIA_SCREEN_PHRASES_H

#include "report/phrases.h"

enum say {
#define SAY(name, english, portuguese, chinese) SAY_##name,
#include "screen/phrase_table.h"
#undef SAY
	SAYINGS,
};

/* Plain text; those with %s or %lu in them are formats of just that (report/html.h). */
const char *say(enum say which, enum language language);

/* What a language calls itself. */
const char *language_name(enum language language);

/* The best of those that an Accept-Language header asks for (RFC 9110, 12.5.4); English where it asks for none. */
enum language language_accepted(const char *header);

#endif
