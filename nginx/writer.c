/*
 * One mutex guards all. A request's records are added under it, from begin to commit; the thread gives it up only while
 * it writes. It swaps the buffers of all files at once and writes file by file in the list's order, in which those
 * whose records come last are at the end.
 */
#include "writer.h"

#include "outlet.h"

#include <ngx_event.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
	HURRY_BYTES = 512 * 1024, /* so much is not kept back to gather more */
	GATHER_MS = 5,            /* from one round of writes to the next, where they never end */
	ROUNDS_AT_ONCE = 8,       /* so that what comes by itself is written by itself */
	PATIENCE_MS = 2000,       /* with a file that takes nothing, at the end and when files are opened again */
	TELL_MS = 1000,
	TRY_MS = 1000,
	BURST_SECONDS = 4,
	STACK_BYTES = 256 * 1024,
	PRIVATE_MODE = 0640,
};

struct losses {
	size_t by_rate; /* requests */
	size_t by_disk; /* requests */
	size_t by_room; /* records */
	size_t by_error;
	int error;
	ngx_str_t name;
};

/* What the thread reads or changes is under the lock. */
static struct writer {
	ngx_pid_t owner; /* else this is a copy that a fork made */
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t idle;
	pthread_t thread;
	bool has_thread;
	bool waits; /* the thread, for something to do */
	bool hurry;
	bool ends;
	bool scarce; /* little of a log's disk is free */
	struct outlet *outlets;
	struct losses losses;
	ngx_event_t tell;
	int64_t budget_bytes;
	ngx_msec_t budget_at;
	bool budgeted;
	ngx_msec_t tried_at; /* when a request's records last went out to a scarce disk */
} writer;

static bool outlet_is_due(const struct outlet *outlet)
{
	return outlet->filled > 0 || outlet->retired;
}

static bool some_is_due(void)
{
	for (const struct outlet *outlet = writer.outlets; outlet != NULL; outlet = outlet->next)
		if (outlet_is_due(outlet))
			return true;
	return false;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* With the lock, which is given up while writing. */
static void outlet_serve(struct outlet *outlet)
{
	size_t lost = 0;

	if (outlet->to_write > 0) {
		pthread_mutex_unlock(&writer.lock);
		int error = outlet_write(outlet, &lost);
		outlet_look(outlet, now_ms());
		pthread_mutex_lock(&writer.lock);
		outlet->to_write = 0;
		if (error != 0) {
			writer.losses.by_error += lost;
			writer.losses.error = error;
			writer.losses.name = outlet->file->name;
		}
	}
	if (outlet->retired && outlet->filled == 0) {
		close(outlet->fd);
		outlet->fd = -1;
		outlet->retired = false;
		outlet->scarce = false;
	}
}

static bool some_is_scarce(void)
{
	for (const struct outlet *outlet = writer.outlets; outlet != NULL; outlet = outlet->next)
		if (outlet->scarce)
			return true;
	return false;
}

/* Of all files at once: whoever sees a request's last record can see its first ones. */
static void buffers_swap(void)
{
	for (struct outlet *outlet = writer.outlets; outlet != NULL; outlet = outlet->next)
		outlet_swap(outlet);
}

static struct timespec time_at(int64_t ms)
{
	return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

/*
 * Rounds of writes are spaced by GCRA: what comes now and then is written at once; what comes all the time, together.
 * `due_ms` is when the next round would be, were they all apart.
 */
static void gather(int64_t *due_ms)
{
	struct timespec until = time_at(*due_ms - (ROUNDS_AT_ONCE - 1) * GATHER_MS);

	while (!writer.hurry && !writer.ends && pthread_cond_timedwait(&writer.work, &writer.lock, &until) != ETIMEDOUT)
		continue;
	writer.hurry = false;
	*due_ms = ngx_max(now_ms(), *due_ms) + GATHER_MS;
}

static void *thread_run(void *data)
{
	int64_t due_ms = now_ms();

	(void)data;
	prctl(PR_SET_NAME, "guia-log");
	pthread_mutex_lock(&writer.lock);
	for (;;) {
		while (!some_is_due() && !writer.ends) {
			writer.waits = true;
			pthread_cond_wait(&writer.work, &writer.lock);
		}
		writer.waits = false;
		if (!some_is_due())
			break;
		gather(&due_ms);
		buffers_swap();
		for (struct outlet *outlet = writer.outlets; outlet != NULL; outlet = outlet->next)
			outlet_serve(outlet);
		writer.scarce = some_is_scarce();
		pthread_cond_broadcast(&writer.idle);
	}
	pthread_mutex_unlock(&writer.lock);
	return NULL;
}

/* nginx's signals are for its own thread. */
static void thread_start(void)
{
	pthread_attr_t attributes;
	sigset_t all, before;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	writer.has_thread = pthread_create(&writer.thread, &attributes, thread_run, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
}

static void losses_tell(void)
{
	pthread_mutex_lock(&writer.lock);
	struct losses losses = writer.losses;
	writer.losses = (struct losses){0};
	pthread_mutex_unlock(&writer.lock);
	if (losses.by_rate > 0)
		ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
			      "guia: the records of %uz requests were shed, they passed guia_log_rate", losses.by_rate);
	if (losses.by_disk > 0)
		ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
			      "guia: the records of %uz requests were shed, less than %d %% of a log's disk is free",
			      losses.by_disk, (int)OUTLET_SPARED_PERCENT);
	if (losses.by_room > 0)
		ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
			      "guia: %uz records were shed, a log does not take them fast enough", losses.by_room);
	if (losses.by_error > 0)
		ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, losses.error, "guia could not write %uz records to \"%V\"",
			      losses.by_error, &losses.name);
}

