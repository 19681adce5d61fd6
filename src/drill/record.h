/*
 * What a run leaves to be judged: memory shared by the conductor, the origin and the two clients. Each part is written
 * by one process and read when that one has ended, but for what is atomic.
 */
#ifndef GUIA_DRILL_RECORD_H
#define GUIA_DRILL_RECORD_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RECORD_SECONDS = 300,
};

enum outcome {
	OUTCOME_NONE,     /* not sent */
	OUTCOME_ANSWERED, /* 2xx with the body that the origin made, within the time */
	OUTCOME_COPY,     /* the same, but an older one, where that is allowed */
	OUTCOME_REFUSED,  /* another status */
	OUTCOME_FOREIGN,  /* 2xx, but not the body that was asked for */
	OUTCOME_CLOSED,   /* no connection, or it was closed without an answer */
	OUTCOME_LATE,     /* nothing within the time */
	OUTCOMES,
};

/* One request of a visitor. */
struct asked {
	int64_t meant_ns; /* when it was to be sent, from the start */
	int32_t late_us;  /* how much later it was, which is the client's fault */
	int32_t took_us;  /* from when it was meant to the end of the answer */
	uint16_t status;  /* of HTTP; 0: none */
	uint8_t outcome;
	uint8_t kept;   /* whether a copy might have answered it */
	uint8_t guest;  /* not a resident */
	uint8_t forged; /* attackers say that they are at this address */
};

/* One second of the attack, as the attackers see it. */
struct attack_second {
	uint32_t offered; /* due, and looked at in time */
	uint32_t sent;    /* written to a connection, or a new one tried for it */
	uint32_t tried;   /* connections begun */
	uint32_t written; /* requests, whole; of slow manners pieces */
	uint32_t outcomes[OUTCOMES];
	uint32_t open; /* connections at its end */
};

/* One second at the origin. */
struct origin_second {
	uint32_t residents; /* requests that came in */
	uint32_t attackers;
	uint32_t busiest; /* the most slots in use */
	uint32_t longest; /* the longest queue */
};

/* What a client used up of its processor. */
struct client_use {
	int64_t attack_cpu_ns; /* while the attack was on */
	int64_t attack_wall_ns;
	uint64_t first_ns; /* its first packet, from the start; 0: none */
};

/* What the gate's processor and its link had done by some moment. */
struct toll {
	int64_t at_ns;     /* CLOCK_MONOTONIC; 0: not taken */
	uint64_t spent_ns; /* of the processor, by the kernel's thread that receives */
	uint64_t received; /* packets, by the link */
	uint64_t lost;     /* others, before anybody looked at them: there was no room */
};

/* Packets, since the edge was attached. */
struct fence_counts {
	uint64_t passed;
	uint64_t dropped;
	uint64_t answered;
};

struct record {
	_Atomic int64_t start_ns; /* CLOCK_MONOTONIC; 0: not yet */
	struct attack_second attack[RECORD_SECONDS];
	struct origin_second origin[RECORD_SECONDS];
	struct client_use visitors_use;
	struct client_use attackers_use;
	struct toll quiet_from, quiet_to, attack_to;
	struct fence_counts fence_quiet, fence_attack; /* at the ends of both */
	int64_t asked_first_ns; /* when the operator's table first had a route of ours, from the start; 0: never */
	int asked_rules;        /* in it, at the end of the attack */
	int64_t fence_first_ns; /* when the edge first stopped what it did not in quiet, from the start; 0: never */
	size_t asked_count;
	struct asked asked[];
};

/* 0 or -ENOMEM. */
int record_map(size_t asked_count, struct record **ret_record);
void record_unmap(struct record *record);

int64_t clock_now_ns(void);

/* The index of the second of a moment from the start, within bounds. */
static inline size_t record_second(int64_t since_ns)
{
	int64_t second = since_ns / 1000000000;
	return second < 0 ? 0 : second < RECORD_SECONDS ? (size_t)second : RECORD_SECONDS - 1;
}

#endif
