/*
 * Writing to logs without waiting. Each process of nginx has a thread that writes; the process itself only copies a
 * record into a buffer of the file's. What finds no room there is shed, and so are what passes the byte rate and
 * what would take the last of a disk: all are counted and told once a second, as are records that could not be written.
 * A process that is killed loses what stands in its buffers, some milliseconds' records; one that ends in order writes
 * it first.
 *
 * All functions are for the process's own thread.
 */
#ifndef GUIA_NGINX_WRITER_H
#define GUIA_NGINX_WRITER_H

#include <ngx_config.h>
#include <ngx_core.h>

#include <stdbool.h>

/*
 * Begins a request's records, under a limit of bytes a second (0: none); a burst of some seconds' worth may go through
 * at once. False if they are shed; else they are added, and nothing of them is written before the commit.
 */
bool gate_writer_begin(size_t bytes_a_second);

/*
 * Adds one record: a line of text, here without its newline. Files whose records come last of a request's are written
 * last: whoever sees such a record finds the request's others in their files.
 */
void gate_writer_add(ngx_open_file_t *file, const u_char *text, size_t len, bool last);
void gate_writer_commit(void);

/* As file->flush: what was said so far is for the old file, nginx opens it again. */
void gate_writer_reopen(ngx_open_file_t *file, ngx_log_t *log);

/* A file of what people typed: made for nginx alone to read, before nginx opens it as it opens its logs. */
void gate_writer_make_private(const ngx_str_t *name);

/* As file->flush of such a file. */
void gate_writer_reopen_private(ngx_open_file_t *file, ngx_log_t *log);

/* Writes what there is, as far as that is soon done, and ends the thread: the process ends. */
void gate_writer_stop(void);

#endif
