/* An automaton as bytes, and back. */
#include "match/automaton_internal.h"
#include "match/image.h"

static void arrays_of(void *object, struct image_array *ret_arrays)
{
	struct automaton *a = object;
	size_t instructions = (size_t)a->instruction_count + 1, contexts = (size_t)BEFORE_COUNT * a->class_count;
	const struct image_array arrays[] = {
		{(void **)&a->instructions, a->instruction_count * sizeof(*a->instructions)},
		{(void **)&a->starts, a->pattern_count * sizeof(*a->starts)},
		{(void **)&a->at_start, instructions * sizeof(*a->at_start)},
		{(void **)&a->places, a->place_count * sizeof(*a->places)},
		{(void **)&a->from, (contexts + 1) * sizeof(*a->from)},
		{(void **)&a->needs, instructions * sizeof(*a->needs)},
		{(void **)&a->closures, a->closure_words * sizeof(*a->closures)},
		{(void **)&a->closure_of, instructions * sizeof(*a->closure_of)},
		{(void **)&a->start_matches, contexts * sizeof(*a->start_matches)},
		{(void **)&a->class_sets, a->set_count * sizeof(*a->class_sets)},
	};
	memcpy(ret_arrays, arrays, sizeof(arrays));
}

static const struct image_kind kind = {sizeof(struct automaton), 10, arrays_of};

void automaton_write(const struct automaton *automaton, struct buffer *out)
{
	image_write(&kind, automaton, out);
}

int automaton_read(struct reader *in, struct automaton **ret_automaton)
{
	void *object;
	int r = image_read(&kind, in, &object);
	if (r != 0)
		return r;
	*ret_automaton = object;
	(*ret_automaton)->owners = 1;
	return 0;
}
