/*
 * Memory for OpenSSL's objects, of which a crowd makes and gives back thousands a second: each size has a list of what
 * was given back, so that none is looked for among the others.
 */
#ifndef GUIA_DRILL_SPARE_H
#define GUIA_DRILL_SPARE_H

/* Before the process has OpenSSL do anything; else all stays as it was. */
void spare_begin(void);

#endif
