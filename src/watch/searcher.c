#include "watch/searcher.h"

#include "base/error.h"

#include <pthread.h>
#include <stdlib.h>

struct searcher {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct defence_search *asked;
	struct defence_search *done;
	bool ends;
};

static void *run(void *context)
{
	struct searcher *searcher = context;
	pthread_mutex_lock(&searcher->lock);
	while (!searcher->ends) {
		struct defence_search *search = searcher->asked;
		if (search == NULL || searcher->done != NULL) {
			pthread_cond_wait(&searcher->changed, &searcher->lock);
			continue;
		}
		pthread_mutex_unlock(&searcher->lock);
		defence_search_run(search);
		pthread_mutex_lock(&searcher->lock);
		searcher->asked = NULL;
		searcher->done = search;
	}
	pthread_mutex_unlock(&searcher->lock);
	return NULL;
}

int searcher_start(struct searcher **ret_searcher)
{
	struct searcher *searcher = calloc(1, sizeof(*searcher));
	if (searcher == NULL)
		return -ENOMEM;
	pthread_mutex_init(&searcher->lock, NULL);
	pthread_cond_init(&searcher->changed, NULL);
	int r = pthread_create(&searcher->thread, NULL, run, searcher);
	if (r != 0) {
		free(searcher);
		return -r;
	}
	*ret_searcher = searcher;
	return 0;
}

void searcher_stop(struct searcher *searcher)
{
	if (searcher == NULL)
		return;
	pthread_mutex_lock(&searcher->lock);
	searcher->ends = true;
	pthread_cond_signal(&searcher->changed);
	pthread_mutex_unlock(&searcher->lock);
	pthread_join(searcher->thread, NULL);
	defence_search_free(searcher->asked);
	defence_search_free(searcher->done);
	pthread_cond_destroy(&searcher->changed);
	pthread_mutex_destroy(&searcher->lock);
	free(searcher);
}

void searcher_give(struct searcher *searcher, struct defence_search *search)
{
	pthread_mutex_lock(&searcher->lock);
	searcher->asked = search;
	pthread_cond_signal(&searcher->changed);
	pthread_mutex_unlock(&searcher->lock);
}

struct defence_search *searcher_take(struct searcher *searcher)
{
	pthread_mutex_lock(&searcher->lock);
	struct defence_search *done = searcher->done;
	searcher->done = NULL;
	pthread_mutex_unlock(&searcher->lock);
	return done;
}
