/* What is read of a bundle that came from elsewhere: a manifest, a parcel of messages, a plan. */
#include "bundle/bag.h"
#include "bundle/export_plan.h"
#include "evidence/body_read.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct export_plan plan;
	struct slice bytes = slice_make(data, size);
	struct reader manifest = reader_make(bytes), parcel = manifest;
	struct bag_line line;
	struct body body;
	while (bag_line_next(&manifest, &line))
		if (!bag_path_valid(slice_from_string(line.path)))
			abort();
	while (body_next(&parcel, &body))
		if (body.message.len > size)
			abort();
	if (export_plan_read(bytes, &plan) && plan.epoch_count > PLAN_EPOCHS_MOST)
		abort();
	export_plan_free(&plan);
	return 0;
}
