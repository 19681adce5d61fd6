/*
 * A beam over conjunctions: each round adds one item to the most promising of the round before. What promises is how
 * much of the attack is covered, less by how many quiet requests are hit; what is taken must be proved on the other
 * half of the quiet sample.
 */
#include "traffic/search_inside.h"

#include "base/error.h"
#include "base/hash.h"

#include <math.h>
#include <stdlib.h>

enum {
	BEAM = 64,
	PROOFS = 16, /* conjunctions a round may try to prove: of very many some would seem harmless by luck */
	SAMPLE_MOST = 1 << 30,
};

static const double ENOUGH = 0.98;     /* covered: no need to look on */
static const double TERM_PRICE = 0.01; /* coverage that one term more must be worth */
static const double HIT_PRICE = 0.05;  /* coverage that hitting as many as may be must be worth */
static const double GAIN_LEAST = 0.03; /* that another conjunction must cover besides */
/* Of a conjunction: where no less can be shown; what it keeps of what it covers; and what tells nothing. */
static const double NARROW_ABOVE = 0.0011;
static const double NARROW_KEEPS = 0.995;
static const double NARROW_MOST = 0.9;

struct state {
	unsigned count;
	uint8_t item[SIGNATURE_TERMS];
	uint64_t mask[2]; /* of items */
	uint64_t sum;     /* of its bits of the attack and of the half that trains: equal for what does the same */
	double coverage;  /* with all that was taken before */
	double train;     /* share */
	double rank;
	uint64_t *bits;
};

struct beam {
	size_t count;
	struct state states[BEAM];
};

/* ---- the beam ---- */

static void bits_and(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t words)
{
	for (size_t i = 0; i < words; i++)
		out[i] = a[i] & b[i];
}

static void bits_or(uint64_t *out, const uint64_t *more, size_t words)
{
	for (size_t i = 0; i < words; i++)
		out[i] |= more[i];
}

/* Coverage and quiet hits of a state's bits together with what was taken before. */
static void weigh(const struct search *search, const uint64_t *taken, struct state *state)
{
	size_t hits[PARTS] = {0};
	state->sum = 0;
	for (enum part part = PART_ATTACK; part <= PART_TRAIN; part++)
		for (size_t i = search->at[part]; i < search->at[part] + search->words[part]; i++) {
			uint64_t bits = state->bits[i] | taken[i];
			hits[part] += (size_t)__builtin_popcountll(bits);
			state->sum = (state->sum ^ bits) * 0x9e3779b97f4a7c15u;
			state->sum ^= state->sum >> 29;
		}
	state->coverage = coverage_of(search, hits[PART_ATTACK], hits[PART_TRAIN]);
	state->train = (double)hits[PART_TRAIN] / (double)search->count[PART_TRAIN];
	double too_many = state->train / search->question->collateral_most;
	state->rank = state->coverage * (1 - 0.15 * log10(fmax(too_many, 1)));
}

/* Or what does the same by other items: a method and a header may always come together. */
static bool in_beam(const struct beam *beam, const struct state *state)
{
	for (size_t i = 0; i < beam->count; i++)
		if (beam->states[i].sum == state->sum)
			return true;
	return false;
}

/* Takes the place of the least in a full beam; the bits are copied. */
static void beam_offer(const struct search *search, struct beam *beam, const struct state *state)
{
	size_t place = beam->count;
	if (beam->count == BEAM) {
		place = 0;
		for (size_t i = 1; i < BEAM; i++)
			if (beam->states[i].rank < beam->states[place].rank)
				place = i;
		if (beam->states[place].rank >= state->rank)
			return;
	}
	if (in_beam(beam, state))
		return;
	uint64_t *bits = beam->states[place].bits;
	beam->count += place == beam->count;
	beam->states[place] = *state;
	beam->states[place].bits = bits;
	memcpy(bits, state->bits, search->row * sizeof(*bits));
}

