/* Which bytes of a value are in which sets, 64 at a time, and where assertions hold. */
#include "match/marker_stream.h"

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

#if defined(__x86_64__)

bool marker_is_possible(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi") &&
	       __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
}

WIDE void marker_make_together(const struct marker_value *v, const uint16_t *numbers)
{
	__m512i tables[MARKER_TOGETHER];
	uint64_t *streams[MARKER_TOGETHER];
	size_t words = v->words;
	for (size_t i = 0; i < MARKER_TOGETHER; i++) {
		tables[i] = table_of(v, numbers[i]);
		streams[i] = words_of(v, MARKER_STREAMS_OTHER + numbers[i]);
		v->room->made[numbers[i] / 64] |= (uint64_t)1 << numbers[i] % 64;
	}
	for (size_t word = 0; word < words; word++) {
		struct block block = look(v, word);
#pragma GCC unroll 8
		for (size_t i = 0; i < MARKER_TOGETHER; i++)
			streams[i][word] = members(&block, tables[i]);
	}
}

WIDE void marker_make(const struct marker_value *v, size_t number)
{
	const __m512i table = table_of(v, number);
	uint64_t *stream = words_of(v, MARKER_STREAMS_OTHER + number);
	for (size_t word = 0, words = v->words; word < words; word++) {
		struct block block = look(v, word);
		stream[word] = members(&block, table);
	}
	v->room->made[number / 64] |= (uint64_t)1 << number % 64;
}

/* A stream of a set one place later: places behind such a byte. */
WIDE static uint64_t word_behind(const uint64_t *stream, size_t word)
{
	return stream[word] << 1 | (word > 0 ? stream[word - 1] >> 63 : 0);
}

WIDE void marker_make_assertion(const struct marker_value *v, enum pattern_assertion assertion)
{
	uint64_t *out = words_of(v, MARKER_REGISTERS + assertion);
	bool of_words = assertion == PATTERN_WORD_EDGE || assertion == PATTERN_NO_WORD_EDGE;
	const uint64_t *bytes = stream_of_set(v, of_words ? v->markers->words : v->markers->newlines);
	size_t last = v->bytes.len / 64;
	uint64_t end = (uint64_t)1 << v->bytes.len % 64;
	for (size_t i = 0; i < v->words; i++) {
		uint64_t places = i < last ? UINT64_MAX : i == last ? end | (end - 1) : 0;
		uint64_t at_start = i == 0, at_end = i == last ? end : 0;
		const uint64_t holds[MARKER_ASSERTIONS] = {
			[PATTERN_SUBJECT_START] = at_start,
			[PATTERN_LINE_START] = (word_behind(bytes, i) & ~at_end) | at_start,
			[PATTERN_SUBJECT_END] = at_end,
			[PATTERN_SUBJECT_END_OR_LAST_NEWLINE] = places,
			[PATTERN_LINE_END] = bytes[i] | at_end,
			[PATTERN_WORD_EDGE] = (bytes[i] ^ word_behind(bytes, i)) & places,
			[PATTERN_NO_WORD_EDGE] = ~(bytes[i] ^ word_behind(bytes, i)) & places,
		};
		out[i] = holds[assertion];
	}
	v->room->assertions_made |= UINT32_C(1) << assertion;
}

#else

bool marker_is_possible(void)
{
	return false;
}

#endif
