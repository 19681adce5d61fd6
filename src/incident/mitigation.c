/*
 * Names, what a second does to one that is in force, whether it hits visitors, and words for its signature. The lower
 * limit of a share is by Wilson and Hilferty's approximation.
 */
#include "incident/mitigation.h"

#include "wire/fingerprint.h"

#include <math.h>

static const double VISITORS_MOST = 0.001;
static const double ALIKE_MOST = 0.005; /* of attackers, with the address and browser of a visitor */
static const double SMOOTHING = 0.2;    /* of rates, a second: one page of a visitor's is no attack */
static const double LOW_OF_PEAK = 0.01;
static const double LOW_OF_NORMAL = 0.2;
static const double LOW_LEAST = 2; /* a second: a page with all that belongs to it is no attack */

const char *mitigation_kind_name(enum mitigation_kind kind)
{
	static const char *const names[MITIGATION_KINDS] = {"signature", "bans", "shedding"};
	return kind < MITIGATION_KINDS ? names[kind] : "?";
}

const char *mitigation_stage_name(enum mitigation_stage stage)
{
	static const char *const names[MITIGATION_STAGES] = {"none", "trial", "in force"};
	return stage < MITIGATION_STAGES ? names[stage] : "?";
}

const char *mitigation_end_text(enum mitigation_end end)
{
	static const char *const texts[MITIGATION_ENDS] = {
		[MITIGATION_DONE] = "matches hardly anything any more",
		[MITIGATION_STALE] = "did not match enough of what arrived",
		[MITIGATION_COLLATERAL] = "matched visitors who were here before",
		[MITIGATION_LIFTED] = "was lifted by a person",
		[MITIGATION_NO_ROOM] = "has no room beside the others at the gate",
	};
	return end < MITIGATION_ENDS ? texts[end] : "?";
}

double share_lower_limit(double k, double n)
{
	if (k <= 0 || n <= 0)
		return 0;
	double degrees = 2 * k, part = 2 / (9 * degrees);
	double root = fmax(1 - part - 1.6449 * sqrt(part), 0);
	return fmin(1, degrees * root * root * root / 2 / n);
}

bool mitigation_hits_visitors(const struct mitigation_known *known)
{
	double hit = known->visitors_hit;
	return hit > 1 && hit > ALIKE_MOST * known->hit && share_lower_limit(hit, known->visitors) > VISITORS_MOST;
}

void mitigation_second(struct mitigation *mitigation, uint64_t hits, double normal, uint64_t now_ms)
{
	mitigation->hits = hits > mitigation->hits ? hits : mitigation->hits;
	double second = (double)(mitigation->seen - mitigation->seen_before) +
			(double)(mitigation->hits - mitigation->hits_before);
	mitigation->rate += SMOOTHING * (second - mitigation->rate);
	mitigation->seen_before = mitigation->seen;
	mitigation->hits_before = mitigation->hits;
	mitigation->peak = fmax(mitigation->peak, mitigation->rate);
	double least = LOW_OF_PEAK * mitigation->peak;
	double low = fmax(LOW_LEAST, normal >= 0 ? fmin(least, LOW_OF_NORMAL * normal) : least);
	if (mitigation->rate > low)
		mitigation->low_since_ms = now_ms;
}

/* ---- words ---- */

static void describe_term(const struct signature *signature, const struct signature_term *term, struct buffer *out)
{
	const char *field = signature_field_name(term->field);
	switch (term->test) {
	case SIGNATURE_EQUALS:
		if (term->field == SIGNATURE_HEADERS)
			buffer_printf(out, "has %llu headers", (unsigned long long)term->value);
		else if (term->value == 0)
			buffer_printf(out, "has no %s", field);
		else
			buffer_printf(out, "has a certain %s", field);
		break;
	case SIGNATURE_ONE_OF:
		buffer_printf(out, "has one of %zu values of %s", signature->listed[term->field].count, field);
		break;
	case SIGNATURE_UNKNOWN:
		buffer_printf(out, "has %s that no visitor had", field);
		break;
	case SIGNATURE_HAS:
	case SIGNATURE_LACKS:
		buffer_printf(out, "has %s%s header", term->test == SIGNATURE_LACKS ? "no " : "a ",
			      fingerprint_header_name((unsigned)term->value));
		break;
	case SIGNATURE_FROM:
		buffer_printf(out, "comes from one of %zu networks", signature->prefixes);
		break;
	case SIGNATURE_TESTS:
		break;
	}
}

void signature_describe(const struct signature *signature, struct buffer *out)
{
	for (unsigned i = 0; i < signature->count; i++) {
		const struct signature_conjunction *conjunction = &signature->conjunction[i];
		buffer_text(out, i > 0 ? "; or " : "");
		for (unsigned at = 0; at < conjunction->count; at++) {
			buffer_text(out, at > 0 ? ", " : "");
			describe_term(signature, &conjunction->term[at], out);
		}
	}
}
