/* A request's transaction with the engine. */
#ifndef GUIA_NGINX_TRANSACTION_H
#define GUIA_NGINX_TRANSACTION_H

#include "gate.h"

/* Begins it and gives it the request's line and headers. */
ngx_int_t gate_transaction_begin(struct gate_context *context);

/*
 * Another one on the same request, for guia_transaction_end, which leaves no record and sees no collections. It counts
 * in the profile's `live`. NULL without memory.
 */
struct guia_transaction *gate_judge_begin(struct gate_context *context);

#endif
