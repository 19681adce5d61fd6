/* Streams of bits over values, and which form of the programs of markers a machine can take. */
#include "match/marker_form.h"

#include "base/error.h"

#include <stdlib.h>

int marker_room_create(struct marker_room **ret_room)
{
	struct marker_room *room = calloc(1, sizeof(*room));
	if (room == NULL)
		return -ENOMEM;
	*ret_room = room;
	return 0;
}

void marker_room_free(struct marker_room *room)
{
	if (room == NULL)
		return;
	free(room->words);
	free(room);
}

int marker_room_fit(struct marker_room *room, const struct markers *markers)
{
	size_t sets = markers->set_count;
	if (!marker_is_possible() || sets <= room->sets)
		return 0;
	uint64_t *words = aligned_alloc(MARKER_STEP * sizeof(*words),
					(MARKER_STREAMS_OTHER + sets) * MARKER_WORDS_MOST * sizeof(*words));
	if (words == NULL)
		return -ENOMEM;
	free(room->words);
	room->words = words;
	room->sets = sets;
	return 0;
}

bool marker_form_is_possible(enum marker_form form)
{
#if defined(__x86_64__)
	if (!__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("popcnt"))
		return false;
	return form == MARKER_BY_8 ? __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi")
				   : __builtin_cpu_supports("avx2");
#else
	(void)form;
	return false;
#endif
}

bool marker_is_possible(void)
{
	return marker_form_is_possible(MARKER_BY_8) || marker_form_is_possible(MARKER_BY_4);
}

/* Leaves those slots that have a program. False: none. */
static bool with_programs(const struct markers *m, const uint64_t *slots, uint64_t *ret_slots)
{
	uint64_t any = 0;
	for (size_t word = 0; word <= m->slots / 64; word++)
		any |= ret_slots[word] = slots[word] & m->has_program[word];
	return any != 0;
}

void markers_narrow_by(enum marker_form form, const struct markers *m, struct marker_room *room, struct slice value,
		       bool lowered, uint64_t *slots)
{
	struct marker_value v = {.markers = m, .room = room, .bytes = value, .lowered = lowered};
	uint64_t asked[MARKER_SLOTS_MOST / 64];
	if (value.len > MARKER_BYTES_MOST || !marker_form_is_possible(form) || !with_programs(m, slots, asked))
		return;
	if (form == MARKER_BY_8)
		markers_narrow_by_8(&v, asked, slots);
	else
		markers_narrow_by_4(&v, asked, slots);
}

void markers_narrow(const struct markers *m, struct marker_room *room, struct slice value, bool lowered,
		    uint64_t *slots)
{
	markers_narrow_by(marker_form_is_possible(MARKER_BY_8) ? MARKER_BY_8 : MARKER_BY_4, m, room, value, lowered,
			  slots);
}
