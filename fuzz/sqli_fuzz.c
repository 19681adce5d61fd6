/* @detectSQLi: the same answer twice, a fingerprint of 1 to 5 letters exactly when it is yes, no yes that was
 * impossible, and the same folded by steps, also by those of another reading. */
#include "match/sqli_step.h"
#include "match/sqli_table.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sqli_fingerprint first = {.text = ""}, second = {.text = ""};
	struct slice value = slice_make(data, size);
	bool found = sqli_detect(value, &first);
	size_t letters = strlen(first.text);
	struct sqli_steps steps;
	sqli_steps_begin(&steps);
	if (found != sqli_detect(value, &second) || strcmp(first.text, second.text) != 0)
		abort();
	if (found ? letters < 1 || letters > SQLI_FINGERPRINT_MAX || size == 0 : letters != 0)
		abort();
	for (unsigned i = 0; i < 2; i++) {
		struct sqli_folded folded, by_steps;
		sqli_fold(value, i == 0 ? 0 : '\'', SQLI_MYSQL, &folded);
		sqli_fold_by(&steps, value, i == 0 ? 0 : '\'', SQLI_MYSQL, &by_steps);
		if (folded.tokens_read != by_steps.tokens_read ||
		    strcmp(sqli_fingerprint_of(&folded).text, sqli_fingerprint_of(&by_steps).text) != 0 ||
		    (sqli_table_holds(value, &folded) && !sqli_possible(value)))
			abort();
	}
	return 0;
}
