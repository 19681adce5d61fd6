/*
 * A level of the tree at a time: its fork tells, a bit a node, who sees the bytes as they are and who what each
 * transformation makes of them, which is made once. Bytes lie in the level's own buffers while the levels behind it are
 * asked. An empty value has a table of its own, as it is the most frequent.
 */
#include "engine/asking.h"

#include "engine/asking_form.h"
#include "engine/profile.h"

#include <errno.h>
#include <stdlib.h>

enum { KINDS_MAX_BYTES = 1024 /* of a longer value the transformations find out by themselves */ };

static uint32_t kinds_of(struct slice bytes)
{
	return bytes.len <= KINDS_MAX_BYTES ? byte_kinds(bytes) : BYTES_ANY;
}

/* Where a level of the tree keeps its bytes: those of long values are borrowed. NULL: no memory. */
static uint8_t *level_buffer(struct worker *worker, unsigned level, unsigned number, size_t bytes)
{
	if (bytes <= WORKER_LEVEL_BYTES)
		return worker->level_room.ptr + ((size_t)level * WORKER_LEVEL_BUFFERS + number) * WORKER_LEVEL_BYTES;
	struct worker_buffer *buffer = &worker->levels[level][number];
	if (buffer->capacity < bytes) {
		if (buffer->ptr != NULL)
			arena_reserve_return(worker->reserve, buffer->ptr);
		*buffer = (struct worker_buffer){0};
		buffer->ptr = arena_reserve_borrow(worker->reserve, bytes, &buffer->capacity);
		worker->levels_borrow = true;
	}
	return buffer->ptr;
}

static void return_buffers(struct worker *worker)
{
	for (size_t i = 0; i < WORKER_LEVELS && worker->levels_borrow; i++)
		for (size_t k = 0; k < WORKER_LEVEL_BUFFERS; k++)
			if (worker->levels[i][k].ptr != NULL)
				arena_reserve_return(worker->reserve, worker->levels[i][k].ptr);
	if (worker->levels_borrow)
		memset(worker->levels, 0, sizeof(worker->levels));
	worker->levels_borrow = false;
}

/* What the transformations make of the bytes at one level. */
struct fork {
	uint32_t kinds;                    /* of the bytes */
	uint64_t same;                     /* nodes that leave the bytes as they are */
	uint64_t changed[TRANSFORM_COUNT]; /* by transformation: the nodes that change them, all in the same way */
	uint64_t transforms;               /* that do */
	uint64_t tried;                    /* transformations known to change nothing */
	struct slice outs[WORKER_LEVEL_BUFFERS]; /* what the first of those that change make of the bytes */
	uint8_t transform_of[WORKER_LEVEL_BUFFERS];
	unsigned out_count;
};

static int apply(struct asking *a, unsigned level, unsigned number, enum transform transform, struct slice bytes,
		 struct slice *ret_bytes)
{
	struct transform_context context = {.unicode_map = a->t->ruleset->settings.unicode_map};
	size_t len;
	uint8_t *out = level_buffer(a->t->worker, level, number, transform_bound(transform, bytes.len) + 1);
	if (out == NULL)
		return -ENOMEM;
	if (!transform_apply(transform, &context, bytes, out, &len))
		return 0;
	*ret_bytes = slice_make(out, len);
	return 1;
}

/* What is left of the buffers once all are taken is one to try in. */
static int try_transform(struct asking *a, unsigned level, enum transform transform, struct slice bytes,
			 struct fork *fork)
{
	unsigned number = fork->out_count;
	struct slice out;
	int r = apply(a, level, number, transform, bytes, &out);
	if (r <= 0 || number + 1 == WORKER_LEVEL_BUFFERS)
		return r;
	fork->outs[number] = out;
	fork->transform_of[number] = (uint8_t)transform;
	fork->out_count++;
	return r;
}

