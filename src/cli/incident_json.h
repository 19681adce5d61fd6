/* An incident as JSON; docs/incidents.md names the members. */
#ifndef GUIA_CLI_INCIDENT_JSON_H
#define GUIA_CLI_INCIDENT_JSON_H

#include "base/buffer.h"
#include "casebook/store.h"

/* The members of an incident in a list, without braces; times in milliseconds since 1970, 0: not (yet). */
void incident_add_json_members(const struct case_record *record, struct buffer *out);

/* All that is kept of one, as an object on a line. 0, or what the store answers. */
int incident_add_json(struct case_store *store, const struct case_record *record, struct buffer *out);

#endif
