/*
 * The network of the drill: the world, in which everybody's addresses are, an operator's router, and the gate's host,
 * joined by virtual links.
 */
#ifndef GUIA_DRILL_NETWORK_H
#define GUIA_DRILL_NETWORK_H

#include "drill/packet.h"
#include "drill/people.h"
#include "drill/stage.h"

#include <sched.h>

enum {
	NETWORK_RECEIVES_ELSEWHERE = 1,
	NETWORK_MASK_BYTES = CPU_SETSIZE / 32 * 9, /* for the longest */
};

/* One processor, below CPU_SETSIZE, as the kernel writes a set of them: words of 32 in hexadecimal, highest first. */
void network_mask(int processor, char out[NETWORK_MASK_BYTES]);

/*
 * 0; NETWORK_RECEIVES_ELSEWHERE if all is there, but the kernel does not let the gate's receive work be put on the
 * gate's processor, as it does not without root; or -errno. The process is in the world afterwards.
 */
int network_build(const struct stage *stage, int gate_processor, int crowd_processor);

/* The addresses of a run, in the world and on the router. They go with the namespaces. */
int network_admit(const struct stage *stage, const struct people *people);

/*
 * Sockets with this mark (SO_MARK) reach the router by a link of their own, visitors' of floods of requests: a link has
 * places for 256 packets, and the world's one kernel sends again what thousands of attackers have sent, all in one go.
 */
#define NETWORK_VISITORS_MARK 1

/* The link between the world and the operator's router, by its name at either end. */
#define NETWORK_WORLD_LINK        "world"
#define NETWORK_ROUTER_WORLD_LINK "outside"

/* That of visitors in floods of requests. */
#define NETWORK_VISITORS_LINK "visitors"
#define NETWORK_ROUTER_ENTRY  "entry"

/*
 * Both ends of a packet on its way to the gate, where the router puts it on the link to the gate, or where the world
 * hands it to the router. The process is in the world afterwards. 0 or -errno.
 */
int network_ends(const struct stage *stage, bool from_world, struct packet_ends *ret_ends);

/*
 * The gate's link as a card has it: what comes is worked at in batches by a thread of the kernel's, on the gate's
 * processor, before and behind the edge alike. *ret_receiver is its process number outside. 0 or -errno; the process
 * is in the world afterwards.
 */
int network_card_begin(const struct stage *stage, int gate_processor, int crowd_processor, enum receiver_turn router,
		       int *ret_receiver);
void network_card_end(const struct stage *stage, int gate_processor, int crowd_processor);

#endif
