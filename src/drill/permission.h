/* `guia allow`, as a person would say it to the watch of a run. */
#ifndef GUIA_DRILL_PERMISSION_H
#define GUIA_DRILL_PERMISSION_H

#include "base/buffer.h"
#include "drill/people.h"

/* The watch may need a moment until it listens at `control`. 0, or -errno with what went wrong added to `said`. */
int permission_give(const char *control, const struct host_address *address, struct buffer *said);

#endif
