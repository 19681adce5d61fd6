/* @detectSQLi: the same answer twice, a fingerprint of 1 to 5 letters exactly when it is yes, no yes that was
 * impossible, and the same folded by steps. */
#include "match/sqli_step.h"
#include "match/sqli_table.h"

#include "target.h"

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
	struct sqli_folded by_steps;
	sqli_fold_by(&steps, slice_make(data, size), 0, SQLI_MYSQL, &by_steps);
	if (strcmp(sqli_fingerprint_of(&folded).text, sqli_fingerprint_of(&by_steps).text) != 0)
		abort();
	return 0;
}
