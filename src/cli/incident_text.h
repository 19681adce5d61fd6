/* An incident as people read it; a list of them also as JSON. */
#ifndef GUIA_CLI_INCIDENT_TEXT_H
#define GUIA_CLI_INCIDENT_TEXT_H

#include "base/buffer.h"
#include "casebook/store.h"

struct incident_list {
	struct buffer *out;
	bool json;
	size_t rows;
};

void incident_list_begin(struct incident_list *list);
bool incident_list_row(void *list, const struct case_record *record);
void incident_list_end(struct incident_list *list);

/* All that is kept of one. 0, or what the store answers. */
int incident_add_text(struct case_store *store, const struct case_record *record, struct buffer *out);

#endif
