/*
 * One Cookie header, version 0 (Netscape), as libmodsecurity reads it: split at ';', a name ends at the first '=' or is
 * the whole piece; white space is cut before names and behind the last piece; pieces without a name are left out.
 * Nothing is decoded, so every slice lies in the header.
 */
#ifndef GUIA_HTTP_COOKIES_H
#define GUIA_HTTP_COOKIES_H

#include "http/field.h"

/* Appends to `list`. 0 or -ENOMEM. */
int cookies_parse(struct slice header, struct field_list *list);

#endif
