/*
 * A part is rendered into a buffer and compared with what it was. The longer it took the later it is done again, so
 * that no scene takes more than a twentieth of the time, unless a site's state changes.
 */
#include "screen/scene.h"

#include "base/clock.h"
#include "screen/incident.h"
#include "screen/overview.h"

#include <stdlib.h>
#include <string.h>

enum {
	EVERY_MS = 1000,
	EVERY_OVER_MS = 10000, /* of an incident that is over */
	REST = 20,             /* times as long as it took, at least */
};

static const struct page_part *parts_of(const struct scene *scene, size_t *ret_count)
{
	*ret_count = scene->incident != 0 ? incident_part_count : overview_part_count;
	return scene->incident != 0 ? incident_parts : overview_parts;
}

size_t scene_part_count(const struct scene *scene)
{
	size_t count;
	(void)parts_of(scene, &count);
	return count;
}

const char *scene_part_id(const struct scene *scene, size_t part)
{
	size_t count;
	return parts_of(scene, &count)[part].id;
}

struct scene *scenes_join(struct scenes *scenes, uint64_t incident, enum language language, bool chosen)
{
	struct scene *free_one = NULL;
	for (size_t i = 0; i < SCENES_MAX; i++) {
		struct scene *scene = &scenes->scenes[i];
		if (scene->viewers == 0) {
			free_one = scene;
		} else if (scene->incident == incident && scene->language == language && scene->chosen == chosen) {
			scene->viewers++;
			return scene;
		}
	}
	if (free_one != NULL)
		*free_one = (struct scene){.viewers = 1, .incident = incident, .language = language, .chosen = chosen};
	return free_one;
}

void scene_leave(struct scene *scene)
{
	if (--scene->viewers > 0)
		return;
	for (size_t i = 0; i < PAGE_PARTS; i++)
		buffer_free(&scene->parts[i]);
	*scene = (struct scene){0};
}

/* What cannot be had now stays as it was. */
static void render_parts(struct scene *scene, struct page *page)
{
	size_t count;
	const struct page_part *parts = parts_of(scene, &count);
	for (size_t i = 0; i < count; i++) {
		struct buffer fresh = buffer_make(NULL);
		page->out = &fresh;
		parts[i].add(page);
		if (fresh.error != 0 ||
		    (scene->versions[i] != 0 && slice_equal(buffer_slice(&fresh), buffer_slice(&scene->parts[i])))) {
			buffer_free(&fresh);
			continue;
		}
		buffer_free(&scene->parts[i]);
		scene->parts[i] = fresh;
		scene->versions[i]++;
	}
}

/* Returns after how long it is to be rendered again. */
static uint64_t render(struct scene *scene, const struct sight *sight)
{
	struct case_record *record = scene->incident != 0 ? malloc(sizeof(*record)) : NULL;
	struct page page = {.sight = sight, .language = scene->language, .chosen = scene->chosen, .record = record};
	page_open(&page);
	bool good = scene->incident == 0 ||
		    (record != NULL && page.store != NULL && case_store_read(page.store, scene->incident, record) == 0);
	if (good)
		render_parts(scene, &page);
	uint64_t pause_ms = good && record != NULL && record->phase == CASE_OVER ? EVERY_OVER_MS : EVERY_MS;
	page_close(&page);
	free(record);
	return pause_ms;
}

void scenes_step(struct scenes *scenes, const struct sight *sight)
{
	for (size_t i = 0; i < SCENES_MAX; i++) {
		struct scene *scene = &scenes->scenes[i];
		if (scene->viewers == 0 || (sight->now_ms < scene->due_ms && scene->changes == sight->changes))
			continue;
		uint64_t began_ms = clock_monotonic_ms();
		scene->changes = sight->changes;
		uint64_t pause_ms = render(scene, sight), took_ms = (clock_monotonic_ms() - began_ms) * REST;
		scene->due_ms = sight->now_ms + (pause_ms > took_ms ? pause_ms : took_ms);
	}
}
