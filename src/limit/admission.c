/*
 * From the limit up: how it moves, probes, windows, requests. Windows are summed up by atomic additions, and one
 * compare-and-exchange chooses who judges them; quiet latencies are moved without, and of two moves at once one may be
 * lost. Ratios are in 1/1024.
 */
#include "limit/admission.h"

#include <stdatomic.h>

enum {
	ONE = 1024,            /* a ratio of 1 */
	TOLERATED = 1280,      /* 1.25 times quiet latency is in time */
	OVERLOADED = 4 * ONE,  /* how late a request counts that was not answered */
	JITTER_US = 5000,      /* as late as this is in time, however quick the quiet latency is */
	MOST_LATE = 64 * ONE,  /* a single request counts for no more */
	SHRINK_MOST = 717,     /* by 0.7 in a window at most */
	FLOOR = 870,           /* 0.85 of the best throughput seen */
	CAREFUL_WINDOWS = 4,   /* of small steps, before each is twice the one before, ... */
	DOUBLED_MOST = 16,     /* so often at most */
	ENOUGH = 5,            /* answers in a window from which to judge */
	PATIENCE_WINDOWS = 20, /* a window is left open for more answers so long at most */
	QUICK = 8,             /* a quiet latency goes 1/8 of the way down, */
	SLOW = 256,            /* and up by 1/256 of itself */
};

