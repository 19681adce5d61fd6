/*
 * What a decision of the limiter costs and how just it is: ten million sources and a thousand offenders among them, two
 * processes at once on one table. Time is virtual and shared: a microsecond a decision, so that a thousand offenders at
 * ten times their limit are a tenth of all. Addresses are made and the clock is read outside of what is timed. Beside
 * each batch of decisions stands one that only changes a word in as many lines of other memory of that size: what a
 * machine takes for that it takes for any such table. Figures are medians of batches.
 *
 *     limiter [--json] [--quick] [--mb N] [--ahead N]
 */
#include "base/random.h"
#include "limit/rate_table.h"
#include "measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SOURCES = 10 * 1000 * 1000,
	OFFENDERS = 1000,
	PROCESSES = 2,
	BATCH = 1024,
	AHEAD = 16, /* decisions: a gate fetches when it knows the address and asks when it knows the location */
	SAMPLES = 40 * 1000,
	LIMIT_PER_S = 10, /* of one source; ten times that for its network, a hundred times for the region */
	BURST = 20,
	OFFENCE = 10, /* times the limit */
	COST = 1000,
};

struct row {
	const char *name;
	bool zipf;
	bool v6;
};
static const struct row ROWS[] = {
	{"uniform, IPv4", false, false},
	{"Zipf, IPv4", true, false},
	{"uniform, IPv6", false, true},
	{"Zipf, IPv6", true, true},
};

/* What the processes have in common besides the table. */
struct meeting {
	uint64_t now_us;
	uint64_t until_us;
	struct cost {
		double decision_ns, lines_ns;
	} cost[PROCESSES];
	uint64_t others, others_refused;
	uint32_t admitted[OFFENDERS];
};

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* A different address for each number, anywhere in the family. */
static struct address address_of(uint64_t number, bool v6)
{
	if (v6)
		return address_from_words(0x2000000000000000 | random_mix(number / 4) >> 3, random_mix(number));
	uint32_t spread = (uint32_t)number * 2654435769u;
	return address_from_v4((const uint8_t *)&spread);
}

struct asked {
	struct address address;
	uint32_t offender; /* its number; OFFENDERS: an honest one */
	bool counts;       /* an honest one whose own rate is far below the limit */
};

static struct asked draw(const struct row *row, uint64_t *seed)
{
	uint64_t lot = next_random(seed);
	if (lot % 1000 < (uint64_t)OFFENDERS * LIMIT_PER_S * OFFENCE / 1000) {
		uint32_t offender = (uint32_t)(lot / 1000 % OFFENDERS);
		return (struct asked){address_of(SOURCES + offender, row->v6), offender, false};
	}
	double share = (double)(next_random(seed) >> 11) * 0x1p-53;
	uint64_t rank = row->zipf ? (uint64_t)(exp(share * log(SOURCES + 1.0)) - 1) : (uint64_t)(share * SOURCES);
	double per_s = row->zipf ? 900e3 / log(SOURCES + 1.0) / ((double)rank + 1) : 900e3 / SOURCES;
	return (struct asked){address_of(rank, row->v6), OFFENDERS, per_s < LIMIT_PER_S / 2.0};
}

/* A line anywhere, another in its page, and one in a sixteenth of it: no decision of this form can be had for less. */
static void touch_lines(uint64_t *memory, uint64_t pages, uint64_t *seed)
{
	for (unsigned i = 0; i < BATCH; i++) {
		uint64_t lot = next_random(seed);
		uint64_t *page = memory + (lot >> 20) % pages * 512;
		uint64_t *lines[] = {page + lot % 512, page + lot / 512 % 512, memory + (lot >> 12) % (pages * 32)};
		for (unsigned line = 0; line < 3; line++)
			__builtin_prefetch(lines[line], 1);
		for (unsigned line = 0; line < 3; line++)
			__atomic_fetch_add(lines[line], 1, __ATOMIC_RELAXED);
	}
}

static void count(struct meeting *meeting, const struct asked *asked, const unsigned *answers)
{
	for (unsigned i = 0; i < BATCH; i++) {
		if (asked[i].offender < OFFENDERS && answers[i] == RATE_ADMITTED)
			__atomic_add_fetch(&meeting->admitted[asked[i].offender], 1, __ATOMIC_RELAXED);
		if (asked[i].counts) {
			__atomic_add_fetch(&meeting->others, 1, __ATOMIC_RELAXED);
			if (answers[i] != RATE_ADMITTED)
				__atomic_add_fetch(&meeting->others_refused, 1, __ATOMIC_RELAXED);
		}
	}
}

