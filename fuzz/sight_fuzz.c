/* What a body looks like is told by its bytes alone: as often as asked, and with blanks before what is not a form. */
#include "http/sight.h"

#include "target.h"
#include <string.h>

enum { BLANKS = 3 };

static enum sight after_blanks(const uint8_t *data, size_t size)
{
	uint8_t *longer = malloc(size + BLANKS);
	if (longer == NULL)
		return sight_of(slice_make(data, size));
	memset(longer, ' ', BLANKS);
	if (size > 0)
		memcpy(longer + BLANKS, data, size);
	enum sight sight = sight_of(slice_make(longer, size + BLANKS));
	free(longer);
	return sight;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum sight sight = sight_of(slice_make(data, size));
	if (sight > SIGHT_FORM || (size == 0 && sight != SIGHT_NOTHING))
		abort();
	if (sight == SIGHT_FORM && memchr(data, '=', size) == NULL)
		abort();
	if (sight != SIGHT_FORM && after_blanks(data, size) != sight)
		abort();
	return 0;
}
