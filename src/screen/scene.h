/*
 * The parts of a page that lives, as they were last: rendered once for all who look at it in a language, however many.
 * A part whose content changed has a new version.
 */
#ifndef GUIA_SCREEN_SCENE_H
#define GUIA_SCREEN_SCENE_H

#include "screen/page.h"

enum { SCENES_MAX = 16 };

struct scene {
	unsigned viewers;  /* 0: free */
	uint64_t incident; /* 0: the overview */
	enum language language;
	bool chosen;
	uint64_t due_ms;
	uint64_t changes; /* of the sight, when it was rendered */
	struct buffer parts[PAGE_PARTS];
	uint32_t versions[PAGE_PARTS]; /* 0: not rendered yet */
};

struct scenes {
	struct scene scenes[SCENES_MAX];
};

/* One that shows this; it is left with scene_leave. NULL: there are too many others. */
struct scene *scenes_join(struct scenes *scenes, uint64_t incident, enum language language, bool chosen);
void scene_leave(struct scene *scene);

size_t scene_part_count(const struct scene *scene);
const char *scene_part_id(const struct scene *scene, size_t part);

/* Renders those that are due, by a clock that does not go back. */
void scenes_step(struct scenes *scenes, const struct sight *sight);

#endif