/* The same bytes are made once: of most values cmdLine makes what lowercase does. */
static enum transform making_of(unsigned transform, const struct fork *fork)
{
	return transform_lowers((enum transform)transform, fork->kinds) ? TRANSFORM_LOWERCASE
									: (enum transform)transform;
}

static void add_changed(struct fork *fork, enum transform making, uint64_t nodes)
{
	uint64_t bit = (uint64_t)1 << making;
	fork->changed[making] = (fork->transforms & bit) == 0 ? nodes : fork->changed[making] | nodes;
	fork->transforms |= bit;
}

static int try_node(struct asking *a, unsigned level, size_t index, struct slice bytes, struct fork *fork)
{
	const struct probe_node *node = &a->set->nodes[index];
	enum transform making = making_of(node->transform, fork);
	uint64_t bit = (uint64_t)1 << index;
	uint64_t transform = (uint64_t)1 << making;
	if ((fork->tried & transform) != 0 || (bytes.len > 0 && (node->triggers & fork->kinds) == 0)) {
		fork->same |= bit;
		return 0;
	}
	int r;
	if ((fork->transforms & transform) != 0)
		r = 1;
	else if (bytes.len > ASKING_CONFIRMED_MAX_BYTES && (a->set->lowered_unread & bit) != 0)
		r = transform_lowercase_changes(bytes);
	else
		r = try_transform(a, level, making, bytes, fork);
	if (r < 0)
		return r;
	if (r == 0) {
		fork->tried |= transform;
		fork->same |= bit;
		return 0;
	}
	add_changed(fork, making, bit);
	return 0;
}

/* The number of what a transformation made, out_count if it is not kept. */
static unsigned number_of_out(const struct fork *fork, enum transform transform)
{
	unsigned number = 0;
	while (number < fork->out_count && fork->transform_of[number] != transform)
		number++;
	return number;
}

/* Whether a transformation changes the bytes: as for try_transform(). */
static int try_use(struct asking *a, const struct probe_use *use, enum transform making, struct slice bytes,
		   struct fork *fork)
{
	if ((fork->transforms >> making & 1) != 0 || number_of_out(fork, making) < fork->out_count)
		return 1;
	if ((fork->tried >> making & 1) != 0)
		return 0;
	bool unread = bytes.len > ASKING_CONFIRMED_MAX_BYTES && (use->at & ~a->set->lowered_unread) == 0;
	int r = unread ? transform_lowercase_changes(bytes) : try_transform(a, 0, making, bytes, fork);
	fork->tried |= (uint64_t)(r == 0) << making;
	return r;
}

/*
 * The same of the value as it came, behind which are all nodes: transformation by transformation, not node by node.
 * What was tried and made of it for one set need not be so for the next.
 */
static int fork_value(struct asking *a, struct slice bytes, struct fork *fork)
{
	const struct probe_set *set = a->set;
	uint64_t all = asking_matter(set, bytes.len, fork->kinds)->at_first;
	all = probe_nodes_dotted(set, bytes, fork->kinds, all);
	uint64_t others = 0, behind = 0; /* nodes that see others' bytes; of these those behind a change */
	fork->transforms = 0;
	for (size_t i = 0; i < set->use_count; i++) {
		const struct probe_use *use = &set->uses[i];
		if ((use->at & all & ~behind) == 0 || (bytes.len > 0 && (use->triggers & fork->kinds) == 0))
			continue;
		enum transform making = making_of(use->transform, fork);
		int r = try_use(a, use, making, bytes, fork);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		add_changed(fork, making, use->at & all);
		others |= use->at | use->behind;
		behind |= use->behind;
	}
	fork->same = (all & ~others) | 1;
	for (uint64_t left = fork->transforms; left != 0; left &= left - 1) {
		uint64_t *changed = &fork->changed[__builtin_ctzll(left)];
		*changed &= ~behind;
		fork->transforms &= *changed != 0 ? UINT64_MAX : ~(left & -left);
	}
	return 0;
}

