/*
 * The request's body: read whole before anything sees it, then given to the transaction.
 *
 * A body in memory is given in place. One in a temporary file is read in pieces, so that a disk that fails or a file
 * that was cut short is an error like any other: guia_on_failure decides. It is not mapped, for there the same would be
 * a signal that ends the worker and all its requests.
 */
#ifndef GUIA_NGINX_BODY_H
#define GUIA_NGINX_BODY_H

#include "gate.h"

/* Whether there is a body to read that rules ask for. */
bool gate_body_wanted(struct gate_context *context);
/* Begins to read it: NGX_DONE, phases go on when it is read; or a status. */
ngx_int_t gate_body_read(struct gate_context *context);
/* Gives what was read to the transaction. */
void gate_body_feed(struct gate_context *context);
/* Nobody will ask for what was kept of one in a file. */
void gate_body_forget(struct gate_context *context);
/* Its first bytes as they came, copied: as many as there is room for, and as are in memory. */
size_t gate_body_copy(const struct gate_context *context, u_char *bytes, size_t room);

#endif
