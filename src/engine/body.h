/* Bodies, once they are there (body_bytes.h): read by the processor that the request or a rule chose. */
#ifndef GUIA_ENGINE_BODY_H
#define GUIA_ENGINE_BODY_H

#include "engine/transaction.h"

/* Before phase 2: arguments, files, flags and errors out of the request's body. 0 or -ENOMEM. */
int body_process_request(struct transaction *t);

/* Before phase 4. 0 or -ENOMEM. */
int body_process_response(struct transaction *t);

/* Whether a response of this type is one that rules want to see. */
bool body_response_type_inspected(const struct transaction *t);

#endif
