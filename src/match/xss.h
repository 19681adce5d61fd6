/*
 * @detectXSS: would a browser run script from a value placed in a page as text or inside an attribute (unquoted or in
 * one of the three quotes)? The method is Galbreath's (libinjection): tokenise as HTML from each of those five states
 * and judge tags, attributes, URL schemes, doctypes and comments.
 *
 * Pure and thread-safe: no allocation, no state, constant stack, time linear in the bytes.
 */
#ifndef GUIA_MATCH_XSS_H
#define GUIA_MATCH_XSS_H

#include "base/slice.h"

/* Whether xss_detect() could say yes: nothing runs without a tag or an attribute's value. No is certain and costs two
 * memchr(). */
bool xss_possible(struct slice value);

/* Whether a browser might run script from `value`; asks xss_possible() by itself. */
bool xss_detect(struct slice value);

#endif
