/* Time as the watch and this gate count it, and rates by it. */
#ifndef GUIA_NGINX_CLOCK_H
#define GUIA_NGINX_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* CLOCK_BOOTTIME: the one in which the watch and the gate tell each other when something ends. */
uint64_t gate_now_ns(void);

/* What this thread has had of a processor: what is waited for, and what others take meanwhile, is not in it. */
uint64_t gate_worked_ns(void);

/* GCRA: whether `amount` more keeps to a rate. *due_ns is when the next would be on time; 0 to begin with. */
bool gate_rate_allows(uint64_t *due_ns, uint64_t now_ns, uint64_t amount, uint64_t a_second, uint64_t at_once);

#endif