static void ask(const struct rate_table *table, uint64_t *plain, const struct row *row, struct meeting *meeting,
		unsigned ahead, unsigned who)
{
	static struct asked asked[BATCH];
	static struct rate_key keys[BATCH];
	static unsigned answers[BATCH];
	static double decisions[SAMPLES], lines[SAMPLES];
	size_t samples = 0;
	const uint64_t per_s = (uint64_t)LIMIT_PER_S * COST, burst = (uint64_t)BURST * COST;
	const struct rate_limits limits = {{rate_limit_make(per_s, burst), rate_limit_make(10 * per_s, 10 * burst),
					    rate_limit_make(100 * per_s, 100 * burst)}};
	uint64_t seed = random_mix(who + 1), from_us;
	/* A child has the pages of shared memory still to find. */
	(void)rate_table_facts(table, 0, UINT64_MAX, 0);
	for (uint64_t i = 0; i < table->pages; i++)
		__atomic_fetch_add(&plain[i * 512], 1, __ATOMIC_RELAXED);
	while ((from_us = __atomic_fetch_add(&meeting->now_us, BATCH, __ATOMIC_RELAXED)) < meeting->until_us) {
		for (unsigned i = 0; i < BATCH; i++)
			asked[i] = draw(row, &seed);
		double before = cpu_ns();
		for (unsigned i = 0; i < BATCH + ahead; i++) {
			if (i < BATCH)
				keys[i] = rate_key_make(table, &asked[i].address, 0);
			if (i >= ahead)
				answers[i - ahead] = rate_table_admit(&keys[i - ahead], &limits, COST, from_us + i);
		}
		double between = cpu_ns();
		touch_lines(plain, table->pages, &seed);
		if (samples < SAMPLES) {
			lines[samples] = (cpu_ns() - between) / BATCH;
			decisions[samples++] = (between - before) / BATCH;
		}
		count(meeting, asked, answers);
	}
	meeting->cost[who] = (struct cost){spread_of(decisions, samples).median, spread_of(lines, samples).median};
}

static void *shared_memory(size_t bytes)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (map == MAP_FAILED) {
		perror("mmap");
		exit(3);
	}
	return map;
}

static void print(const struct row *row, const struct meeting *m, size_t mb, bool json)
{
	double seconds = (double)m->until_us / 1e6, aim = LIMIT_PER_S * seconds + BURST, worst = 0;
	for (unsigned i = 0; i < OFFENDERS; i++)
		worst = fmax(worst, fabs(m->admitted[i] / aim - 1));
	double ns = (m->cost[0].decision_ns + m->cost[1].decision_ns) / 2;
	double lines_ns = (m->cost[0].lines_ns + m->cost[1].lines_ns) / 2;
	double refused = (double)m->others_refused / (double)m->others;
	if (json)
		printf("{\"figure\": \"limiter\", \"row\": \"%s\", \"mb\": %zu, \"ns\": %.1f, \"lines_ns\": %.1f, "
		       "\"offender_off_most\": "
		       "%.4f, "
		       "\"others_refused\": %.7f}\n",
		       row->name, mb, ns, lines_ns, worst, refused);
	else
		printf("%-16s %4zu MB  %6.1f ns a decision (its lines alone %.1f)  offenders off their limit by %5.2f "
		       "%% at most  others "
		       "refused "
		       "%.5f %%\n",
		       row->name, mb, ns, lines_ns, worst * 100, refused * 100);
	fflush(stdout);
}

static void measure(const struct row *row, size_t mb, unsigned ahead, bool quick, bool json)
{
	struct rate_table table;
	struct meeting *meeting = shared_memory(sizeof(*meeting));
	void *memory = shared_memory(mb << 20), *plain = shared_memory(mb << 20);
	meeting->until_us = quick ? 1000 * 1000 : 40 * 1000 * 1000;
	if (rate_table_attach(&table, memory, mb << 20) < 0)
		exit(3);
	pid_t child = fork();
	if (child == 0) {
		ask(&table, plain, row, meeting, ahead, 1);
		_exit(0);
	}
	ask(&table, plain, row, meeting, ahead, 0);
	int status;
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		exit(3);
	print(row, meeting, mb, json);
	munmap(memory, mb << 20);
	munmap(plain, mb << 20);
	munmap(meeting, sizeof(*meeting));
}

int main(int argc, char **argv)
{
	bool json = false, quick = false;
	size_t mb = 64;
	unsigned ahead = AHEAD;
	for (int i = 1; i < argc; i++) {
		json |= strcmp(argv[i], "--json") == 0;
		quick |= strcmp(argv[i], "--quick") == 0;
		if (strcmp(argv[i], "--mb") == 0 && i + 1 < argc)
			mb = (size_t)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--ahead") == 0 && i + 1 < argc)
			ahead = (unsigned)strtoul(argv[++i], NULL, 10) % BATCH;
	}
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
		measure(&ROWS[i], mb, ahead, quick, json);
	return 0;
}
