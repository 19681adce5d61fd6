/* Whether what became of all worlds is good enough, against bounds of its own for a watch that had seen nothing. */
#include "verdict.h"

#include "incident/episode.h"

#include <math.h>
#include <stdio.h>

void verdict_add(struct verdict_sums *sums, bool crowd, uint64_t seed, const struct outcome *o)
{
	sums->lasting += !o->over;
	sums->lost += !o->went_on;
	sums->restless += o->changes > EPISODE_CHANGES_A_MINUTE;
	if (crowd) {
		sums->crowds++;
		sums->crowds_hit += o->in_force_s >= 0 || o->hit > 0;
		return;
	}
	sums->attacks++;
	sums->detected += o->detected_s >= 0 && o->detected_s <= 1;
	sums->in_force += o->in_force_s >= 0;
	sums->late += o->in_force_s > 3;
	sums->off += o->estimate_off;
	sums->worst_off = fmax(sums->worst_off, o->estimate_off);
	sums->covered += o->covered;
	if (sums->attacks == 1 || o->covered < sums->least_covered) {
		sums->least_covered = o->covered;
		sums->least_seed = seed;
	}
	sums->returned += o->returned;
	sums->hit += o->hit;
	sums->worst_hit = fmax(sums->worst_hit, o->hit);
}

struct line {
	bool good;
	const char *text;
};

static bool print(const struct line *lines, size_t count)
{
	bool good = true;
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		printf("%s %zu - %s\n", lines[i].good ? "ok" : "not ok", i + 1, lines[i].text);
		good = good && lines[i].good;
	}
	return good;
}

static void print_figures(const struct verdict_sums *s)
{
	printf("# %u attacks: %u detected in a second, %u mitigated, %u of them late; refused %.2f %%, visitors %.4f "
	       "%%, at worst %.3f %%; %u crowds, %u hit\n",
	       s->attacks, s->detected, s->in_force, s->late, s->covered / s->attacks * 100, s->hit / s->attacks * 100,
	       s->worst_hit * 100, s->crowds, s->crowds_hit);
}

/* Nothing is known of visitors: it is seen by its harm, and nobody is refused who might be one. */
static bool report_start(const struct verdict_sums *s)
{
	const struct line lines[] = {
		{s->detected == s->attacks, "attacks under way at the start are detected within a second"},
		{s->in_force >= 0.75 * s->attacks, "three of four have a signature in force in the end"},
		{s->hit / s->attacks <= 0.001, "visitors are hardly hit"},
		{s->crowds_hit == 0, "nothing is refused to a crowd"},
		{s->lasting == 0, "when it is over it is over"},
		{s->lost == 0, "a watch that comes after one that was killed goes on"},
		{s->restless == 0, "two changes of state a minute at most"},
	};
	bool good = print(lines, sizeof(lines) / sizeof(lines[0]));
	print_figures(s);
	return good;
}

static bool report(const struct verdict_sums *s)
{
	double covered = s->covered / s->attacks, hit = s->hit / s->attacks;
	const struct line lines[] = {
		{s->detected == s->attacks, "attacks are detected within a second"},
		{s->in_force - s->late >= 0.9 * s->attacks,
		 "nine of ten have a signature in force within three seconds"},
		{covered >= 0.90, "nine tenths of what attacks is refused from then on"},
		{s->returned >= 0.99 * s->covered, "and of what pauses and returns no less"},
		{hit <= 0.001, "visitors are hardly hit"},
		{s->crowds_hit == 0, "nothing is refused to a crowd"},
		{s->lasting == 0, "when it is over it is over"},
		{s->lost == 0, "a watch that comes after one that was killed goes on"},
		{s->off <= 2.0 * s->attacks, "visitors' success is told within two points from the first second on"},
		{s->restless == 0, "two changes of state a minute at most"},
	};
	bool good = print(lines, sizeof(lines) / sizeof(lines[0]));
	print_figures(s);
	printf("# least refused: %.2f %%, seed %llu\n", s->least_covered * 100, (unsigned long long)s->least_seed);
	printf("# of what returned %.2f %% refused\n", s->returned / s->attacks * 100);
	printf("# estimate of visitors' success in the first ten seconds: %.2f points off, %.2f at worst\n",
	       s->off / s->attacks, s->worst_off);
	return good;
}

bool verdict_print(const struct verdict_sums *sums, enum past past)
{
	return past == PAST_NONE ? report_start(sums) : report(sums);
}