static void extend(const struct search *search, const struct beam *from, const uint64_t *taken, uint64_t *work,
		   struct beam *to)
{
	to->count = 0;
	for (size_t i = 0; i < from->count; i++) {
		for (size_t number = 0; number < search->item_count; number++) {
			struct state state = from->states[i];
			if ((state.mask[number / 64] >> number % 64 & 1) != 0)
				continue;
			state.mask[number / 64] |= (uint64_t)1 << number % 64;
			state.item[state.count++] = (uint8_t)number;
			state.bits = work;
			bits_and(work, from->states[i].bits, search->items[number].bits, search->row);
			weigh(search, taken, &state);
			beam_offer(search, to, &state);
		}
	}
}

static enum ground ground_of(const struct search *search, const struct state *state)
{
	enum ground ground = GROUND_NONE;
	for (unsigned i = 0; i < state->count; i++) {
		const struct item *item = &search->items[state->item[i]];
		if (item->tells)
			return GROUND_TELL;
		if (item->term.test == SIGNATURE_FROM)
			ground = GROUND_PREFIXES;
	}
	return ground;
}

static int by_coverage(const void *a, const void *b)
{
	const struct state *x = a, *y = b;
	double more = y->coverage - x->coverage - (y->train - x->train) * 10;
	return (more > 0) - (more < 0);
}

/*
 * Of a round, by coverage, what is proved together with what was taken; *ret_best has count 0 if nothing is. Of those
 * that cover about as much the one that hits fewest: it leaves more for another conjunction.
 */
static int take_proved(const struct search *search, struct beam *beam, const uint64_t *taken, uint64_t *work,
		       enum ground before, double least, struct state *ret_best, double *ret_collateral)
{
	unsigned proofs = 0;
	double best = -1;
	ret_best->count = 0;
	qsort(beam->states, beam->count, sizeof(*beam->states), by_coverage);
	for (size_t i = 0; i < beam->count && proofs < PROOFS; i++) {
		const struct state *state = &beam->states[i];
		enum ground own = ground_of(search, state), ground = own < before ? own : before;
		bool holds;
		double collateral;
		if (ground == GROUND_NONE || state->coverage < least ||
		    state->train > search->question->collateral_most)
			continue;
		proofs++;
		memcpy(work, taken, search->row * sizeof(*work));
		bits_or(work, state->bits, search->row);
		int r = proof_holds(search, work, ground, &holds, &collateral);
		if (r != 0)
			return r;
		double worth = state->coverage - HIT_PRICE * collateral / search->question->collateral_most;
		if (holds && worth > best) {
			best = worth;
			*ret_best = *state;
			*ret_collateral = collateral;
		}
	}
	return 0;
}

/* ---- conjunctions ---- */

struct workspace {
	struct beam beams[2];
	uint64_t *bits;  /* of the beams' states */
	uint64_t *taken; /* what the conjunctions so far match */
	uint64_t *work;
	uint64_t *best; /* the best state's */
};

static int workspace_make(const struct search *search, struct workspace *w)
{
	size_t rows = 2 * BEAM + 3;
	memset(w, 0, sizeof(*w));
	w->bits = calloc(rows * search->row, sizeof(*w->bits));
	if (w->bits == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < 2 * BEAM; i++)
		w->beams[i / BEAM].states[i % BEAM].bits = w->bits + i * search->row;
	w->taken = w->bits + 2 * BEAM * search->row;
	w->work = w->taken + search->row;
	w->best = w->work + search->row;
	return 0;
}

static void begin(const struct search *search, struct workspace *w)
{
	struct beam *first = &w->beams[0];
	first->count = 1;
	first->states[0] = (struct state){.bits = first->states[0].bits};
	memset(first->states[0].bits, 0xff, search->row * sizeof(uint64_t));
}

