/* Whatever comes as a request: who shows no cookie sees no page and orders nothing, who has no form orders nothing, and
 * what was sent stays text. */
#include "screen_visitor.h"
#include "target.h"

#include <string.h>

static bool has(const void *text, size_t len, const char *what)
{
	return memmem(text, len, what, strlen(what)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer answer = buffer_make(NULL);
	bool cookie = memchr(data, VISITOR_COOKIE, size) != NULL, form = memchr(data, VISITOR_FORM, size) != NULL;
	bool ticket = memchr(data, VISITOR_TICKET, size) != NULL;
	const struct session *person = visitor_ask(data, size, &answer);
	if (answer.len > 0 && (answer.len < 9 || memcmp(answer.ptr, "HTTP/1.", 7) != 0))
		abort();
	if (!cookie && (has(answer.ptr, answer.len, "id=\"tiles\"") || has(answer.ptr, answer.len, person->cookie)))
		abort();
	if (person->news[0] != '\0' && !(cookie && form))
		abort();
	if (has(answer.ptr, answer.len, "<zq") || has(answer.ptr, answer.len, "\nzq:") ||
	    (!ticket && has(answer.ptr, answer.len, "Set-Cookie")))
		abort();
	buffer_free(&answer);
	return 0;
}
