/*
 * What a body is by its looks. Origins that do not look at a body's type, or accept any, read JSON that came as plain
 * text, a form that came as an image. Nothing is decoded here: the beginning decides, and for a form all of its bytes.
 */
#ifndef GUIA_HTTP_SIGHT_H
#define GUIA_HTTP_SIGHT_H

#include "base/slice.h"

enum sight {
	SIGHT_NOTHING,
	SIGHT_JSON,      /* begins as an object, a list or a string does */
	SIGHT_WIDE_JSON, /* as an object or a list does, in UTF-16 or UTF-32 */
	SIGHT_XML,       /* begins as a document does */
	SIGHT_FORM,      /* text that begins with NAME= */
};

enum sight sight_of(struct slice body);

/* No control bytes but white space. */
bool sight_is_text(struct slice body);

/* Behind the byte order mark, if there is one. */
struct slice sight_text(struct slice body);

#endif
