/* An image of signatures with anything in it behind its head, sealed: it is refused, or it can be asked anything. */
#include "limit/signature_image.h"
#include "limit/signature_record.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image_head head = signature_image_head;
	struct buffer bytes = buffer_make(NULL);
	struct signature_image *image;
	enum image_fault fault;
	head.length = sizeof(head) + size;
	buffer_add(&bytes, slice_make(&head, sizeof(head)));
	buffer_add(&bytes, slice_make(data, size));
	image_seal(bytes.ptr, bytes.len);
	if (signature_image_open(&bytes, head.version.boot, &image, &fault) == 0) {
		const struct signature_request request = {.present = 5};
		for (size_t i = 0; i < image->rule_count; i++) {
			uint64_t rules = signature_image_rules_of(image, image->rules[i].site);
			(rules >> i & 1) == 0 || image->rules[i].signature.count == 0 ? abort() : (void)0;
			(void)signature_image_match(image, rules, &request, 0);
		}
		for (size_t i = 0; i < image->mode_count; i++)
			(void)site_mode_is_home(&image->modes[i], &request.source);
		signature_image_free(image);
	}
	buffer_free(&bytes);
	return 0;
}
