/*
 * A turn of the thread: what was put is taken, added and sealed, a key rotated if that is asked, then signed if it is
 * time. What others ask for is copied under a lock. A loss is counted until the gap that states it is sealed.
 */
#include "evidence/writer.h"

#include "base/clock.h"
#include "base/error.h"
#include "evidence/queue.h"
#include "evidence/stamper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	SIGN_EVERY_MS = 500,
	RETRY_MS = 50,
	FULL_MS = 5, /* until tiles are written, where that is what is waited for */
	RETRIES_AT_END = 20,
	IDLE_MS = 1000,
	OPEN_AGAIN_MS = 1000,
	ENDING_LOOK_MS = 20,
};

struct writer {
	struct log_config config; /* with texts of its own */
	struct log *log;          /* NULL: not open yet */
	struct queue *queue;
	struct stamper *stamper; /* NULL: there is no authority */
	pthread_t thread;
	pthread_mutex_t lock; /* over the state */
	struct writer_state state;
	uint64_t told_unsealed_ns;
	uint64_t told_unsigned_ns;
	struct queue_loss lost[LEAF_KINDS + 1];   /* the thread's own, from here on; the last is of several kinds */
	struct queue_loss stated[LEAF_KINDS + 1]; /* of those, in a gap that is not sealed yet */
	unsigned gaps;                            /* so many such gaps */
	atomic_bool stamp_wanted;
	atomic_bool rotate_wanted;
	uint64_t time_ms;
	uint64_t opened_ns;
	uint64_t oldest_put_ns;      /* of what is not sealed; 0: nothing */
	uint64_t oldest_unsigned_ns; /* of what is sealed and not signed; 0: nothing */
	uint64_t signed_ns;
	unsigned retries;
	int seal_error;
	int sign_error;
	bool ending;
};

static void tell(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->state.sizes = log_sizes(writer->log);
	writer->state.error = writer->seal_error != 0 ? writer->seal_error : writer->sign_error;
	writer->told_unsealed_ns = writer->oldest_put_ns;
	writer->told_unsigned_ns = writer->oldest_unsigned_ns;
	pthread_mutex_unlock(&writer->lock);
}

static void note_longest(struct writer *writer, uint64_t *longest_us, uint64_t since_ns)
{
	uint64_t us = (clock_monotonic_ns() - since_ns) / 1000;
	pthread_mutex_lock(&writer->lock);
	if (us > *longest_us)
		*longest_us = us;
	pthread_mutex_unlock(&writer->lock);
}

static void lose(struct writer *writer, unsigned kind, struct queue_loss loss)
{
	struct queue_loss *all = &writer->lost[kind];
	all->since_ms = all->records == 0 ? loss.since_ms : all->since_ms;
	all->records += loss.records;
	all->until_ms = loss.until_ms;
	pthread_mutex_lock(&writer->lock);
	writer->state.lost += loss.records;
	pthread_mutex_unlock(&writer->lock);
}

static void sign_if_due(struct writer *writer, bool now)
{
	uint64_t at_ns = clock_monotonic_ns();
	if (writer->oldest_unsigned_ns == 0 || (!now && at_ns - writer->signed_ns < (uint64_t)SIGN_EVERY_MS * 1000000))
		return;
	int r = log_sign(writer->log);
	writer->signed_ns = at_ns;
	if (r == 0) {
		note_longest(writer, &writer->state.longest_unsigned_us, writer->oldest_unsigned_ns);
		writer->oldest_unsigned_ns = 0;
	}
	writer->sign_error = r;
	tell(writer);
}

/* What a sealed gap states is lost no more. */
static void gaps_sealed(struct writer *writer)
{
	for (unsigned kind = 0; kind <= LEAF_KINDS && writer->gaps > 0; kind++)
		writer->lost[kind].records -= writer->stated[kind].records;
	memset(writer->stated, 0, sizeof(writer->stated));
	writer->gaps = 0;
}

static void sealed(struct writer *writer)
{
	gaps_sealed(writer);
	if (writer->oldest_put_ns != 0) {
		note_longest(writer, &writer->state.longest_unsealed_us, writer->oldest_put_ns);
		if (writer->oldest_unsigned_ns == 0)
			writer->oldest_unsigned_ns = writer->oldest_put_ns;
		writer->oldest_put_ns = 0;
	}
	writer->seal_error = 0;
	tell(writer);
}

/* Tries until it is sealed, or until there is no use in it any more. */
static bool seal(struct writer *writer, enum log_reserve reserve)
{
	for (;;) {
		int r = log_seal(writer->log, reserve);
		if (r == 0) {
			sealed(writer);
			sign_if_due(writer, false);
			return true;
		}
		writer->seal_error = r;
		tell(writer);
		/* The other half is not free before what it holds was signed. */
		sign_if_due(writer, r == -ENOSPC);
		if (writer->ending && ++writer->retries > RETRIES_AT_END)
			return false;
		usleep(r == -ENOSPC ? FULL_MS * 1000 : RETRY_MS * 1000);
		writer->ending = writer->ending || queue_ending(writer->queue);
	}
}

