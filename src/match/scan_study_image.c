/* A study as notes, and back: how long it is, the study, and its automaton. */
#include "base/error.h"
#include "match/image.h"
#include "match/scan_study.h"

static void arrays_of(void *object, struct image_array *ret_arrays)
{
	struct scan_study *s = object;
	const struct image_array arrays[] = {
		{(void **)&s->factors.items, s->factors.count * sizeof(*s->factors.items)},
		{(void **)&s->second.items, s->second.count * sizeof(*s->second.items)},
		{(void **)&s->reaches, s->factors.count > 0 ? sizeof(*s->reaches) : 0},
	};
	memcpy(ret_arrays, arrays, sizeof(arrays));
}

static const struct image_kind kind = {sizeof(struct scan_study), 3, arrays_of};

void scan_study_write(const struct scan_study *study, struct buffer *out)
{
	uint64_t len = 0;
	size_t at = out->len;
	buffer_add(out, slice_make(&len, sizeof(len)));
	image_write(&kind, study, out);
	if (!study->is_unfit)
		automaton_write(study->alone, out);
	if (out->error != 0)
		return;
	len = out->len - at - sizeof(len);
	memcpy(out->ptr + at, &len, sizeof(len));
}

int scan_study_take(struct reader *in, struct reader *ret_note)
{
	uint64_t len;
	struct slice start = reader_take(in, sizeof(len));
	if (in->overrun)
		return -EBADMSG;
	memcpy(&len, start.ptr, sizeof(len));
	*ret_note = reader_make(reader_take(in, len));
	return in->overrun ? -EBADMSG : 0;
}

int scan_study_read(struct reader *note, struct scan_study **ret_study)
{
	void *object;
	int r = image_read(&kind, note, &object);
	if (r != 0)
		return r;
	struct scan_study *study = object;
	study->text.ptr = NULL;
	study->pattern = (struct pattern){0};
	study->alone = NULL;
	memset(study->grams, 0, sizeof(study->grams));
	study->next = NULL;
	if (!study->is_unfit)
		r = automaton_read(note, &study->alone);
	if (r != 0) {
		scan_study_free(study);
		return r;
	}
	*ret_study = study;
	return 0;
}
