/* What an attack's time has more than normal. */
#include "traffic/search_inside.h"

double coverage_of(const struct search *search, size_t attack, size_t train)
{
	double normal = search->question->normal_share;
	double share = (double)attack / (double)search->count[PART_ATTACK];
	double expected = normal * (double)train / (double)search->count[PART_TRAIN];
	return (share - expected) / (1 - normal);
}

double expected_of_one(const struct search *search, enum part part)
{
	return search->question->normal_share * (double)search->count[PART_ATTACK] / (double)search->count[part];
}

bool is_excess(double attack, double expected)
{
	return attack >= EXCESS_LEAST && attack > EXCESS_TIMES * expected;
}