/* The conjunction that covers most besides what is taken already; its count is 0 if there is none worth it. */
static int find_one(const struct search *search, struct workspace *w, enum ground before, double least,
		    struct state *ret_best, double *ret_collateral)
{
	struct state best = {0};
	begin(search, w);
	for (unsigned terms = 1; terms <= SIGNATURE_TERMS && best.coverage < ENOUGH; terms++) {
		struct beam *from = &w->beams[(terms - 1) % 2], *to = &w->beams[terms % 2];
		struct state found;
		double collateral;
		extend(search, from, w->taken, w->work, to);
		double wanted = best.count == 0 ? least : best.coverage + TERM_PRICE;
		int r = take_proved(search, to, w->taken, w->work, before, wanted, &found, &collateral);
		if (r != 0)
			return r;
		if (found.count == 0)
			continue;
		best = found;
		memcpy(w->best, found.bits, search->row * sizeof(*w->best));
		*ret_collateral = collateral;
	}
	*ret_best = best;
	return 0;
}

/* The item not yet in it that hits fewest quiet requests, of those that nearly all it covers has; NULL: there is none.
 */
static const struct item *narrowest(const struct search *search, const struct state *state, const uint64_t *bits,
				    size_t least, uint64_t *work)
{
	const struct item *best = NULL;
	for (size_t i = 0; i < search->item_count; i++) {
		const struct item *item = &search->items[i];
		if ((state->mask[i / 64] >> i % 64 & 1) != 0 || item->quiet > NARROW_MOST ||
		    (best != NULL && best->quiet <= item->quiet))
			continue;
		bits_and(work, bits, item->bits, search->row);
		if (bits_count(work + search->at[PART_ATTACK], search->words[PART_ATTACK]) >= least)
			best = item;
	}
	return best;
}

/*
 * Where too few visitors are known to show that hardly any is hit, whatever all of the attack has in common besides
 * makes it fewer.
 */
static void narrow(const struct search *search, struct workspace *w, struct state *state)
{
	const struct item *item;
	uint64_t *attack = w->best + search->at[PART_ATTACK];
	size_t least = (size_t)(NARROW_KEEPS * (double)bits_count(attack, search->words[PART_ATTACK]));
	while (state->count < SIGNATURE_TERMS && (item = narrowest(search, state, w->best, least, w->work)) != NULL) {
		size_t number = (size_t)(item - search->items);
		state->mask[number / 64] |= (uint64_t)1 << number % 64;
		state->item[state->count++] = (uint8_t)number;
		bits_and(w->best, w->best, item->bits, search->row);
		state->bits = w->best;
		weigh(search, w->taken, state);
	}
}

static void add_conjunction(struct search *search, const struct state *state)
{
	struct signature *signature = &search->signature;
	struct signature_conjunction *conjunction = &signature->conjunction[signature->count++];
	conjunction->count = state->count;
	for (unsigned i = 0; i < state->count; i++)
		conjunction->term[i] = search->items[state->item[i]].term;
	signature->coverage = state->coverage;
}

static int find_all(struct search *search, struct workspace *w)
{
	enum ground ground = GROUND_TELL;
	while (search->signature.count < SIGNATURE_CONJUNCTIONS && search->signature.coverage < ENOUGH) {
		struct state best;
		double collateral = 0, least = search->signature.coverage + GAIN_LEAST;
		int r = find_one(search, w, ground, least, &best, &collateral);
		if (r != 0)
			return r;
		if (best.count == 0)
			break;
		if (search->question->collateral_most > NARROW_ABOVE)
			narrow(search, w, &best);
		add_conjunction(search, &best);
		search->signature.collateral = collateral;
		enum ground own = ground_of(search, &best);
		ground = own < ground ? own : ground;
		bits_or(w->taken, w->best, search->row);
	}
	return search->signature.count > 0 && search->signature.coverage >= search->question->coverage_least
		       ? 0
		       : SIGNATURE_NONE;
}

