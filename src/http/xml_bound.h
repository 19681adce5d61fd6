/* What of a document libxml2 would take too long over, found before it is asked. Inside http only. */
#ifndef GUIA_HTTP_XML_BOUND_H
#define GUIA_HTTP_XML_BOUND_H

#include "base/slice.h"

/* libxml2 compares each attribute of an element with all others of it, and of a type's declarations likewise. */
enum { XML_ATTRIBUTES_MAX = 1000 };

/* Why the document is not read, or NULL. */
const char *xml_bound_fault(struct slice body);

#endif
