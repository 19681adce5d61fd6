/* Whether a request comes from a page of ours, or from a person: by its Host, Origin and Sec-Fetch-Site. */
#ifndef GUIA_SCREEN_DOORS_H
#define GUIA_SCREEN_DOORS_H

#include <stdbool.h>

/* This machine by one of its own names, at any port: a tunnel may end at another. NULL is none of them. */
bool host_is_own(const char *host);

/* The page that sent a request is one of ours: it names our host, and what may be missing says nothing else. */
bool origin_is_own(const char *origin, const char *fetch_site, const char *host);

#endif
