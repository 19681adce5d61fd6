/*
 * The bytes of a body as they come, up to a limit: in place; or copied into the transaction's arena; or, where it was
 * said how many will come in pieces, into a mapping of their own. A mapping holds no more than the limit lets in, does
 * not count as the transaction's memory, and gives back what no rule can ask for any more: a client that waits for the
 * origin with an upload behind it costs what its fields hold, not what its files do.
 */
#ifndef GUIA_ENGINE_BODY_BYTES_H
#define GUIA_ENGINE_BODY_BYTES_H

#include "engine/transaction.h"

/* Before the first piece. 0 or -ENOMEM. */
int body_expect(struct transaction *t, struct body *body, uint64_t bytes);

/* As guia_request_body and guia_response_body: 0, 1 when the rest is not wanted, or -ENOMEM. */
int body_add(struct transaction *t, struct body *body, struct slice bytes, bool stays);

/* After phase 2: what of the request's body will not be read again goes back. */
void body_give_back(struct transaction *t);

#endif
