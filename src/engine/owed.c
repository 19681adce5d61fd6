/* The text is what the value's pipeline has at the node, so that rules that look through the same one share it. */
#include "engine/owed.h"

#include "engine/pipeline.h"
#include "engine/transaction.h"

struct slice owed_text(struct owed *owed)
{
	if (owed->text.ptr != NULL)
		return owed->text;
	const struct result *result = pipeline_result(owed->t, owed->value, owed->node);
	if (result == NULL)
		transaction_out_of_memory(owed->t);
	owed->text = result == NULL || result->bytes.ptr == NULL ? SLICE("") : result->bytes;
	return owed->text;
}
