/*
 * Which bytes of a value are in which sets, 64 at a time, and where assertions hold. Whoever includes this has these
 * before: WIDE, what the functions are made for; LANES and `lanes`, the words that are taken at once; lanes_with_any(),
 * a bit for each that is not 0; lanes_behind(), each word's place taken by the one before it; `struct block` and
 * look(), 64 bytes; `struct table` and table_of(), a set; members(), which of the bytes are in it; look_whole() and
 * members_whole(), the same where the value fills the word.
 */
#ifndef GUIA_MATCH_MARKER_STREAMS_H
#define GUIA_MATCH_MARKER_STREAMS_H

#include "match/marker_form.h"

WIDE static inline uint64_t *words_of(const struct marker_value *v, size_t number)
{
	return v->room->words + number * v->words;
}

/* Words behind the value's end have no byte of any set. */
WIDE static inline void end_stream(const struct marker_value *v, uint64_t *stream, const struct table *table)
{
	size_t whole = v->bytes.len / 64;
	struct block block = look(v, whole);
	stream[whole] = members(&block, table);
	memset(stream + whole + 1, 0, (v->words - whole - 1) * sizeof(*stream));
}

WIDE static inline __attribute__((always_inline)) void make_streams(const struct marker_value *v,
								    const uint16_t *numbers, size_t count)
{
	struct table tables[MARKER_TOGETHER];
	uint64_t *streams[MARKER_TOGETHER];
	for (size_t i = 0; i < count; i++) {
		tables[i] = table_of(v, numbers[i]);
		streams[i] = words_of(v, MARKER_STREAMS_OTHER + numbers[i]);
		v->room->made[numbers[i] / 64] |= (uint64_t)1 << numbers[i] % 64;
	}
	for (size_t word = 0, whole = v->bytes.len / 64; word < whole; word++) {
		struct block block = look_whole(v, word);
#pragma GCC unroll 8
		for (size_t i = 0; i < count; i++)
			streams[i][word] = members_whole(&block, &tables[i]);
	}
	for (size_t i = 0; i < count; i++)
		end_stream(v, streams[i], &tables[i]);
}

WIDE static void make_together(const struct marker_value *v, const uint16_t *numbers)
{
	make_streams(v, numbers, MARKER_TOGETHER);
}

WIDE static void make_four(const struct marker_value *v, const uint16_t *numbers)
{
	make_streams(v, numbers, 4);
}

WIDE static void make_stream(const struct marker_value *v, uint16_t number)
{
	make_streams(v, &number, 1);
}

WIDE static inline bool is_made(const struct marker_value *v, size_t number)
{
	return (v->room->made[number / 64] >> number % 64 & 1) != 0;
}

/*
 * That of a set, and of those that the program will ask for behind it if it gets so far: they cost less together, and
 * most programs do not get far.
 */
WIDE static void make_and_ahead(const struct marker_value *v, uint16_t number)
{
	const uint16_t *commons = v->markers->commons + v->program->first_common;
	uint16_t numbers[4] = {number};
	size_t count = 1, at = 0;
	while (at < v->program->common_count && commons[at] != number)
		at++;
	for (size_t i = at + 1; i < v->program->common_count && count < 4; i++)
		if (!is_made(v, commons[i]))
			numbers[count++] = commons[i];
	if (count == 4)
		make_four(v, numbers);
	else
		make_stream(v, number);
}

WIDE static inline const uint64_t *stream_of_set(const struct marker_value *v, size_t number)
{
	if (!is_made(v, number))
		make_and_ahead(v, (uint16_t)number);
	return words_of(v, MARKER_STREAMS_OTHER + number);
}

/* A stream of a set one place later: places behind such a byte. */
WIDE static uint64_t word_behind(const uint64_t *stream, size_t word)
{
	return stream[word] << 1 | (word > 0 ? stream[word - 1] >> 63 : 0);
}

WIDE static void make_assertion(const struct marker_value *v, enum pattern_assertion assertion)
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

/* That of a set or, behind those of sets, an assertion. */
WIDE static inline const uint64_t *stream_of(const struct marker_value *v, size_t number)
{
	if (number < MARKER_SETS_MOST)
		return stream_of_set(v, number);
	size_t assertion = number - MARKER_SETS_MOST;
	const uint64_t *out = words_of(v, MARKER_REGISTERS + assertion);
	if ((v->room->assertions_made >> assertion & 1) == 0)
		make_assertion(v, (enum pattern_assertion)assertion);
	return out;
}

/* One word of it, which need not be made for that. */
WIDE static inline uint64_t word_of(const struct marker_value *v, size_t number, size_t word)
{
	if (number >= MARKER_SETS_MOST)
		return stream_of(v, number)[word];
	if (is_made(v, number))
		return words_of(v, MARKER_STREAMS_OTHER + number)[word];
	const struct table table = table_of(v, number);
	struct block block = look(v, word);
	return members(&block, &table);
}

#endif
