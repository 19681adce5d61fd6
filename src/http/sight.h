/*
 * What a body is by its looks. Origins that do not look at a body's type, or accept any, read JSON that came as plain
 * text, a form that came as an image. Nothing is decoded here: the beginning decides, and for a form all of its bytes.
 */
#ifndef GUIA_HTTP_SIGHT_H
#define GUIA_HTTP_SIGHT_H

#include "base/slice.h"

enum sight {
	SIGHT_NOTHING,
	SIGHT_JSON, /* begins as an object, a list or a string does */
	SIGHT_XML,  /* begins as a document does */
	SIGHT_FORM, /* text that begins with NAME= */
};

enum sight sight_of(struct slice body);

/* Without the byte order mark of UTF-8 that editors put before a text, and most readers pass over. */
struct slice sight_unmarked(struct slice body);

#endif
