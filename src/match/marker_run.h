/*
 * Programs of markers over a value. Where few words have markers, as is mostly so behind a byte or two of a pattern,
 * only these are gone over. Whoever includes this says how many words are taken at once, and by what instructions: as
 * marker_streams.h.
 */
#ifndef GUIA_MATCH_MARKER_RUN_H
#define GUIA_MATCH_MARKER_RUN_H

#include "match/marker_streams.h"

enum {
	OPS_EACH = 2, /* times an operation may be done, in the mean, before a pattern is given up */
	OPS_LEAST = 64,
	OPS_OF_VALUE = 6000, /* of all patterns */
	FEW = 8,             /* words with markers, that are gone over one by one */
	FEW_ONE_OF = 8,      /* and no more than one of so many */
};

struct reg {
	uint64_t *words;
	uint64_t *busy;
};

WIDE static inline struct reg reg_of(const struct marker_value *v, size_t number)
{
	return (struct reg){words_of(v, number), v->room->busy[number].words};
}

WIDE static inline void set_busy(struct reg r, size_t word)
{
	r.busy[word / 64] |= (uint64_t)1 << word % 64;
}

WIDE static inline size_t busy_count(const struct marker_value *v, struct reg r)
{
	size_t count = 0;
	for (size_t i = 0; i < v->busy_words; i++)
		count += (size_t)__builtin_popcountll(r.busy[i]);
	return count;
}

WIDE static void clear(const struct marker_value *v, struct reg r)
{
	if (busy_count(v, r) > v->few) {
		memset(r.words, 0, v->words * sizeof(*r.words));
		memset(r.busy, 0, v->busy_words * sizeof(*r.busy));
		return;
	}
	for (size_t i = 0; i < v->busy_words; i++) {
		for (uint64_t left = r.busy[i]; left != 0; left &= left - 1)
			r.words[i * 64 + (size_t)__builtin_ctzll(left)] = 0;
		r.busy[i] = 0;
	}
}

/* The words of a register that has few with markers. */
struct few {
	size_t count;
	uint32_t at[FEW];
	uint64_t words[FEW];
};

WIDE static inline void gather(const struct marker_value *v, struct reg r, struct few *few)
{
	few->count = 0;
	for (size_t i = 0; i < v->busy_words; i++) {
		for (uint64_t left = r.busy[i]; left != 0; left &= left - 1) {
			size_t at = i * 64 + (size_t)__builtin_ctzll(left);
			few->at[few->count] = (uint32_t)at;
			few->words[few->count++] = r.words[at];
		}
	}
}

WIDE static inline void add_word(struct reg r, size_t at, uint64_t word)
{
	if (word == 0)
		return;
	r.words[at] |= word;
	set_busy(r, at);
}

/* Keeps of the markers those that stand on their class; 0 if none does. */
WIDE static inline uint64_t gather_kept(const struct marker_value *v, struct reg from, size_t stream, struct few *few)
{
	uint64_t any = 0;
	gather(v, from, few);
	for (size_t i = 0; i < few->count; i++)
		any |= few->words[i] &= word_of(v, stream, few->at[i]);
	return any;
}

WIDE static bool take_few(const struct marker_value *v, struct reg to, struct reg from, size_t stream)
{
	struct few few;
	uint64_t any = gather_kept(v, from, stream, &few);
	clear(v, to);
	for (size_t i = 0; i < few.count; i++) {
		add_word(to, few.at[i], few.words[i] << 1);
		add_word(to, few.at[i] + 1, few.words[i] >> 63);
	}
	return any != 0;
}

WIDE static bool hold_few(const struct marker_value *v, struct reg to, struct reg from, size_t stream)
{
	struct few few;
	uint64_t any = gather_kept(v, from, stream, &few);
	clear(v, to);
	for (size_t i = 0; i < few.count; i++)
		add_word(to, few.at[i], few.words[i]);
	return any != 0;
}

WIDE static bool copy_few(const struct marker_value *v, struct reg to, struct reg from)
{
	struct few few;
	if (to.words != from.words) {
		gather(v, from, &few);
		clear(v, to);
		for (size_t i = 0; i < few.count; i++)
			add_word(to, few.at[i], few.words[i]);
	}
	return busy_count(v, to) > 0;
}

/* Whether there are new ones. */
WIDE static bool join_few(const struct marker_value *v, struct reg to, struct reg from)
{
	uint64_t new = 0;
	for (size_t i = 0; i < v->busy_words; i++) {
		for (uint64_t left = from.busy[i]; left != 0; left &= left - 1) {
			size_t at = i * 64 + (size_t)__builtin_ctzll(left);
			new |= from.words[at] & ~to.words[at];
			to.words[at] |= from.words[at];
		}
		to.busy[i] |= from.busy[i];
	}
	return new != 0;
}

