/*
 * A document of XML without the names in it: every letter of the name of an element or attribute becomes an x. Texts,
 * values, comments, declarations and all punctuation stay where they are. Names are words of a schema and no input: the
 * Core Rule Set's tests want rules that look at the raw body to pass over them.
 */
#ifndef GUIA_HTTP_XML_NAMES_H
#define GUIA_HTTP_XML_NAMES_H

#include "base/arena.h"

/*
 * `document` is well-formed; of any other, too, nothing changes but letters between < and >, outside quotes.
 * One whose encoding does not hold ASCII stays as it is. *ret_hidden is a copy in the arena, as long as the document. 0
 * or -ENOMEM. Linear in the bytes.
 */
int xml_hide_names(struct slice document, struct arena *arena, struct slice *ret_hidden);

#endif