/* What no term asks for need not be carried about. */
static void drop_unused(struct signature *signature)
{
	bool known[SIGNATURE_FIELDS] = {false}, listed[SIGNATURE_FIELDS] = {false}, from = false;
	for (unsigned i = 0; i < signature->count; i++)
		for (unsigned at = 0; at < signature->conjunction[i].count; at++) {
			const struct signature_term *term = &signature->conjunction[i].term[at];
			known[term->field] |= term->test == SIGNATURE_UNKNOWN;
			listed[term->field] |= term->test == SIGNATURE_ONE_OF;
			from |= term->test == SIGNATURE_FROM;
		}
	signature->prefixes = from ? signature->prefixes : 0;
	for (unsigned field = 0; field < SIGNATURE_FIELDS; field++) {
		if (!known[field])
			signature_values_free(&signature->known[field]);
		if (!listed[field])
			signature_values_free(&signature->listed[field]);
	}
}

/* Which half of the quiet sample a source is in. */
static enum part half_of(const struct address *source)
{
	static const struct hash_key key = {21, 22};
	return hash_words(&key, address_high(source), address_low(source)) % 2 == 0 ? PART_TRAIN : PART_PROOF;
}

static int lay_out(struct search *search)
{
	const struct signature_question *question = search->question;
	size_t quiet = question->quiet.count + question->elsewhere.count;
	size_t most = question->attack.count > quiet ? question->attack.count : quiet;
	for (enum part part = 0; part < PARTS; part++)
		if ((search->requests[part] = malloc((most + 1) * sizeof(uint32_t))) == NULL)
			return -ENOMEM;
	for (size_t i = 0; i < question->attack.count; i++)
		search->requests[PART_ATTACK][search->count[PART_ATTACK]++] = (uint32_t)i;
	for (size_t i = 0; i < quiet; i++) {
		const struct signature_request *request =
			i < question->quiet.count ? &question->quiet.requests[i]
						  : &question->elsewhere.requests[i - question->quiet.count];
		enum part part = half_of(&request->source);
		search->requests[part][search->count[part]++] = (uint32_t)i;
		search->regular_seen += part == PART_PROOF && request->regular;
	}
	for (enum part part = 0; part < PARTS; part++) {
		search->words[part] = (search->count[part] + 63) / 64;
		search->at[part] = search->row;
		search->row += search->words[part];
	}
	return search->count[PART_TRAIN] == 0 || search->count[PART_PROOF] == 0 ? SIGNATURE_NONE : 0;
}

static int search_run(struct search *search, struct workspace *w)
{
	int r = lay_out(search);
	if (r != 0)
		return r;
	search->bits = calloc(ITEMS_MOST * search->row, sizeof(*search->bits));
	if (search->bits == NULL)
		return -ENOMEM;
	r = items_find(search);
	if (r == 0)
		r = workspace_make(search, w);
	return r == 0 ? find_all(search, w) : r;
}

int signature_search(const struct signature_question *question, struct signature *ret_signature)
{
	if (question->attack.count == 0 || question->attack.count > SAMPLE_MOST ||
	    question->quiet.count > SAMPLE_MOST || question->elsewhere.count > SAMPLE_MOST ||
	    !(question->normal_share >= 0 && question->normal_share < 1))
		return SIGNATURE_NONE;
	struct search *search = calloc(1, sizeof(*search));
	struct workspace *w = calloc(1, sizeof(*w));
	int r = -ENOMEM;
	if (search != NULL && w != NULL) {
		search->question = question;
		r = search_run(search, w);
		drop_unused(&search->signature);
		r = r == 0 ? known_complete(search) : r;
		if (r == 0)
			*ret_signature = search->signature;
		else
			signature_free(&search->signature);
		for (enum part part = 0; part < PARTS; part++)
			free(search->requests[part]);
		for (enum signature_field field = 0; field < SIGNATURE_FIELDS; field++)
			signature_values_free(&search->lonely[field]);
		free(search->bits);
		free(w->bits);
	}
	free(search);
	free(w);
	return r;
}
