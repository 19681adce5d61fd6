/* The gate of a run: guia serve itself, as a person would start it. */
#ifndef GUIA_DRILL_GATE_H
#define GUIA_DRILL_GATE_H

#include "base/buffer.h"
#include "drill/stage.h"

#include <sys/types.h>

/* On the stage's guia.yaml; with `guia` false all else is the same. Its process number or -errno. */
pid_t gate_start(const struct stage *stage, int processor, bool guia);

/* Until every site shows its first page. 0 or -errno; -ECHILD if it has ended, which is waited for. */
int gate_await(pid_t pid);

/* What it logged, added to `said`. */
void gate_tell(const struct stage *stage, struct buffer *said);

/* As a person would end it; it is given some time. */
void gate_end(pid_t pid);

#endif