static uint32_t load(const _Atomic uint32_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static void store(_Atomic uint32_t *value, uint32_t to)
{
	atomic_store_explicit(value, to, memory_order_relaxed);
}

static uint64_t load8(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static void store8(_Atomic uint64_t *value, uint64_t to)
{
	atomic_store_explicit(value, to, memory_order_relaxed);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint32_t learned_limit(const struct admission *a)
{
	uint32_t limit = load(&a->limit);
	return limit == 0 ? ADMISSION_FIRST : limit;
}

uint32_t admission_limit(const struct admission *a, uint64_t now_us)
{
	uint32_t limit = learned_limit(a);
	if (now_us >= load8(&a->probe_ends_us))
		return limit;
	return (uint32_t)greater(limit / 2, ADMISSION_LEAST);
}

uint32_t admission_in_flight(const struct admission *a)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < ADMISSION_PROCESSES; i++)
		sum += load(&a->in_flight[i]);
	return sum;
}

void admission_forget(struct admission *a, size_t process)
{
	store(&a->in_flight[process % ADMISSION_PROCESSES], 0);
}

bool admission_pressed(const struct admission *a, uint64_t now_us)
{
	uint64_t ends = load8(&a->window.ends_us);
	return load(&a->window.reached) != 0 && now_us < ends + ADMISSION_WINDOW_US;
}

/* ---- the limit ---- */

static uint32_t root(uint32_t of)
{
	uint32_t r = 1;
	while ((r + 1) * (r + 1) <= of)
		r++;
	return r;
}

/* Doubled until the origin has once been late; then carefully, and faster the longer nothing speaks against it. */
static uint32_t grown(const struct admission *a, uint32_t limit)
{
	uint32_t in_time = load(&a->in_time);
	uint32_t faster = in_time > CAREFUL_WINDOWS ? in_time - CAREFUL_WINDOWS : 0;
	uint64_t step = (uint64_t)(root(limit) / 2 + 1) << smaller(faster, DOUBLED_MOST);
	if (!load(&a->was_late))
		step = limit;
	return (uint32_t)smaller(limit + smaller(step, limit), ADMISSION_MOST);
}

static uint32_t best_needed(const struct admission *a)
{
	uint32_t best = 0;
	for (size_t i = 0; i < ADMISSION_RATES; i++)
		best = (uint32_t)greater(best, load(&a->needed[i]));
	return best;
}

static uint32_t shrunk(const struct admission *a, uint32_t limit, uint64_t late)
{
	uint64_t to = limit * greater((uint64_t)TOLERATED * ONE / late, SHRINK_MOST) / ONE;
	uint64_t least = greater((uint64_t)best_needed(a) * FLOOR / ONE, ADMISSION_LEAST);
	return (uint32_t)smaller(limit, greater(to, least));
}

/* ---- probes ---- */

/* Half of the limit until what was in flight has been answered, and then as long as a request takes. */
static void probe_if_due(struct admission *a, uint64_t now_us)
{
	uint64_t seen = load8(&a->quiet_seen_us);
	uint64_t quiet = load(&a->quiet_us);
	if (now_us < seen + ADMISSION_PROBE_US || now_us < load8(&a->probe_ends_us) + ADMISSION_WINDOW_US)
		return;
	store8(&a->probe_us, now_us);
	store8(&a->probe_ends_us, now_us + 2 * quiet + 2 * ADMISSION_WINDOW_US);
}

/* Whether a request that has just been answered was sent when a probe had emptied the origin's queue. */
static bool in_probe(const struct admission *a, uint64_t latency_us, uint64_t now_us)
{
	uint64_t emptied_us = load8(&a->probe_us) + load(&a->quiet_us) + ADMISSION_WINDOW_US;
	return now_us < load8(&a->probe_ends_us) + latency_us && now_us - latency_us >= emptied_us;
}

/* ---- windows ---- */

/* What a window showed. */
struct showing {
	uint64_t late; /* mean ratio */
	uint32_t needed;
	bool reached;
};

static void judge(struct admission *a, struct showing shown)
{
	uint32_t limit = learned_limit(a);
	store(&a->late, (uint32_t)shown.late);
	store(&a->needed[load(&a->rate_at) % ADMISSION_RATES], shown.needed);
	atomic_fetch_add_explicit(&a->rate_at, 1, memory_order_relaxed);
	if (shown.late > TOLERATED) {
		/* What waits when little is in flight does not wait for us. */
		if (shown.reached || admission_in_flight(a) * 2 >= limit) {
			store(&a->was_late, 1);
			store(&a->in_time, 0);
			limit = shrunk(a, limit, shown.late);
		}
	} else if (shown.reached) {
		store(&a->in_time, load(&a->in_time) + 1);
		limit = grown(a, limit);
	}
	store(&a->limit, limit);
}

static uint64_t take(_Atomic uint64_t *sum)
{
	return atomic_exchange_explicit(sum, 0, memory_order_relaxed);
}

/* The first who finds the window over and full enough judges it, and opens the next. */
static void turn(struct admission *a, uint64_t now_us)
{
	struct admission_window *w = &a->window;
	uint64_t ends = load8(&w->ends_us);
	if (now_us < ends)
		return;
	uint64_t over_us = now_us - ends;
	bool stale = ends == 0 || over_us > (uint64_t)PATIENCE_WINDOWS * ADMISSION_WINDOW_US;
	if (load(&w->count) < ENOUGH && !stale)
		return;
	if (!atomic_compare_exchange_strong_explicit(&w->ends_us, &ends, now_us + ADMISSION_WINDOW_US,
						     memory_order_relaxed, memory_order_relaxed))
		return;
	uint32_t count = atomic_exchange_explicit(&w->count, 0, memory_order_relaxed);
	uint64_t late = take(&w->late_sum);
	uint64_t quiet_us = take(&w->quiet_sum);
	bool reached = atomic_exchange_explicit(&w->reached, 0, memory_order_relaxed) != 0;
	uint32_t overloaded = atomic_exchange_explicit(&w->overloaded, 0, memory_order_relaxed);
	if (count == 0 || ends == 0)
		return;
	/* Requests a second times mean quiet latency: the sum of quiet latencies over the time they took. */
	uint64_t answered_us = quiet_us / count * (count - smaller(overloaded, count));
	if (reached)
		probe_if_due(a, now_us);
	/* A probe learns from answers. An origin that gives none is probed without end, and is late all the same. */
	if (overloaded < count && now_us < load8(&a->probe_ends_us) + ADMISSION_WINDOW_US)
		return;
	judge(a, (struct showing){.late = late / count,
				  .needed = (uint32_t)(answered_us / (ADMISSION_WINDOW_US + over_us)),
				  .reached = reached});
}

/* ---- requests ---- */

bool admission_enter(struct admission *a, size_t process, uint64_t now_us)
{
	turn(a, now_us);
	if (admission_in_flight(a) >= admission_limit(a, now_us)) {
		store(&a->window.reached, 1);
		return false;
	}
	atomic_fetch_add_explicit(&a->in_flight[process % ADMISSION_PROCESSES], 1, memory_order_relaxed);
	return true;
}

static void give_back(struct admission *a, size_t process)
{
	_Atomic uint32_t *own = &a->in_flight[process % ADMISSION_PROCESSES];
	uint32_t count = load(own);
	while (count > 0 && !atomic_compare_exchange_weak_explicit(own, &count, count - 1, memory_order_relaxed,
								   memory_order_relaxed))
		continue;
}

/* How a latency bears on the quiet one of its kind. */
enum bearing {
	BEARS_DOWN,   /* others were waiting: it can only be too long */
	BEARS_SLOWLY, /* the lower side of what is seen in quiet */
	BEARS_FULLY,  /* in a probe */
};

static void learn_quiet(_Atomic uint32_t *quiet_us, uint32_t latency_us, enum bearing bearing)
{
	uint32_t quiet = load(quiet_us);
	if (quiet == 0)
		quiet = latency_us;
	else if (latency_us < quiet)
		quiet -= (quiet - latency_us + QUICK - 1) / QUICK;
	else if (bearing == BEARS_FULLY)
		quiet += (latency_us - quiet) / QUICK;
	else if (bearing == BEARS_SLOWLY)
		quiet += (uint32_t)smaller(latency_us - quiet, quiet / SLOW + 1);
	store(quiet_us, (uint32_t)greater(quiet, 1));
}

/* A kind first met while the origin is late is late too. */
static uint32_t first_guess(const struct admission *a, uint32_t latency_us)
{
	return (uint32_t)(latency_us * (uint64_t)ONE / greater(load(&a->late), ONE));
}

static uint64_t lateness(uint64_t latency_us, uint32_t quiet_us)
{
	if (latency_us <= quiet_us + (uint64_t)JITTER_US)
		return ONE;
	return smaller(latency_us * ONE / quiet_us, MOST_LATE);
}

static enum bearing bearing_of(const struct admission *a, uint64_t latency_us, uint64_t now_us)
{
	if (in_probe(a, latency_us, now_us))
		return BEARS_FULLY;
	bool pressed = load(&a->window.reached) != 0 || admission_in_flight(a) * 2 > learned_limit(a);
	return pressed ? BEARS_DOWN : BEARS_SLOWLY;
}

static uint64_t learn_answer(struct admission *a, _Atomic uint32_t *own, uint64_t latency_us, uint64_t now_us)
{
	uint32_t latency = (uint32_t)greater(smaller(latency_us, UINT32_MAX), 1);
	enum bearing bearing = bearing_of(a, latency_us, now_us);
	if (load(own) == 0)
		store(own, first_guess(a, latency));
	learn_quiet(own, latency, bearing);
	learn_quiet(&a->quiet_us, latency, bearing);
	if (bearing != BEARS_DOWN)
		store8(&a->quiet_seen_us, now_us);
	return lateness(latency_us, load(own));
}

void admission_leave(struct admission *a, size_t process, uint64_t kind, enum admission_outcome outcome,
		     uint64_t latency_us, uint64_t now_us)
{
	struct admission_window *w = &a->window;
	_Atomic uint32_t *own = &a->kind_us[kind % ADMISSION_KINDS];

	if (outcome != ADMISSION_ABANDONED) {
		uint64_t late = OVERLOADED;
		if (outcome == ADMISSION_ANSWERED)
			late = learn_answer(a, own, latency_us, now_us);
		else
			atomic_fetch_add_explicit(&w->overloaded, 1, memory_order_relaxed);
		uint32_t quiet = load(own) != 0 ? load(own) : load(&a->quiet_us);
		atomic_fetch_add_explicit(&w->late_sum, late, memory_order_relaxed);
		atomic_fetch_add_explicit(&w->quiet_sum, quiet, memory_order_relaxed);
		atomic_fetch_add_explicit(&w->count, 1, memory_order_relaxed);
	}
	give_back(a, process);
	turn(a, now_us);
}
