/*
 * Stages over the network against a real gate, whose error log is read. Before and after a stage a marker request is
 * sent (a request of our own whose path holds a random word that a rule logs, rule 999999 of tests/crs); what the log
 * gained between the two belongs to the stage.
 */
#ifndef GUIA_FTW_REMOTE_H
#define GUIA_FTW_REMOTE_H

#include "ftw/run.h"

struct ftw_remote;

/* 0, FTW_INVALID (the URL is not http://ADDRESS:PORT), or -errno. */
int ftw_remote_open(const char *url, const char *log_path, struct ftw_remote **ret_remote);
void ftw_remote_close(struct ftw_remote *remote);

/* -ENODATA when the marker does not come up in the log. */
int ftw_stage_remote(void *remote, const struct ftw_stage *stage, struct slice *cookie, struct arena *arena,
		     struct ftw_seen *ret_seen);

#endif
