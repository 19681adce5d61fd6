/* What a body looks like is told by its beginning and, for a form, by all its bytes: blanks before others change
 * nothing, but where a mark or zeros tell of an encoding. */
#include "http/sight.h"

#include "target.h"
#include <string.h>

enum { BLANKS = 3, BYTES = 4096 };

static enum sight after_blanks(struct slice body)
{
	uint8_t longer[BLANKS + BYTES] = "   ";
	memcpy(longer + BLANKS, body.ptr, body.len);
	return sight_of(slice_make(longer, BLANKS + body.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = slice_sub(slice_make(data, size), 0, BYTES);
	enum sight sight = sight_of(body);
	bool marked = body.len > 0 && (body.ptr[0] >= 0xef || memchr(body.ptr, 0, body.len < 4 ? body.len : 4) != NULL);
	if (body.len == 0 ? sight != SIGHT_NOTHING : sight > SIGHT_FORM)
		abort();
	if (sight == SIGHT_FORM && memchr(body.ptr, '=', body.len) == NULL)
		abort();
	if (body.len > 0 && sight != SIGHT_FORM && !marked && after_blanks(body) != sight)
		abort();
	return 0;
}