static void on_tell(ngx_event_t *event)
{
	(void)event;
	losses_tell();
}

/* Told a second after the first loss, or after a record that may yet be lost. */
static void tell_later(void)
{
	if (writer.tell.timer_set)
		return;
	writer.tell.handler = on_tell;
	writer.tell.data = &writer;
	writer.tell.log = ngx_cycle->log;
	writer.tell.cancelable = 1;
	ngx_add_timer(&writer.tell, TELL_MS);
}

static void writer_make(void)
{
	pthread_condattr_t monotonic;

	if (writer.owner == ngx_pid)
		return;
	ngx_memzero(&writer, sizeof(writer));
	writer.owner = ngx_pid;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&writer.lock, NULL);
	pthread_cond_init(&writer.work, &monotonic);
	pthread_cond_init(&writer.idle, &monotonic);
	pthread_condattr_destroy(&monotonic);
	thread_start();
}

static bool budget_left(size_t bytes_a_second)
{
	int64_t most = (int64_t)bytes_a_second * BURST_SECONDS;
	ngx_msec_t passed = ngx_current_msec - writer.budget_at;

	if (bytes_a_second == 0)
		return true;
	if (!writer.budgeted || passed > BURST_SECONDS * 1000)
		writer.budget_bytes = most;
	else
		writer.budget_bytes = ngx_min(most, writer.budget_bytes + (int64_t)(passed * bytes_a_second / 1000));
	writer.budgeted = true;
	writer.budget_at = ngx_current_msec;
	return writer.budget_bytes > 0;
}

/* With the lock. One request's records a second go out all the same: with them the disk is looked at again. */
static bool disk_left(void)
{
	if (!writer.scarce)
		return true;
	if (ngx_current_msec - writer.tried_at < TRY_MS)
		return false;
	writer.tried_at = ngx_current_msec;
	return true;
}

bool gate_writer_begin(size_t bytes_a_second)
{
	writer_make();
	tell_later();
	bool in_rate = budget_left(bytes_a_second);
	pthread_mutex_lock(&writer.lock);
	if (!in_rate)
		writer.losses.by_rate++;
	else if (!disk_left())
		writer.losses.by_disk++;
	else
		return true;
	pthread_mutex_unlock(&writer.lock);
	return false;
}

/* Without a thread, or memory, or for a record that no buffer holds: as nginx does it. */
static void write_now(const ngx_open_file_t *file, const u_char *text, size_t len)
{
	struct iovec parts[] = {{(void *)text, len}, {"\n", 1}};
	ssize_t written = writev(file->fd, parts, 2);

	if (written == (ssize_t)len + 1)
		return;
	writer.losses.by_error++;
	writer.losses.error = written < 0 ? errno : 0;
	writer.losses.name = file->name;
}

static bool all_retired(void)
{
	for (const struct outlet *outlet = writer.outlets; outlet != NULL; outlet = outlet->next)
		if (outlet->retired)
			return false;
	return true;
}

