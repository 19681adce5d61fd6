/* The public slice and the house's own are the same two words. */
#ifndef GUIA_API_CONVERT_H
#define GUIA_API_CONVERT_H

#include "base/slice.h"
#include "guia.h"

static inline struct slice slice_in(struct guia_slice s)
{
	return slice_make(s.len == 0 ? (const void *)"" : s.ptr, s.len);
}

static inline struct guia_slice slice_out(struct slice s)
{
	return (struct guia_slice){s.ptr, s.len};
}

#endif
