/*
 * One slot under a lock, which is not held while a job runs. A job that was given and not begun when the thread is
 * stopped is handed back as it was.
 */
#include "watch/background.h"

#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct background {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	background_run_fn *run;
	void *job; /* NULL: none */
	bool done;
	bool ends;
};

static void *work(void *context)
{
	struct background *b = context;
	pthread_mutex_lock(&b->lock);
	while (!b->ends) {
		if (b->job == NULL || b->done) {
			pthread_cond_wait(&b->changed, &b->lock);
			continue;
		}
		pthread_mutex_unlock(&b->lock);
		b->run(b->job);
		pthread_mutex_lock(&b->lock);
		b->done = true;
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

int background_start(struct background **ret_background)
{
	struct background *b = calloc(1, sizeof(*b));
	if (b == NULL)
		return -ENOMEM;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
	int r = pthread_create(&b->thread, NULL, work, b);
	if (r != 0) {
		free(b);
		return -r;
	}
	*ret_background = b;
	return 0;
}

void *background_stop(struct background *background)
{
	if (background == NULL)
		return NULL;
	pthread_mutex_lock(&background->lock);
	background->ends = true;
	pthread_cond_signal(&background->changed);
	pthread_mutex_unlock(&background->lock);
	pthread_join(background->thread, NULL);
	void *job = background->job;
	pthread_cond_destroy(&background->changed);
	pthread_mutex_destroy(&background->lock);
	free(background);
	return job;
}

void background_give(struct background *background, background_run_fn *run, void *job)
{
	pthread_mutex_lock(&background->lock);
	background->run = run;
	background->job = job;
	background->done = false;
	pthread_cond_signal(&background->changed);
	pthread_mutex_unlock(&background->lock);
}

void *background_take(struct background *background)
{
	pthread_mutex_lock(&background->lock);
	void *job = background->done ? background->job : NULL;
	if (background->done)
		background->job = NULL;
	background->done = false;
	pthread_mutex_unlock(&background->lock);
	return job;
}
