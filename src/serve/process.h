/*
 * nginx and what runs beside it, as children. nginx is told by the kernel when we die (PR_SET_PDEATHSIG): its master
 * then ends its workers; and we adopt workers whose master was killed (PR_SET_CHILD_SUBREAPER), so that they can be
 * ended too.
 */
#ifndef GUIA_SERVE_PROCESS_H
#define GUIA_SERVE_PROCESS_H

#include "base/buffer.h"

#include <sys/types.h>

/*
 * Runs nginx to its end (-t) and collects what it says. *ret_status is its exit code, 128 + N if a signal ended it. 0
 * or -errno.
 */
int process_run(const char *const argv[], struct buffer *said, int *ret_status);

/* Starts nginx in the foreground as a child; its stderr is ours. 0 or -errno. */
int process_start(const char *const argv[], pid_t *ret_pid);

/*
 * The same of a program of ours, which tells us that it is ready and at least each `within_ms` that it lives, as it
 * would tell a service manager (base/service.h). Its words come as datagrams at *ret_words, which the caller closes.
 */
int process_start_telling(const char *const argv[], int within_ms, pid_t *ret_pid, int *ret_words);

/* The children of a process: at most `capacity` of them. Returns how many. */
size_t process_children(pid_t pid, pid_t *list, size_t capacity);

/* Makes this process the parent of whatever its descendants leave behind. 0 or -errno. */
int process_adopt(void);

/* Ends every child that is left, at once. */
void process_end_children(void);

#endif
