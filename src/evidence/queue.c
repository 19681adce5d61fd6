/*
 * Two buffers that change places: one is filled under the lock while the other is read without it. A record gets its
 * time as it is put, from the wall clock, which is held against the boot clock each time to see whether it was set.
 */
#include "evidence/queue.h"

#include "base/condition.h"
#include "base/error.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	STEP_MS = 100, /* a wall clock that is off by more from one record to the next was set */
	MOMENT_MS = STEP_MS / 4,
	GATHER_MS = 5,
	GATHER_BYTES = 64 * 1024, /* with so much there is no need to wait for more */
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	size_t capacity;
	uint8_t *filling;
	size_t filled;
	uint8_t *taken;
	struct queue_loss lost[LEAF_KINDS];
	int64_t offset_ms; /* wall clock less boot clock at the last record */
	uint64_t last_ms;
	bool ending;
};

/* What precedes a record's fields. */
struct item_head {
	uint64_t time_ms;
	uint64_t put_ns;
	uint32_t len;
	uint32_t kind;
};

/* Of one moment: where this thread stood still between the two clocks they are read again. -> wall less boot clock */
static int64_t clocks_read(uint64_t *ret_now_ms)
{
	int64_t boot_ms;
	do {
		boot_ms = clock_boot_ms();
		*ret_now_ms = clock_now_ms();
	} while (clock_boot_ms() - boot_ms > MOMENT_MS);
	return (int64_t)*ret_now_ms - boot_ms;
}

int queue_create(size_t bytes, struct queue **ret_queue)
{
	struct queue *queue = calloc(1, sizeof(*queue));
	if (queue == NULL)
		return -ENOMEM;
	queue->capacity = bytes;
	queue->filling = malloc(bytes);
	queue->taken = malloc(bytes);
	pthread_mutex_init(&queue->lock, NULL);
	condition_init(&queue->wake);
	queue->offset_ms = clocks_read(&queue->last_ms);
	if (queue->filling == NULL || queue->taken == NULL) {
		queue_free(queue);
		return -ENOMEM;
	}
	*ret_queue = queue;
	return 0;
}

void queue_free(struct queue *queue)
{
	if (queue == NULL)
		return;
	pthread_mutex_destroy(&queue->lock);
	pthread_cond_destroy(&queue->wake);
	free(queue->filling);
	free(queue->taken);
	free(queue);
}

/* ---- with the lock held ---- */

static bool add(struct queue *queue, enum leaf_kind kind, uint64_t time_ms, struct slice fields)
{
	struct item_head head = {time_ms, clock_monotonic_ns(), (uint32_t)fields.len, kind};
	if (queue->ending || queue->capacity - queue->filled < sizeof(head) + fields.len) {
		struct queue_loss *loss = &queue->lost[kind];
		loss->since_ms = loss->records++ == 0 ? time_ms : loss->since_ms;
		loss->until_ms = time_ms;
		return false;
	}
	memcpy(queue->filling + queue->filled, &head, sizeof(head));
	memcpy(queue->filling + queue->filled + sizeof(head), fields.ptr, fields.len);
	queue->filled += sizeof(head) + fields.len;
	return true;
}

static uint64_t stamp(struct queue *queue)
{
	uint64_t now;
	int64_t offset = clocks_read(&now), step = offset - queue->offset_ms;
	if (step > STEP_MS || step < -STEP_MS) {
		struct buffer fields = buffer_make(NULL);
		const struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_number((uint64_t)((int64_t)now - step)),
								    leaf_number(now)};
		leaf_write_fields(LEAF_CLOCK_STEP, values, &fields);
		(void)add(queue, LEAF_CLOCK_STEP, now, buffer_slice(&fields));
		buffer_free(&fields);
		queue->last_ms = now;
	}
	queue->offset_ms = offset;
	queue->last_ms = now > queue->last_ms ? now : queue->last_ms;
	return queue->last_ms;
}

/* ---- */

bool queue_put(struct queue *queue, enum leaf_kind kind, struct slice fields)
{
	pthread_mutex_lock(&queue->lock);
	uint64_t now = stamp(queue);
	bool first = queue->filled == 0, taken = add(queue, kind, now, fields);
	if (first)
		pthread_cond_signal(&queue->wake);
	pthread_mutex_unlock(&queue->lock);
	return taken;
}

static void wait_for_first(struct queue *queue, int wait_ms)
{
	uint64_t until_ns = clock_monotonic_ns() + (uint64_t)wait_ms * CLOCK_NS_PER_MS;
	while (queue->filled == 0 && !queue->ending && condition_wait(&queue->wake, &queue->lock, until_ns))
		;
}

void queue_take(struct queue *queue, int wait_ms, struct queue_taken *ret_taken)
{
	pthread_mutex_lock(&queue->lock);
	wait_for_first(queue, wait_ms);
	if (queue->filled > 0 && queue->filled < GATHER_BYTES && !queue->ending) {
		pthread_mutex_unlock(&queue->lock);
		usleep(GATHER_MS * 1000);
		pthread_mutex_lock(&queue->lock);
	}
	ret_taken->time_ms = stamp(queue);
	uint8_t *bytes = queue->filling;
	ret_taken->bytes = slice_make(bytes, queue->filled);
	ret_taken->ending = queue->ending;
	memcpy(ret_taken->lost, queue->lost, sizeof(queue->lost));
	memset(queue->lost, 0, sizeof(queue->lost));
	queue->filling = queue->taken;
	queue->taken = bytes;
	queue->filled = 0;
	pthread_mutex_unlock(&queue->lock);
}

bool queue_next(struct queue_taken *taken, struct queue_item *ret_item)
{
	struct item_head head;
	if (taken->bytes.len < sizeof(head))
		return false;
	memcpy(&head, taken->bytes.ptr, sizeof(head));
	*ret_item = (struct queue_item){(enum leaf_kind)head.kind, head.time_ms, head.put_ns,
					slice_sub(taken->bytes, sizeof(head), sizeof(head) + head.len)};
	taken->bytes = slice_after(taken->bytes, sizeof(head) + head.len);
	return true;
}

void queue_end(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->ending = true;
	pthread_cond_signal(&queue->wake);
	pthread_mutex_unlock(&queue->lock);
}

bool queue_ending(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	bool ending = queue->ending;
	pthread_mutex_unlock(&queue->lock);
	return ending;
}

uint64_t queue_oldest_ns(struct queue *queue)
{
	struct item_head head = {.put_ns = 0};
	pthread_mutex_lock(&queue->lock);
	if (queue->filled > 0)
		memcpy(&head, queue->filling, sizeof(head));
	pthread_mutex_unlock(&queue->lock);
	return head.put_ns;
}

uint64_t queue_lost(struct queue *queue)
{
	uint64_t lost = 0;
	pthread_mutex_lock(&queue->lock);
	for (enum leaf_kind kind = 0; kind < LEAF_KINDS; kind++)
		lost += queue->lost[kind].records;
	pthread_mutex_unlock(&queue->lock);
	return lost;
}
