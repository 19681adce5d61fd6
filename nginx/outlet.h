/*
 * A file that somebody logs to, with a buffer that is being filled and one that is being written. It knows nothing of
 * threads: see writer.c.
 */
#ifndef GUIA_NGINX_OUTLET_H
#define GUIA_NGINX_OUTLET_H

#include <ngx_config.h>
#include <ngx_core.h>

#include <stdbool.h>

enum {
	OUTLET_BYTES = 4 * 1024 * 1024, /* of each buffer; address space until it is needed */
	OUTLET_SPARED_PERCENT = 3,      /* of a log's disk are left to what needs it more */
};

struct outlet {
	ngx_open_file_t *file;
	int fd;        /* a duplicate, so that nginx may close its own meanwhile; -1: to be made with the next record */
	bool in_lines; /* not a regular file: a long write could be torn */
	bool retired;  /* its descriptor goes once all is written */
	bool torn;     /* the last record was written in part */
	bool scarce;   /* little of its disk is free */
	int64_t looked_ms; /* when the disk was last looked at */
	u_char *filling;
	size_t filled;
	u_char *writing;
	size_t to_write; /* the thread is at it */
	struct outlet *next;
};

/* NULL without memory. */
struct outlet *outlet_new(ngx_open_file_t *file);
void outlet_free(struct outlet *outlet);

/* Has a descriptor of its own. */
bool outlet_open(struct outlet *outlet);

/* Adds a record, and the newline that ends it. False if there is no room. */
bool outlet_add(struct outlet *outlet, const u_char *text, size_t len);

/* What was added becomes what is to be written, of which there must be nothing left. */
void outlet_swap(struct outlet *outlet);

/* Writes all that is to be written. 0 or an error of errno's, and how many records it cost. */
int outlet_write(struct outlet *outlet, size_t *ret_lost);

/* Looks how much of its disk is free, if the last look is a second old. `now_ms` by CLOCK_MONOTONIC. */
void outlet_look(struct outlet *outlet, int64_t now_ms);

/* Records that stand in its buffers. */
size_t outlet_records(const struct outlet *outlet);

#endif
