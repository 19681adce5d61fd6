/*
 * Gathers what a search is asked with: what came of late and is not covered, the site's own quiet requests, and those
 * of other sites where these are too few. Where too little is known to bound what visitors would suffer, there is no
 * question.
 */
#include "incident/inside.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>

enum {
	ATTACK_LEAST = 100,
	QUIET_LEAST = 300,   /* requests: fewer cannot show anything */
	QUIET_ENOUGH = 7000, /* of a site's own: others' are not asked */
	ELSEWHERE_MOST = 16384,
	SEARCHES_FOR_ALL = 2, /* in vain, before a part is enough */
};

static const double COLLATERAL_MOST = 0.001;       /* of visitors' requests */
static const double COLLATERAL_MOST_FRESH = 0.015; /* where too few are known to show less, and none may be hit */
static const double COVERAGE_LEAST = 0.8;
static const double COVERAGE_LEAST_LATER = 0.5; /* of half an attack the other half can be searched for better */
static const double NORMAL_SHARE_MOST = 0.9;
static const double FIT_MOST = 4; /* times what is normal */
static const double NORMAL_SHARE_MOST_FRESH = 0.6;

static bool is_covered(const struct site *site, const struct signature_request *request)
{
	for (size_t i = 0; i < DEFENCE_MITIGATIONS; i++)
		if (site->mitigations[i].stage == MITIGATION_IN_FORCE &&
		    signature_matches(&site->mitigations[i].signature, request))
			return true;
	return false;
}

static struct signature_request complete(struct defence *d, const struct site *site, const struct sampled *sampled,
					 bool attack)
{
	struct signature_request request = sampled_request(sampled);
	uint64_t hash = source_hash(d, &sampled->source);
	request.regular = regulars_meet(d->regulars, hash, d->now.wall_ms / 1000, false);
	if (attack && !request.regular)
		request.regular = site_knew(site, acquaintances_meet(d->acquaintances, hash, d->now.now_ms, false));
	return request;
}

static size_t count_familiar(const struct signature_sample *sample)
{
	size_t count = 0;
	for (size_t i = 0; i < sample->count; i++)
		count += sample->requests[i].regular;
	return count;
}

/*
 * The share of an attack's sample that would have come anyway. Where connections find no room visitors come by fits,
 * and of an attack a part: then it is that of who was here before, where that is more; but some times as many at most,
 * for attackers may have been here before too.
 */
static double normal_share(const struct defence *d, const struct site *site, const struct signature_sample *sample,
			   double came, uint64_t ms)
{
	double share = fmax(site->normal, 0) * (double)ms / TRAFFIC_TICK_MS / came;
	if (d->now.now_ms < d->crowded_until_ms)
		share = fmax(share, fmin(FIT_MOST * share, (double)count_familiar(sample) / (double)sample->count));
	return fmin(share, 0.99);
}

/* What came of late, and nothing in force matches. The share of it that would have come anyway, or -1. */
static double add_attack(struct defence *d, struct site *site, struct signature_sample *sample)
{
	const struct sampled **places = malloc(site->recent.each * RECENT_WINDOWS * sizeof(*places));
	struct signature_request *requests = malloc(site->recent.each * RECENT_WINDOWS * sizeof(*requests));
	uint64_t from_ms = site->episode.onset_ms, seen, ms;
	double share = -1;
	for (size_t i = 0; i < DEFENCE_MITIGATIONS; i++)
		if (site->mitigations[i].stage == MITIGATION_IN_FORCE && d->now.now_ms - RESEARCH_MS > from_ms)
			from_ms = d->now.now_ms - RESEARCH_MS;
	sample->requests = requests;
	sample->count = 0;
	if (places != NULL && requests != NULL) {
		size_t count = recent_sample_gather(&site->recent, from_ms, d->now.now_ms, places, &seen, &ms);
		for (size_t i = 0; i < count; i++) {
			requests[sample->count] = complete(d, site, places[i], true);
			sample->count += !is_covered(site, &requests[sample->count]);
		}
		double came = count > 0 ? (double)seen * (double)sample->count / (double)count : 0;
		if (sample->count >= ATTACK_LEAST)
			share = normal_share(d, site, sample, came, ms);
	}
	free(places);
	return share;
}

static uint64_t less(uint64_t from, uint64_t by)
{
	return from > by ? from - by : 0;
}

/*
 * The second up to which requests are quiet: before this episode, and before one of the other site's that is on too. An
 * onset is told late, and a request knows its second only. 0, which nothing is before, where the wall's clock is set to
 * a time that was so shortly after its beginning.
 */
static uint64_t quiet_until_s(const struct defence *d, const struct site *attacked, const struct site *of)
{
	uint64_t onset_ms = attacked->episode.onset_ms;
	if (site_has_episode(of) && of->episode.onset_ms < onset_ms)
		onset_ms = of->episode.onset_ms;
	return less(d->now.wall_ms, less(d->now.now_ms, onset_ms) + ONSET_MARGIN_MS) / 1000;
}

static size_t count_until(const struct quiet_sample *quiet, uint64_t until_s)
{
	size_t count = 0;
	for (size_t i = 0; i < quiet->count; i++)
		count += quiet->items[i].at_s < until_s;
	return count;
}

/*
 * Whether those older than ten minutes are enough, of the site's own or, where they are half of these, of all sites
 * together: then the others are left out, for whoever attacks may have tried his tool shortly before.
 */
