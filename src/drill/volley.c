/*
 * The pace: frames are drawn and made once, then what is due by the clock is sent, CALL_MOST at a time, and the rest of
 * the time is slept. What sends them is volley_program.h's.
 */
#include "drill/volley.h"

#include "base/error.h"
#include "drill/random.h"

#include <string.h>
#include <time.h>

enum {
	CALLS_PER_SECOND = 3000, /* about; each makes a pool of pages and takes it down, which costs 15 µs */
	CALLS_OF_LINK =
		7500,    /* a shaper's queue has room again with each packet that goes: none may be left open long */
	CALL_MOST = 240, /* fits into the ring of a virtual link, of 256, though nobody has waked to empty it yet */
	TICK_US = 50,
	REAL_PERCENT = 25,            /* of sources of datagrams; the rest is forged */
	FORGED_RESIDENTS_PERCENT = 2, /* each so many a second as make no host of theirs busy with answers */
};

struct volley {
	const struct volley_job *job;
	struct volley_program *program;
	uint64_t random;
	uint32_t most_bytes; /* of a frame */
};

/* Residents' addresses are among them, since nobody need ask whose address he writes there. */
static struct host_address draw_source(struct volley *volley)
{
	const struct people *people = volley->job->people;
	const struct volley_shape *shape = &volley->job->plan->shape->volley;
	uint32_t dice = random_below(&volley->random, 100);
	if (shape->forged_residents > 0 && dice < FORGED_RESIDENTS_PERCENT)
		return people->visitors[random_below(&volley->random, shape->forged_residents)].address;
	if (people->attacker_count > 0 && dice >= 100 - REAL_PERCENT)
		return people->attackers[random_below(&volley->random, (uint32_t)people->attacker_count)].address;
	return people_nobody(people, &volley->random);
}

static void make_frame(struct volley *volley, struct volley_frame *ret_frame)
{
	const struct volley_shape *shape = &volley->job->plan->shape->volley;
	uint8_t bytes[PACKET_BYTES] = {0};
	uint64_t word = random_next(&volley->random);
	bool syn = shape->kind == PACKET_SYN;
	const struct packet_what what = {
		.kind = shape->kind,
		.bytes = shape->bytes,
		.from_port = shape->from_port != 0 ? shape->from_port : (uint16_t)(word | 1024),
		.to_port = syn ? (word >> 16 & 1 ? 80 : 443) : (uint16_t)(word >> 16 | 1),
		.sequence = (uint32_t)(word >> 32),
	};
	struct host_address from = draw_source(volley);
	while (from.six && shape->only_v4)
		from = draw_source(volley);
	uint32_t made = (uint32_t)packet_make(&volley->job->ends, &what, &from, bytes);
	memcpy(ret_frame->head, bytes, VOLLEY_HEAD_BYTES);
	ret_frame->bytes = made;
	ret_frame->ports_at = shape->from_port != 0 ? 0 : (uint32_t)packet_transport_at(&from);
	ret_frame->sum_at = (uint32_t)packet_checksum_at(shape->kind, &from);
	volley->most_bytes = made > volley->most_bytes ? made : volley->most_bytes;
}

static int64_t cpu_ns(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

static void pause_until(int64_t at_ns)
{
	int64_t left_ns = at_ns - clock_now_ns();
	if (left_ns > 0)
		nanosleep(&(struct timespec){left_ns / 1000000000, left_ns % 1000000000}, NULL);
}

/* What is due is sent at 1.25 times the rate at most: nobody sends in a moment what he missed in a long one. */
static void loop(struct volley *volley)
{
	const struct run_plan *plan = volley->job->plan;
	struct record *record = volley->job->record;
	int64_t start_ns = atomic_load(&record->start_ns) + (int64_t)plan->quiet_ms * 1000000;
	int64_t end_ns = start_ns + (int64_t)plan->attack_ms * 1000000, now_ns;
	uint32_t calls = plan->shape->link_mbit > 0 ? CALLS_OF_LINK : CALLS_PER_SECOND;
	uint32_t together = plan->attacks_per_second / calls;
	together = together < 1 ? 1 : together < CALL_MOST ? together : CALL_MOST;
	uint64_t done = 0;
	while ((now_ns = clock_now_ns()) < start_ns)
		pause_until(start_ns);
	int64_t cpu_start_ns = cpu_ns();
	record->attackers_use.first_ns = (uint64_t)(now_ns - atomic_load(&record->start_ns));
	while ((now_ns = clock_now_ns()) < end_ns) {
		uint64_t due = (uint64_t)(now_ns - start_ns) * plan->attacks_per_second / 1000000000;
		struct attack_second *second = &record->attack[record_second(now_ns - atomic_load(&record->start_ns))];
		if (due - done < together) {
			nanosleep(&(struct timespec){.tv_nsec = TICK_US * 1000}, NULL);
			continue;
		}
		uint32_t count = due - done < CALL_MOST ? (uint32_t)(due - done) : CALL_MOST;
		int64_t next_ns = now_ns + (int64_t)count * 800000000 / plan->attacks_per_second;
		/* What finds no room at the gate's card has been sent all the same, and is lost there. */
		uint32_t sent = volley_program_send(volley->program, count, (uint32_t)random_next(&volley->random),
						    volley->most_bytes);
		second->sent += sent;
		/* Visitors' packets among them took nobody's place; where none was sent the moment is over. */
		count = sent > 0 ? sent : count;
		second->offered += count;
		done += count;
		pause_until(next_ns);
	}
	volley_program_end(volley->program);
	record->attackers_use.attack_cpu_ns = cpu_ns() - cpu_start_ns;
	record->attackers_use.attack_wall_ns = clock_now_ns() - start_ns;
}

int volley_run(const struct volley_job *job)
{
	struct volley volley = {
		.job = job, .random = random_stream(job->plan->census.day, 9), .most_bytes = VOLLEY_HEAD_BYTES};
	int64_t end_ns = atomic_load(&job->record->start_ns) + (int64_t)run_plan_end_ms(job->plan) * 1000000;
	int r = volley_program_load(&job->links, &volley.program);
	if (r != 0)
		return r;
	struct volley_frame *frames = volley_program_frames(volley.program);
	for (size_t i = 0; i < VOLLEY_FRAMES; i++)
		make_frame(&volley, &frames[i]);
	loop(&volley);
	/* What the program does with the gate's answers is wanted to the end. */
	while (clock_now_ns() < end_ns)
		pause_until(end_ns);
	volley_program_unload(volley.program);
	return 0;
}
