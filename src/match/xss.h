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

bool xss_detect(struct slice value);

#endif
