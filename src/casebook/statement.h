/* SQLite's statements with this tree's errors: bound, stepped and read one column after another. */
#ifndef GUIA_CASEBOOK_STATEMENT_H
#define GUIA_CASEBOOK_STATEMENT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { STATEMENT_ROW = 1, STATEMENT_DAMAGED = 2 };

/* 0, STATEMENT_DAMAGED or -errno of an SQLite result code. */
int statement_error(int code);

struct statement {
	sqlite3_stmt *stmt;
	int error; /* sticky: what comes after it does nothing */
	int at;    /* the parameter, or column, that comes next */
};

struct statement statement_prepare(sqlite3 *db, const char *sql);
void statement_number(struct statement *s, uint64_t number);
void statement_real(struct statement *s, double number);
void statement_text(struct statement *s, const char *text); /* valid until the step */

/* STATEMENT_ROW, 0 at the end, or the error. */
int statement_step(struct statement *s);
/* Steps to the end and makes it ready for other values. The error, or 0. */
int statement_run(struct statement *s);
/* The error, or 0. */
int statement_end(struct statement *s);

/* Columns of a row, in order. */
uint64_t statement_take(struct statement *s);
double statement_take_real(struct statement *s);
const char *statement_take_text(struct statement *s); /* valid until the next step */

#endif