/* Nodes behind `nodes` that see the same bytes, of these kinds, and what the others make of them. */
static int fork_level(struct asking *a, unsigned level, struct slice bytes, uint32_t kinds, uint64_t nodes,
		      struct fork *fork)
{
	uint64_t all = asking_matter(a->set, bytes.len, kinds)->behind;
	int r = 0;
	fork->kinds = kinds;
	fork->same = nodes;
	fork->transforms = fork->tried = 0;
	fork->out_count = 0;
	uint64_t behind = 0;
	for (uint64_t left = nodes; left != 0; left &= left - 1)
		behind |= a->set->nodes[__builtin_ctzll(left)].behind;
	all = probe_nodes_dotted(a->set, bytes, kinds, all & behind & ~nodes);
	for (uint64_t left = all; left != 0 && r == 0; left &= left - 1) {
		size_t i = (size_t)__builtin_ctzll(left);
		if ((fork->same >> a->set->nodes[i].parent & 1) != 0)
			r = try_node(a, level, i, bytes, fork);
	}
	return r;
}

/* What a transformation made of the bytes, made anew if it was not kept. 1, or an error. */
static int out_of(struct asking *a, unsigned level, const struct fork *fork, enum transform transform,
		  struct slice bytes, struct slice *ret_out)
{
	unsigned number = number_of_out(fork, transform);
	if (number == fork->out_count)
		return apply(a, level, WORKER_LEVEL_BUFFERS - 1, transform, bytes, ret_out);
	*ret_out = fork->outs[number];
	return 1;
}

static int ask_level(struct asking *a, unsigned level, struct slice bytes, uint32_t kinds, uint64_t nodes);

/* What lies behind the transformations that change the bytes, but for those `without`. */
static int ask_changed(struct asking *a, unsigned level, const struct fork *fork, struct slice bytes, uint64_t without)
{
	int r = 0;
	for (uint64_t left = fork->transforms & ~without; left != 0 && r == 0; left &= left - 1) {
		enum transform transform = (enum transform)__builtin_ctzll(left);
		struct slice out;
		r = out_of(a, level, fork, transform, bytes, &out);
		if (r > 0)
			r = ask_level(a, level + 1, out, kinds_of(out), fork->changed[transform]);
	}
	return r;
}

#define LOWERING ((uint64_t)1 << TRANSFORM_LOWERCASE)

/* The lowered form, and what lies behind it. A long one is not made where nobody would read it. 0 or an error. */
static int lower(struct asking *a, unsigned level, const struct fork *fork, struct slice bytes, struct form *ret_form,
		 struct fork *ret_fork)
{
	uint64_t nodes = fork->changed[TRANSFORM_LOWERCASE];
	struct slice lowered;
	if (bytes.len > ASKING_CONFIRMED_MAX_BYTES && (nodes & ~a->set->lowered_unread) == 0) {
		*ret_fork = (struct fork){.same = nodes, .kinds = BYTES_ANY};
		*ret_form = (struct form){bytes, nodes, BYTES_ANY};
		return 0;
	}
	int r = out_of(a, level, fork, TRANSFORM_LOWERCASE, bytes, &lowered);
	uint32_t kinds = fork->kinds == BYTES_ANY ? BYTES_ANY : (fork->kinds & ~BYTES_UPPER) | BYTES_LOWER;
	r = r < 0 ? r : fork_level(a, level + 1, lowered, kinds, nodes, ret_fork);
	*ret_form = (struct form){lowered, ret_fork->same, ret_fork->kinds};
	return r;
}

/* The lowered form is asked along with its source: one scan serves both. */
static int ask_forked(struct asking *a, unsigned level, struct slice bytes, const struct fork *fork)
{
	struct fork lowered_fork;
	struct form forms[FORMS] = {{.bytes = bytes, .nodes = fork->same, .kinds = fork->kinds}};
	bool lowers = (fork->transforms & LOWERING) != 0;
	int r = lowers ? lower(a, level, fork, bytes, &forms[LOWERED], &lowered_fork) : 0;
	if (r == 0)
		r = asking_forms(a, forms);
	if (r == 0 && lowers)
		r = ask_changed(a, level + 1, &lowered_fork, forms[LOWERED].bytes, 0);
	return r != 0 ? r : ask_changed(a, level, fork, bytes, LOWERING);
}