static void add_one(struct writer *writer, const struct queue_item *item)
{
	if (log_add(writer->log, item->kind, item->time_ms, item->fields) != 0) {
		lose(writer, item->kind, (struct queue_loss){1, item->time_ms, item->time_ms});
		return;
	}
	if (writer->oldest_put_ns == 0)
		writer->oldest_put_ns = item->put_ns > writer->opened_ns ? item->put_ns : writer->opened_ns;
}

static void add_gaps(struct writer *writer)
{
	for (unsigned kind = 0; kind <= LEAF_KINDS; kind++) {
		const struct queue_loss *loss = &writer->lost[kind];
		const struct leaf_value values[LEAF_FIELDS_MOST] = {
			leaf_text(SLICE("there was no room")),
			kind < LEAF_KINDS ? leaf_text(slice_from_string(leaf_row(kind)->name))
					  : (struct leaf_value){.number = 0},
			leaf_number(loss->records),
			leaf_number(loss->since_ms),
			leaf_number(loss->until_ms),
			{.number = 0}};
		if (loss->records > 0 && writer->stated[kind].records == 0 &&
		    log_add_values(writer->log, LEAF_GAP, writer->time_ms, values) == 0) {
			writer->stated[kind] = *loss;
			writer->gaps++;
			if (writer->oldest_put_ns == 0)
				writer->oldest_put_ns = clock_monotonic_ns();
		}
	}
}

/* What was added last could not be sealed: it is lost, and what follows it of what was taken. */
static void give_up(struct writer *writer, struct queue_taken *taken)
{
	struct queue_item item;
	uint64_t records = log_forget(writer->log) - writer->gaps;
	memset(writer->stated, 0, sizeof(writer->stated));
	writer->gaps = 0;
	while (queue_next(taken, &item))
		lose(writer, item.kind, (struct queue_loss){1, item.time_ms, item.time_ms});
	if (records > 0)
		lose(writer, LEAF_KINDS, (struct queue_loss){records, writer->time_ms, writer->time_ms});
}

static void write_taken(struct writer *writer, struct queue_taken *taken)
{
	struct queue_item item;
	bool going = true;
	while (going && queue_next(taken, &item)) {
		writer->time_ms = item.time_ms;
		add_one(writer, &item);
		if (log_batch_full(writer->log))
			going = seal(writer, LOG_KEEPS_RESERVE);
	}
	writer->time_ms = taken->time_ms;
	if (going)
		add_gaps(writer);
	if (!going || !seal(writer, LOG_KEEPS_RESERVE))
		give_up(writer, taken);
}

/* A full disk has room for this much. */
static void write_end(struct writer *writer)
{
	static const struct leaf_value values[LEAF_FIELDS_MOST] = {{.bytes = SLICE_INIT("the watch ended")}};
	if (log_sizes(writer->log).sealed == 0)
		return; /* not even its beginning */
	writer->retries = 0;
	add_gaps(writer);
	(void)log_add_values(writer->log, LEAF_CLOSE, writer->time_ms, values);
	writer->oldest_put_ns = clock_monotonic_ns();
	(void)seal(writer, LOG_TAKES_RESERVE);
	sign_if_due(writer, true);
}

static int wait_ms(const struct writer *writer)
{
	/* What a log begins with waits for nothing else. */
	if (writer->oldest_put_ns != 0)
		return 0;
	if (writer->oldest_unsigned_ns == 0)
		return IDLE_MS;
	uint64_t since_ms = (clock_monotonic_ns() - writer->signed_ns) / 1000000;
	return since_ms >= SIGN_EVERY_MS ? 1 : (int)(SIGN_EVERY_MS - since_ms);
}

/* ---- opening ---- */

static void tell_opening(struct writer *writer, int fault)
{
	pthread_mutex_lock(&writer->lock);
	writer->state.fault = fault;
	writer->state.open = fault == 0;
	if (fault == 0) {
		writer->state.beginning = log_beginning(writer->log);
		writer->state.key = log_public_key(writer->log);
	}
	pthread_mutex_unlock(&writer->lock);
}

static int open_once(struct writer *writer)
{
	const struct log_config *config = &writer->config;
	int r = log_open(config, writer->time_ms, &writer->log);
	if (r == 0 && config->authority != NULL)
		r = stamper_create(config->disk, log_folder(writer->log), config->authority, config->stamp_every_ms,
				   &writer->stamper);
	if (r != 0) {
		log_close(writer->log);
		writer->log = NULL;
	}
	return r;
}

/* False: it is time to end. */
static bool open_log(struct writer *writer)
{
	for (int r; (r = open_once(writer)) != 0;) {
		tell_opening(writer, r);
		for (int ms = 0; ms < OPEN_AGAIN_MS; ms += ENDING_LOOK_MS) {
			if (queue_ending(writer->queue))
				return false;
			usleep(ENDING_LOOK_MS * 1000);
		}
	}
	writer->opened_ns = writer->oldest_put_ns = clock_monotonic_ns();
	if (log_sizes(writer->log).is_signed < log_sizes(writer->log).sealed)
		writer->oldest_unsigned_ns = writer->opened_ns;
	tell_opening(writer, 0);
	tell(writer);
	return true;
}

