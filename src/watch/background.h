/*
 * A thread for what takes long, so that events are read on meanwhile: one job at a time goes in, and comes out when it
 * is done. A job works on what it was given alone.
 */
#ifndef GUIA_WATCH_BACKGROUND_H
#define GUIA_WATCH_BACKGROUND_H

struct background;

typedef void background_run_fn(void *job);

/* 0, -ENOMEM or -errno. */
int background_start(struct background **ret_background);

/* Waits for what is under way. Returns the job that was given and not taken, or NULL. NULL is allowed. */
void *background_stop(struct background *background);

/* Only while it has none. */
void background_give(struct background *background, background_run_fn *run, void *job);
/* One that is done, or NULL. */
void *background_take(struct background *background);

#endif