/* Recursion is as deep as the longest pipeline, which the builder bounds. */
static int ask_level(struct asking *a, unsigned level, struct slice bytes, uint32_t kinds, uint64_t nodes)
{
	struct fork fork;
	nodes &= asking_matter(a->set, bytes.len, kinds)->here;
	int r = nodes == 0 ? 0 : fork_level(a, level, bytes, kinds, nodes, &fork);
	return r != 0 || nodes == 0 ? r : ask_forked(a, level, bytes, &fork);
}

/* The value as it came. */
static int ask_set(struct asking *a, struct slice value, struct fork *fork)
{
	if (a->set->asked == 0 || (asking_matter(a->set, value.len, fork->kinds)->here & 1) == 0)
		return 0;
	int r = fork_value(a, value, fork);
	return r != 0 ? r : ask_forked(a, 0, value, fork);
}

_Static_assert(TRANSFORM_COUNT <= 64, "a bit for each transformation");

/* All but what operators set: that is much to clear for every value. */
static void begin(struct asking *a, struct found *found)
{
	a->t = found->t;
	a->found = found;
	a->operand.t = found->t;
	a->operand.entry = NULL;
	a->operand.is_number = false;
	a->operand.asks_only = true;
	a->operand.span_count = 0;
}

static int ask_all(struct found *found, const struct probe_set *first, struct slice value)
{
	struct asking a;
	struct fork fork;
	begin(&a, found);
	fork.kinds = kinds_of(value);
	fork.tried = 0;
	fork.out_count = 0;
	for (const struct probe_set *set = first; set != NULL; set = set->base) {
		a.set = set;
		for (size_t i = 0; i < set->step_count; i++)
			asking_add(&a, set->steps[i]);
		int r = ask_set(&a, value, &fork);
		if (r != 0)
			return r;
	}
	return 0;
}

/* Remembered without a look into the table: there is one such value. */
static int ask_empty(struct found *found, const struct probe_set *set)
{
	struct worker *worker = found->t->worker;
	struct worker_empty *place = &worker->empty[set->id % WORKER_EMPTY];
	bool known = place->set == set->id;
	struct found here = {.t = found->t};
	profile_note_value(worker->profile, known);
	if (known) {
		found_add_known(found, &place->answer);
		return 0;
	}
	int r = ask_all(&here, set, SLICE(""));
	return_buffers(worker);
	if (r != 0)
		return r;
	found_join(found, &here);
	if (here.step_count > REMEMBERED_STEPS)
		return 0;
	place->set = set->id;
	place->answer = (struct remembered_answer){.step_count = (uint16_t)here.step_count};
	memcpy(place->answer.steps, here.steps, sizeof(here.steps));
	return 0;
}

int ask_value(struct found *found, const struct probe_set *set, struct slice value)
{
	if (set == NULL)
		return 0;
	if (value.len == 0)
		return ask_empty(found, set);
	struct remembered *remembered = found->t->worker->remembered;
	struct remembered_key key = {.number = set->id, .first = value, .second = SLICE("")};
	const struct remembered_answer *known = remembered_find(remembered, &key);
	profile_note_value(found->t->worker->profile, known != NULL);
	if (known != NULL) {
		found_add_known(found, known);
		return 0;
	}
	struct found here = {.t = found->t};
	int r = ask_all(&here, set, value);
	return_buffers(found->t->worker);
	if (r != 0)
		return r;
	remembered_add(remembered, &key, 0, here.steps, here.step_count);
	found_join(found, &here);
	return 0;
}
