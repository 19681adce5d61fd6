/*
 * Binding and taking count their place: the order of calls is that of parameters and of columns. The first error stays
 * and is told at the end, so that nothing needs to be checked in between.
 */
#include "casebook/statement.h"

#include "base/error.h"

#include <stddef.h>

int statement_error(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return STATEMENT_DAMAGED;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
	case SQLITE_AUTH:
		return -EACCES;
	default:
		return -EIO;
	}
}

struct statement statement_prepare(sqlite3 *db, const char *sql)
{
	struct statement s = {0};
	s.error = statement_error(sqlite3_prepare_v2(db, sql, -1, &s.stmt, NULL));
	return s;
}

static void keep_error(struct statement *s, int code)
{
	if (s->error == 0)
		s->error = statement_error(code);
}

/* SQLite's integers are signed: what is beyond them, as a time of year 292 million, stands at the most there is. */
void statement_number(struct statement *s, uint64_t number)
{
	if (s->error == 0)
		keep_error(s, sqlite3_bind_int64(s->stmt, ++s->at, number > INT64_MAX ? INT64_MAX : (int64_t)number));
}

void statement_real(struct statement *s, double number)
{
	if (s->error == 0)
		keep_error(s, sqlite3_bind_double(s->stmt, ++s->at, number));
}

void statement_text(struct statement *s, const char *text)
{
	if (s->error == 0)
		keep_error(s, sqlite3_bind_text(s->stmt, ++s->at, text, -1, SQLITE_STATIC));
}

int statement_step(struct statement *s)
{
	if (s->error != 0)
		return s->error;
	int code = sqlite3_step(s->stmt);
	s->at = 0;
	keep_error(s, code);
	return s->error != 0 ? s->error : code == SQLITE_ROW ? STATEMENT_ROW : 0;
}

int statement_run(struct statement *s)
{
	while (statement_step(s) == STATEMENT_ROW && s->error == 0)
		;
	if (s->stmt != NULL) {
		sqlite3_reset(s->stmt);
		sqlite3_clear_bindings(s->stmt);
	}
	return s->error;
}

int statement_end(struct statement *s)
{
	sqlite3_finalize(s->stmt);
	s->stmt = NULL;
	return s->error;
}

uint64_t statement_take(struct statement *s)
{
	int64_t number = sqlite3_column_int64(s->stmt, s->at++);
	return number > 0 ? (uint64_t)number : 0;
}

double statement_take_real(struct statement *s)
{
	return sqlite3_column_double(s->stmt, s->at++);
}

const char *statement_take_text(struct statement *s)
{
	const unsigned char *text = sqlite3_column_text(s->stmt, s->at++);
	return text != NULL ? (const char *)text : "";
}
