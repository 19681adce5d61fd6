/* The five phases: which rules run, when they stop, and what failures mean. */
#ifndef GUIA_ENGINE_PHASE_H
#define GUIA_ENGINE_PHASE_H

#include "engine/transaction.h"

/* Runs a phase, unless it has run, or the transaction has been disrupted (but for PHASE_LOGGING). */
struct guia_verdict phase_run(struct transaction *t, unsigned phase);

/* Whether bodies are wanted now. */
bool phase_request_body_wanted(const struct transaction *t);
bool phase_response_body_wanted(const struct transaction *t);

#endif
