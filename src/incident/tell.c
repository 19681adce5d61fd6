/* What a defence says of what it does, to who listens. */
#include "incident/inside.h"

#include <stdarg.h>
#include <stdio.h>

void defence_listen(struct defence *defence, defence_say_fn *say, void *context)
{
	defence->say = say;
	defence->say_context = context;
}

void defence_tell(const struct defence *defence, const struct site *site, const struct mitigation *mitigation,
		  const char *change, const char *format, ...)
{
	char text[640], line[1024];
	va_list arguments;
	if (defence->say == NULL)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	snprintf(line, sizeof(line), "%s: %s", site->name[0] != '\0' ? site->name : "(no site)", text);
	const struct defence_news news = {line, site->name, site->episode.id, mitigation, change};
	defence->say(defence->say_context, defence->now, &news);
}