/* ---- the thread ---- */

/* What fails is tried again when something is written next. */
static void rotate_if_wanted(struct writer *writer)
{
	if (!atomic_load(&writer->rotate_wanted))
		return;
	int r = log_rotate(writer->log, writer->config.key_path, writer->time_ms);
	if (r == 0) {
		atomic_store(&writer->rotate_wanted, false);
		pthread_mutex_lock(&writer->lock);
		writer->state.key = log_public_key(writer->log);
		pthread_mutex_unlock(&writer->lock);
	}
	writer->sign_error = r;
	tell(writer);
}

static void write_once(struct writer *writer, struct queue_taken *taken)
{
	/* Whoever wants a stamp has put what it is for before. */
	bool stamp = atomic_exchange(&writer->stamp_wanted, false);
	queue_take(writer->queue, wait_ms(writer), taken);
	log_look_at_clock(writer->log);
	writer->ending = taken->ending;
	for (enum leaf_kind kind = 0; kind < LEAF_KINDS; kind++)
		if (taken->lost[kind].records > 0)
			lose(writer, kind, taken->lost[kind]);
	write_taken(writer, taken);
	rotate_if_wanted(writer);
	sign_if_due(writer, stamp);
	if (stamp && writer->stamper != NULL)
		stamper_hurry(writer->stamper);
}

static void *run(void *context)
{
	struct writer *writer = context;
	struct queue_taken taken;
	if (!open_log(writer))
		return NULL;
	do
		write_once(writer, &taken);
	while (!taken.ending);
	write_end(writer);
	return NULL;
}

/* ---- beginning and end ---- */

static char *copy(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

static void writer_free(struct writer *writer)
{
	stamper_end(writer->stamper);
	log_close(writer->log);
	queue_free(writer->queue);
	pthread_mutex_destroy(&writer->lock);
	free((char *)(uintptr_t)writer->config.path);
	free((char *)(uintptr_t)writer->config.name);
	free((char *)(uintptr_t)writer->config.key_path);
	free((char *)(uintptr_t)writer->config.authority);
	free(writer);
}

int writer_create(const struct log_config *config, size_t queue_bytes, struct writer **ret_writer)
{
	struct writer *writer = calloc(1, sizeof(*writer));
	if (writer == NULL)
		return -ENOMEM;
	writer->time_ms = clock_now_ms();
	writer->config = *config;
	writer->config.path = copy(config->path);
	writer->config.name = copy(config->name);
	writer->config.key_path = copy(config->key_path);
	writer->config.authority = copy(config->authority);
	pthread_mutex_init(&writer->lock, NULL);
	bool copied = writer->config.path != NULL && writer->config.name != NULL && writer->config.key_path != NULL &&
		      (config->authority == NULL || writer->config.authority != NULL);
	int r = copied ? queue_create(queue_bytes, &writer->queue) : -ENOMEM;
	if (r == 0)
		r = -pthread_create(&writer->thread, NULL, run, writer);
	if (r != 0) {
		writer_free(writer);
		return r;
	}
	*ret_writer = writer;
	return 0;
}

void writer_end(struct writer *writer)
{
	if (writer == NULL)
		return;
	queue_end(writer->queue);
	pthread_join(writer->thread, NULL);
	writer_free(writer);
}

/* ---- for other threads ---- */

bool writer_put(struct writer *writer, enum leaf_kind kind, const struct leaf_value *values)
{
	struct buffer fields = buffer_make(NULL);
	leaf_write_fields(kind, values, &fields);
	bool put = fields.error == 0 && queue_put(writer->queue, kind, buffer_slice(&fields));
	buffer_free(&fields);
	return put;
}

void writer_rotate(struct writer *writer)
{
	atomic_store(&writer->rotate_wanted, true);
}

void writer_stamp(struct writer *writer)
{
	atomic_store(&writer->stamp_wanted, true);
}

static uint64_t ms_since(uint64_t ns)
{
	uint64_t now = clock_monotonic_ns();
	return ns != 0 && now > ns ? (now - ns) / 1000000 : 0;
}

struct writer_state writer_state(struct writer *writer)
{
	uint64_t waits_ns = queue_oldest_ns(writer->queue);
	pthread_mutex_lock(&writer->lock);
	struct writer_state state = writer->state;
	state.unsealed_ms = ms_since(writer->told_unsealed_ns != 0 ? writer->told_unsealed_ns : waits_ns);
	state.unsigned_ms = ms_since(writer->told_unsigned_ns);
	pthread_mutex_unlock(&writer->lock);
	/* What the thread has not heard of yet: it may be waiting for the disk. */
	state.lost += queue_lost(writer->queue);
	if (state.open && writer->stamper != NULL) {
		struct stamper_state stamps = stamper_state(writer->stamper);
		state.stamped = stamps.stamped;
		state.stamp_backlog = stamps.backlog;
		state.stamp_waits_ms = ms_since(stamps.waits_since_ns);
		state.stamp_error = stamps.error;
	}
	return state;
}