/* Adding a marker to a run of ones carries it to where the run ends; what was changed is where it went. */
WIDE static void star_few(const struct marker_value *v, struct reg to, struct reg from, size_t stream)
{
	struct few few;
	gather(v, from, &few);
	copy_few(v, to, from);
	for (size_t i = 0; i < few.count; i++) {
		size_t at = few.at[i];
		unsigned long long ones = word_of(v, stream, at), sum;
		bool carries = __builtin_uaddll_overflow(few.words[i] & ones, ones, &sum);
		add_word(to, at, sum ^ ones);
		for (size_t steps = 0; carries; steps++) {
			ones = steps < FEW ? word_of(v, stream, ++at) : stream_of(v, stream)[++at];
			carries = __builtin_uaddll_overflow(ones, 1, &sum);
			add_word(to, at, sum ^ ones);
		}
	}
}

WIDE static inline lanes read_words(const uint64_t *words, size_t at)
{
	return *(const lanes *)(words + at);
}

/* Writes so many words, and which of them have markers. */
WIDE static inline void write_words(struct reg to, size_t at, lanes words)
{
	uint8_t *busy = (uint8_t *)to.busy + at / MARKER_STEP;
	unsigned have = lanes_with_any(words) << at % MARKER_STEP;
	*(lanes *)(to.words + at) = words;
	*busy = (uint8_t)(at % MARKER_STEP == 0 ? have : *busy | have);
}

WIDE static bool take_all(const struct marker_value *v, struct reg to, struct reg from, const uint64_t *stream)
{
	lanes before = {0}, any = {0};
	for (size_t i = 0, words = v->words; i < words; i += LANES) {
		lanes taken = read_words(from.words, i) & read_words(stream, i);
		write_words(to, i, taken << 1 | lanes_behind(before, taken) >> 63);
		any |= taken;
		before = taken;
	}
	return lanes_with_any(any) != 0;
}

WIDE static bool hold_all(const struct marker_value *v, struct reg to, struct reg from, const uint64_t *stream)
{
	lanes any = {0};
	for (size_t i = 0, words = v->words; i < words; i += LANES) {
		lanes held = read_words(from.words, i) & read_words(stream, i);
		write_words(to, i, held);
		any |= held;
	}
	return lanes_with_any(any) != 0;
}

WIDE static void copy_all(const struct marker_value *v, struct reg to, struct reg from)
{
	for (size_t i = 0, words = v->words; i < words; i += LANES)
		write_words(to, i, read_words(from.words, i));
}

WIDE static bool join_all(const struct marker_value *v, struct reg to, struct reg from)
{
	lanes any = {0};
	for (size_t i = 0, words = v->words; i < words; i += LANES) {
		lanes old = read_words(to.words, i), more = read_words(from.words, i);
		write_words(to, i, old | more);
		any |= more & ~old;
	}
	return lanes_with_any(any) != 0;
}

/* As star_few(); where no marker is before a byte of the set, and none is carried there, all stays as it is. */
WIDE static void star_all(const struct marker_value *v, struct reg to, struct reg from, const uint64_t *stream)
{
	unsigned char carry = 0;
	for (size_t i = 0, words = v->words; i < words; i += LANES) {
		lanes old = read_words(from.words, i), ones = read_words(stream, i);
		if (carry == 0 && lanes_with_any(old & ones) == 0) {
			write_words(to, i, old);
			continue;
		}
		unsigned long long sums[LANES];
		for (size_t k = 0; k < LANES; k++)
			carry = _addcarry_u64(carry, from.words[i + k] & stream[i + k], stream[i + k], &sums[k]);
		lanes carried;
		memcpy(&carried, sums, sizeof(carried));
		write_words(to, i, old | (carried ^ ones));
	}
}

WIDE static inline bool take(const struct marker_value *v, struct reg to, struct reg from, size_t stream)
{
	return busy_count(v, from) <= v->few ? take_few(v, to, from, stream)
					     : take_all(v, to, from, stream_of(v, stream));
}

WIDE static inline bool hold(const struct marker_value *v, struct reg to, struct reg from, size_t stream)
{
	return busy_count(v, from) <= v->few ? hold_few(v, to, from, stream)
					     : hold_all(v, to, from, stream_of(v, stream));
}

WIDE static inline bool copy(const struct marker_value *v, struct reg to, struct reg from)
{
	if (busy_count(v, from) <= v->few)
		return copy_few(v, to, from);
	copy_all(v, to, from);
	return true;
}

WIDE static inline bool join(const struct marker_value *v, struct reg to, struct reg from)
{
	return busy_count(v, from) <= v->few ? join_few(v, to, from) : join_all(v, to, from);
}