static bool old_are_enough(const struct defence *d, const struct site *attacked)
{
	size_t old = 0;
	for (size_t i = 0; i < d->count; i++)
		old += count_until(&d->sites[i]->quiet, less(quiet_until_s(d, attacked, d->sites[i]), SAMPLE_YOUNG_S));
	uint64_t until_s = quiet_until_s(d, attacked, attacked);
	size_t own_old = count_until(&attacked->quiet, less(until_s, SAMPLE_YOUNG_S));
	bool half = 2 * own_old >= count_until(&attacked->quiet, until_s);
	return own_old >= QUIET_ENOUGH || (half && old >= QUIET_ENOUGH);
}

static void add_quiet(struct defence *d, const struct site *site, uint64_t until_s, struct signature_request *requests,
		      size_t room, size_t *count)
{
	const struct quiet_sample *quiet = &site->quiet;
	for (size_t i = 0; i < quiet->count && *count < room; i++)
		if (quiet->items[i].at_s < until_s)
			requests[(*count)++] = complete(d, site, &quiet->items[i], false);
}

/* What was found before hit visitors: what those of them do who come now counts as of quiet days. */
static void add_known(const struct signature_sample *attack, struct signature_request *requests, size_t *count)
{
	for (size_t i = 0; i < attack->count; i++)
		if (attack->requests[i].regular)
			requests[(*count)++] = attack->requests[i];
}

/* Where hardly anything is known of quiet: what those do now who come in visits. */
static void add_visits(struct defence *d, uint16_t number, struct signature_request *requests, size_t *count)
{
	const struct site *site = d->sites[number];
	const struct sampled *kept;
	size_t visits = site->visits != NULL && d->offenders != NULL
				? visits_gather(site->visits, d->offenders, number, d->now.now_ms, &kept)
				: 0;
	for (size_t i = 0; i < visits && *count < ELSEWHERE_MOST; i++)
		requests[(*count)++] = complete(d, site, &kept[i], false);
}

static int add_all_quiet(struct defence *d, uint16_t number, struct signature_question *question)
{
	struct site *site = d->sites[number];
	uint64_t young_s = old_are_enough(d, site) ? SAMPLE_YOUNG_S : 0;
	struct signature_request *own = malloc((site->quiet.count + question->attack.count + 1) * sizeof(*own));
	question->quiet.requests = own;
	if (own == NULL)
		return -ENOMEM;
	add_quiet(d, site, less(quiet_until_s(d, site, site), young_s), own, site->quiet.count, &question->quiet.count);
	if (site->cautious)
		add_known(&question->attack, own, &question->quiet.count);
	if (question->quiet.count >= QUIET_ENOUGH)
		return 0;
	struct signature_request *others = malloc(ELSEWHERE_MOST * sizeof(*others));
	question->elsewhere.requests = others;
	if (others == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < d->count; i++)
		if (i != number)
			add_quiet(d, d->sites[i], less(quiet_until_s(d, site, d->sites[i]), young_s), others,
				  ELSEWHERE_MOST, &question->elsewhere.count);
	add_visits(d, number, others, &question->elsewhere.count);
	return 0;
}

/* Of so many known requests half judge; halves differ a little. */
static double shown_by(size_t requests)
{
	return 1.3 * share_upper_limit(0, (double)requests / 2);
}

enum knowledge question_knowledge(const struct defence *defence, const struct site *site)
{
	size_t known = 0;
	for (size_t i = 0; i < defence->count; i++)
		known += count_until(&defence->sites[i]->quiet, quiet_until_s(defence, site, defence->sites[i]));
	if (known < QUIET_LEAST || shown_by(known) > COLLATERAL_MOST_FRESH)
		return KNOWLEDGE_NONE;
	return shown_by(known) > COLLATERAL_MOST ? KNOWLEDGE_THIN : KNOWLEDGE_ENOUGH;
}

/*
 * How much of visitors may be hit: a thousandth. Where too few are known to show that, as much as they can show where
 * none of them is hit.
 */
static bool bound_collateral(struct signature_question *question)
{
	double shown = shown_by(question->quiet.count + question->elsewhere.count);
	question->collateral_most = fmax(COLLATERAL_MOST, shown);
	double normal_most = shown > COLLATERAL_MOST ? NORMAL_SHARE_MOST_FRESH : NORMAL_SHARE_MOST;
	return question->collateral_most <= COLLATERAL_MOST_FRESH && question->normal_share <= normal_most;
}

void defence_search_free(struct defence_search *search)
{
	if (search == NULL)
		return;
	signature_free(&search->found);
	free((void *)search->question.attack.requests);
	free((void *)search->question.quiet.requests);
	free((void *)search->question.elsewhere.requests);
	free(search);
}

struct defence_search *question_make(struct defence *defence, uint16_t number)
{
	struct site *site = defence->sites[number];
	struct defence_search *search = calloc(1, sizeof(*search));
	if (search == NULL)
		return NULL;
	search->site = number;
	search->episode = site->episode.id;
	search->question.coverage_least = site->searches < SEARCHES_FOR_ALL ? COVERAGE_LEAST : COVERAGE_LEAST_LATER;
	search->question.normal_share = add_attack(defence, site, &search->question.attack);
	bool good = search->question.normal_share >= 0 && add_all_quiet(defence, number, &search->question) == 0 &&
		    search->question.quiet.count + search->question.elsewhere.count >= QUIET_LEAST;
	if (good && site->normal < 0)
		search->question.normal_share = signature_normal_share(&search->question);
	good = good && bound_collateral(&search->question);
	if (good)
		return search;
	defence_search_free(search);
	return NULL;
}
