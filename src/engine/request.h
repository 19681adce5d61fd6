/* The request as it comes in: its line and headers become values of variables. */
#ifndef GUIA_ENGINE_REQUEST_H
#define GUIA_ENGINE_REQUEST_H

#include "engine/transaction.h"

/* All copied. 0 or -ENOMEM, which the verdict of the phase will reflect. */
int request_line(struct transaction *t, struct slice method, struct slice uri, struct slice protocol);
int request_header(struct transaction *t, struct slice name, struct slice value);

/* What comes before phase 3 and before phase 5. 0 or -ENOMEM. */
int response_line(struct transaction *t, uint16_t status, struct slice protocol);
int response_sent(struct transaction *t, uint16_t status, uint64_t bytes);
int response_header(struct transaction *t, struct slice name, struct slice value);

/* Adds an argument to ARGS, to `part` (ARGS_GET, ARGS_POST, or ARGS itself for neither) and to their names. */
int request_argument(struct transaction *t, enum variable part, struct slice name, struct slice value, size_t offset);

/* SecArgumentsLimit less what is there; SIZE_MAX without a limit. */
size_t request_arguments_left(const struct transaction *t);

#endif
