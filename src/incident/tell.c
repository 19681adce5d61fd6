/* What a defence says of what it does, to who listens. */
#include "incident/inside.h"

#include <stdarg.h>
#include <stdio.h>

enum { TEXT_BYTES = 1024 };

void defence_listen(struct defence *defence, defence_say_fn *say, void *context)
{
	defence->say = say;
	defence->say_context = context;
}

/* `where` is what a line begins with. */
static void tell(const struct defence *defence, const char *where, struct defence_news news, const char *format,
		 va_list arguments)
{
	char text[TEXT_BYTES], line[TEXT_BYTES + DEFENCE_NAME_BYTES];
	vsnprintf(text, sizeof(text), format, arguments);
	snprintf(line, sizeof(line), "%s: %s", where, text);
	news.line = line;
	if (defence->say != NULL)
		defence->say(defence->say_context, defence->now, &news);
}

void defence_tell(const struct defence *defence, const struct site *site, const struct mitigation *mitigation,
		  const char *change, const char *format, ...)
{
	const struct defence_news news = {
		.site = site->name, .episode = site->episode.id, .mitigation = mitigation, .change = change};
	va_list arguments;
	va_start(arguments, format);
	tell(defence, site->name[0] != '\0' ? site->name : "(no site)", news, format, arguments);
	va_end(arguments);
}

void defence_tell_packets(const struct defence *defence, const struct packet_flood *flood, const char *change,
			  const char *format, ...)
{
	const struct defence_news news = {.site = "", .episode = flood->id, .change = change};
	va_list arguments;
	va_start(arguments, format);
	tell(defence, "packets", news, format, arguments);
	va_end(arguments);
}