WIDE static inline void star(const struct marker_value *v, struct reg to, struct reg from, size_t stream)
{
	if (busy_count(v, from) <= v->few)
		star_few(v, to, from, stream);
	else
		star_all(v, to, from, stream_of(v, stream));
}

/* Whether a pattern may match. */
WIDE static bool run(struct marker_value *v, const struct marker_program *program)
{
	const struct marker_op *ops = v->markers->ops + program->first;
	v->program = program;
	size_t left = OPS_EACH * program->count + OPS_LEAST;
	left = left < v->ops_left ? left : v->ops_left;
	v->ops_left -= left;
	for (size_t at = 0; left > 0; left--) {
		const struct marker_op *op = &ops[at++];
		struct reg to = reg_of(v, op->to), from = reg_of(v, op->from);
		bool fails = false;
		switch ((enum marker_kind)op->kind) {
		case MARKER_TAKE:
			fails = !take(v, to, from, op->stream);
			break;
		case MARKER_STAR:
			star(v, to, from, op->stream);
			break;
		case MARKER_HOLD:
			fails = !hold(v, to, from, op->stream);
			break;
		case MARKER_CLEAR:
			clear(v, to);
			break;
		case MARKER_COPY:
			fails = !copy(v, to, from);
			break;
		case MARKER_JOIN:
			join(v, to, from);
			break;
		case MARKER_GROW:
			at = join(v, to, from) ? op->skip : at;
			break;
		case MARKER_ACCEPT:
			v->ops_left += left;
			return true;
		case MARKER_REJECT:
			v->ops_left += left;
			return false;
		}
		at = fails ? op->skip : at;
	}
	return true;
}

/* Register 0 has a marker at each place, the end of the value among them; the others have any. */
WIDE static void begin(struct marker_value *v)
{
	struct marker_room *room = v->room;
	size_t last = v->bytes.len / 64;
	uint64_t *all = words_of(v, 0);
	memset(room->made, 0, sizeof(room->made));
	room->assertions_made = 0;
	for (size_t i = 0; i < MARKER_REGISTERS; i++)
		memset(room->busy[i].words, 0xff, v->busy_words * sizeof(uint64_t));
	memset(all, 0, v->words * sizeof(*all));
	memset(all, 0xff, last * sizeof(*all));
	all[last] = UINT64_MAX >> (63 - v->bytes.len % 64);
}

/* Those that programs begin with, all at once. */
WIDE static void make_common(struct marker_value *v, const uint64_t *slots)
{
	const struct markers *m = v->markers;
	uint64_t wanted[MARKER_SETS_MOST / 64] = {0};
	uint16_t numbers[MARKER_TOGETHER];
	size_t count = 0;
	for (size_t word = 0; word <= m->slots / 64; word++) {
		for (uint64_t left = slots[word]; left != 0; left &= left - 1) {
			const struct marker_program *p = &m->programs[word * 64 + (size_t)__builtin_ctzll(left)];
			if (p->common_count > 0)
				wanted[m->commons[p->first_common] / 64] |= (uint64_t)1
									    << m->commons[p->first_common] % 64;
		}
	}
	for (size_t word = 0; word <= m->set_count / 64 && word < MARKER_SETS_MOST / 64; word++) {
		for (uint64_t left = wanted[word]; left != 0; left &= left - 1) {
			numbers[count++] = (uint16_t)(word * 64 + (size_t)__builtin_ctzll(left));
			if (count == MARKER_TOGETHER)
				make_together(v, numbers);
			count %= MARKER_TOGETHER;
		}
	}
	for (size_t i = 0; i < count; i += count - i < 4 ? 1 : 4) {
		if (count - i < 4)
			make_stream(v, numbers[i]);
		else
			make_four(v, numbers + i);
	}
}

/* As markers_narrow(), of a value that is not too long, by those of `slots` that have a program. */
WIDE static void narrow(struct marker_value *v, const uint64_t *asked, uint64_t *slots)
{
	const struct markers *m = v->markers;
	v->ops_left = OPS_OF_VALUE;
	v->words = (v->bytes.len / 64 / MARKER_STEP + 1) * MARKER_STEP;
	v->busy_words = (v->words + 63) / 64;
	v->few = v->words / FEW_ONE_OF < FEW ? v->words / FEW_ONE_OF : FEW;
	begin(v);
	make_common(v, asked);
	for (size_t word = 0; word <= m->slots / 64; word++)
		for (uint64_t left = asked[word]; left != 0; left &= left - 1)
			if (!run(v, &m->programs[word * 64 + (size_t)__builtin_ctzll(left)]))
				slots[word] &= ~(left & -left);
}

#endif
