/* The inside of a client: its connections, and what happens to one. Shared by client.c and client_step.c. */
#ifndef GUIA_DRILL_CLIENT_STATE_H
#define GUIA_DRILL_CLIENT_STATE_H

#include "drill/client.h"
#include "drill/connection.h"

/* Connections in the order in which their time is up. */
struct due_list {
	struct connection *first;
	struct connection *last;
};

struct client {
	const struct client_job *job;
	int64_t start_ns;
	struct client_use *use;
	int64_t mark_cpu_ns;
	int64_t mark_ns;
	int64_t patience_ns;
	int64_t idle_ns;
	int64_t credit_ns; /* attackers': of the processor's time, for new connections */
	int64_t earned_ns;
	int64_t used_ns;
	size_t next; /* of the schedule */
	size_t limit;
	size_t open;
	struct dial dial;
	struct due_list waiting;
	struct due_list resting;
	struct connection **idle;  /* by person: a stack */
	struct connection *closed; /* to be freed */
	struct arena arena;
};

/* Takes up the item of the schedule: over an idle connection of that person's, else over a new one. */
void client_send(struct client *client, size_t index, int64_t now_ns);

/* Something happened to the connection, or may have: `ended` if the gate says no more. It may be gone afterwards. */
void client_step(struct client *client, struct connection *connection, bool ended, int64_t now_ns);

/* Nothing came within the time. */
void client_give_up(struct client *client, struct connection *connection, int64_t now_ns);

void client_drop(struct client *client, struct connection *connection, bool abruptly);

#endif
