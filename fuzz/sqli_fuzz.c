/* @detectSQLi: the same answer twice, a fingerprint of 1 to 5 letters exactly when it is yes, no yes that was
 * impossible, and the same folded by steps, also by those that
 * another reading took. */
#include "match/sqli_step.h"
#include "match/sqli_table.h"

#include "target.h"

static void same_by_steps(struct sqli_steps *steps, struct slice value, uint8_t quote, enum sqli_dialect dialect)
{
	struct sqli_folded folded, by_steps;
	sqli_fold(value, quote, dialect, &folded);
	sqli_fold_by(steps, value, quote, dialect, &by_steps);
	if (folded.tokens_read != by_steps.tokens_read || folded.dialects_differ != by_steps.dialects_differ ||
	    strcmp(sqli_fingerprint_of(&folded).text, sqli_fingerprint_of(&by_steps).text) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sqli_fingerprint first = {.text = ""}, second = {.text = ""};
	bool found = sqli_detect(slice_make(data, size), &first);
	size_t letters = strlen(first.text);
	if (found != sqli_detect(slice_make(data, size), &second) || strcmp(first.text, second.text) != 0)
		abort();
	if (found ? letters < 1 || letters > SQLI_FINGERPRINT_MAX || size == 0 : letters != 0)
		abort();
	struct sqli_folded folded;
	sqli_fold(slice_make(data, size), 0, SQLI_MYSQL, &folded);
	if (sqli_table_holds(slice_make(data, size), &folded) && !sqli_possible(slice_make(data, size)))
		abort();
	struct sqli_steps steps;
	sqli_steps_begin(&steps);
	same_by_steps(&steps, slice_make(data, size), 0, SQLI_MYSQL);
	same_by_steps(&steps, slice_make(data, size), '\'', SQLI_ANSI);
	return 0;
}