/* With the lock. False if it takes too long. */
static bool wait_for_retired(void)
{
	struct timespec until = time_at(now_ms() + PATIENCE_MS);

	writer.hurry = true;
	pthread_cond_signal(&writer.work);
	while (!all_retired())
		if (pthread_cond_timedwait(&writer.idle, &writer.lock, &until) == ETIMEDOUT)
			return false;
	return true;
}

static struct outlet *outlet_find(const ngx_open_file_t *file)
{
	struct outlet *outlet = writer.outlets;

	while (outlet != NULL && outlet->file != file)
		outlet = outlet->next;
	return outlet;
}

void gate_writer_reopen(ngx_open_file_t *file, ngx_log_t *log)
{
	struct outlet *outlet = writer.owner == ngx_pid ? outlet_find(file) : NULL;

	(void)log;
	if (outlet == NULL)
		return;
	pthread_mutex_lock(&writer.lock);
	outlet->retired = outlet->fd >= 0;
	(void)wait_for_retired();
	pthread_mutex_unlock(&writer.lock);
}

void gate_writer_make_private(const ngx_str_t *name)
{
	int fd = open((const char *)name->data, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		      PRIVATE_MODE);
	if (fd >= 0)
		close(fd);
}

/* nginx would let everybody read it. */
void gate_writer_reopen_private(ngx_open_file_t *file, ngx_log_t *log)
{
	gate_writer_reopen(file, log);
	gate_writer_make_private(&file->name);
}

static struct outlet *outlet_make(ngx_open_file_t *file, bool last)
{
	struct outlet *outlet = outlet_new(file);

	if (outlet == NULL)
		return NULL;
	struct outlet **place = &writer.outlets;
	while (last && *place != NULL)
		place = &(*place)->next;
	outlet->next = *place;
	*place = outlet;
	return outlet;
}

/* NULL: no memory, or somebody else is told when the file is opened again. */
static struct outlet *outlet_of(ngx_open_file_t *file, bool last)
{
	struct outlet *outlet = outlet_find(file);

	if (outlet != NULL)
		return outlet;
	if (file->flush == NULL)
		file->flush = gate_writer_reopen;
	if (file->flush != gate_writer_reopen && file->flush != gate_writer_reopen_private)
		return NULL;
	return outlet_make(file, last);
}

void gate_writer_add(ngx_open_file_t *file, const u_char *text, size_t len, bool last)
{
	if (file->fd == NGX_INVALID_FILE)
		return;
	writer.budget_bytes -= (int64_t)len + 1;
	struct outlet *outlet = writer.has_thread && len < OUTLET_BYTES ? outlet_of(file, last) : NULL;
	if (outlet == NULL || !outlet_open(outlet))
		write_now(file, text, len);
	else if (outlet_add(outlet, text, len))
		writer.hurry = writer.hurry || outlet->filled >= HURRY_BYTES;
	else
		writer.losses.by_room++;
}

void gate_writer_commit(void)
{
	bool wake = writer.waits || writer.hurry;

	writer.waits = false;
	pthread_mutex_unlock(&writer.lock);
	if (wake)
		pthread_cond_signal(&writer.work);
}

/* With the lock. What no patience helps to write is lost. */
static bool retire_all(void)
{
	for (struct outlet *outlet = writer.outlets; outlet != NULL; outlet = outlet->next)
		outlet->retired = outlet->fd >= 0;
	if (wait_for_retired())
		return true;
	for (struct outlet *outlet = writer.outlets; outlet != NULL; outlet = outlet->next) {
		size_t lost = outlet_records(outlet);
		if (lost == 0)
			continue;
		writer.losses.by_error += lost;
		writer.losses.error = ETIMEDOUT;
		writer.losses.name = outlet->file->name;
	}
	return false;
}

static void outlets_free(void)
{
	for (struct outlet *outlet = writer.outlets, *next; outlet != NULL; outlet = next) {
		next = outlet->next;
		outlet_free(outlet);
	}
	writer.outlets = NULL;
}

void gate_writer_stop(void)
{
	if (writer.owner != ngx_pid)
		return;
	pthread_mutex_lock(&writer.lock);
	bool settled = retire_all();
	writer.ends = true;
	pthread_cond_signal(&writer.work);
	pthread_mutex_unlock(&writer.lock);
	if (settled && writer.has_thread)
		pthread_join(writer.thread, NULL);
	if (settled)
		outlets_free();
	losses_tell();
	if (writer.tell.timer_set)
		ngx_del_timer(&writer.tell);
}
