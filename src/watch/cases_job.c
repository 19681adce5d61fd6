/*
 * Copies, since the thread must not look into books that go on. In one job there are so many intrusions at most; others
 * wait for the next.
 */
#include "watch/cases_job.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- taking ---- */

/* Where there is no memory for it, it is taken the next time. */
static void take_intrusions(struct intrusions *intrusions, uint64_t now_ms, struct cases_job *job)
{
	job->intrusion_count = 0;
	while (job->intrusion_count < CASES_INTRUSIONS_TOLD) {
		struct intrusion_news *news = malloc(sizeof(*news));
		if (news == NULL || !intrusions_take(intrusions, now_ms, news)) {
			free(news);
			return;
		}
		job->intrusions[job->intrusion_count++] = news;
	}
}

void cases_job_free(struct cases_job *job)
{
	for (size_t i = 0; job != NULL && i < job->intrusion_count; i++)
		free(job->intrusions[i]);
	free(job);
}

struct cases_job *cases_job_make(struct casebook *book, struct intrusions *intrusions, uint64_t now_ms)
{
	struct cases_job *job = malloc(sizeof(*job));
	if (job == NULL)
		return NULL;
	job->result = -EINPROGRESS;
	take_intrusions(intrusions, now_ms, job);
	job->floods = book->changed;
	job->record = book->now;
	job->entry_count = book->entry_count;
	memcpy(job->entries, book->entries, job->entry_count * sizeof(job->entries[0]));
	job->point_count = book->point_count;
	memcpy(job->points, book->points, job->point_count * sizeof(job->points[0]));
	memset(job->item_counts, 0, sizeof(job->item_counts));
	book->entry_count = book->point_count = 0;
	book->changed = false;
	return job;
}

void cases_job_tally(struct cases_job *job, const struct ranking *ranking, uint64_t now_ns)
{
	for (unsigned d = 0; d < RANKING_DIMENSIONS; d++) {
		job->item_counts[d] =
			ranking_top(ranking, (enum ranking_dimension)d, now_ns, job->items[d], CASES_TALLIED);
		for (size_t i = 0; i < job->item_counts[d]; i++) {
			job->items[d][i].count /= RANKING_SECONDS;
			job->items[d][i].error /= RANKING_SECONDS;
		}
	}
}

static struct intrusion_tally *tally_add(struct intrusion_news *news, enum ranking_dimension dimension,
					 uint64_t requests)
{
	struct intrusion_tally *tally = &news->tallies[news->tally_count++];
	tally->dimension = ranking_dimension_name(dimension);
	tally->requests = requests;
	return tally;
}

static void source_place_add(struct intrusion_news *news, const struct intrusion_tally *source,
			     const struct place_image *places)
{
	struct prefix prefix;
	uint64_t country = 0;
	if (strcmp(source->dimension, ranking_dimension_name(RANKING_SOURCE)) != 0 ||
	    !prefix_parse(slice_from_string(source->key), &prefix) || news->tally_count + 2 > INTRUSION_TALLIES)
		return;
	struct place place = place_lookup(places, &prefix.address);
	memcpy(&country, place.country, sizeof(place.country));
	ranking_operator_text(places, place.network, tally_add(news, RANKING_OPERATOR, source->requests)->key);
	ranking_country_text(country, tally_add(news, RANKING_COUNTRY, source->requests)->key);
}

_Static_assert((int)INTRUSION_TALLY_BYTES >= (int)RANKING_TEXT_BYTES, "as they are");

void cases_job_places(struct cases_job *job, const struct place_image *places, const char *source)
{
	for (size_t i = 0; places != NULL && i < job->intrusion_count; i++) {
		struct intrusion_news *news = job->intrusions[i];
		size_t count = news->tally_count;
		for (size_t t = 0; t < count; t++)
			source_place_add(news, &news->tallies[t], places);
		snprintf(news->record.places, sizeof(news->record.places), "%s", source);
	}
}

/* ---- writing ---- */

static struct case_news flood_news(const struct cases_job *job, struct case_tally *tallies)
{
	size_t count = 0;
	for (unsigned d = 0; d < RANKING_DIMENSIONS; d++)
		for (size_t i = 0; i < job->item_counts[d]; i++) {
			const struct ranking_item *item = &job->items[d][i];
			tallies[count++] = (struct case_tally){ranking_dimension_name((enum ranking_dimension)d),
							       item->text, item->count - item->error};
		}
	return (struct case_news){.record = &job->record,
				  .entries = job->entries,
				  .entry_count = job->entry_count,
				  .points = job->points,
				  .point_count = job->point_count,
				  .tallies = tallies,
				  .tally_count = count};
}

static struct case_news intrusion_news_of(const struct intrusion_news *news, struct case_tally *tallies)
{
	for (size_t i = 0; i < news->tally_count; i++)
		tallies[i] = (struct case_tally){news->tallies[i].dimension, news->tallies[i].key,
						 (double)news->tallies[i].requests};
	return (struct case_news){.record = &news->record,
				  .actor = &news->actor,
				  .entries = news->entries,
				  .entry_count = news->entry_count,
				  .points = news->points,
				  .point_count = news->point_count,
				  .tallies = tallies,
				  .tally_count = news->tally_count};
}

int cases_job_write(const struct cases_job *job, struct case_store *store)
{
	struct case_tally tallies[RANKING_DIMENSIONS * CASES_TALLIED];
	struct case_tally(*more)[INTRUSION_TALLIES] = malloc(CASES_INTRUSIONS_TOLD * sizeof(*more));
	struct case_news news[1 + CASES_INTRUSIONS_TOLD];
	size_t count = 0;
	if (more == NULL)
		return -ENOMEM;
	if (job->floods)
		news[count++] = flood_news(job, tallies);
	for (size_t i = 0; i < job->intrusion_count; i++)
		news[count++] = intrusion_news_of(job->intrusions[i], more[i]);
	int r = case_store_write(store, news, count);
	free(more);
	return r;
}
