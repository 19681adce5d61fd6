/*
 * What both sides say of a request, collected, sorted and compared; and pieces drawn by a seed that requests are put
 * together from. For http_oracle.c and multipart_oracle.c.
 */
#ifndef GUIA_TESTS_ORACLE_HTTP_WORKSHOP_H
#define GUIA_TESTS_ORACLE_HTTP_WORKSHOP_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/test.h"
#include "http/field.h"
#include "http_oracle.h"
#include "random.h"

enum { TOLD_LINES = 4096 };

/* What one side says: "COLLECTION key=value" lines, sorted before they are compared. */
struct told {
	struct arena *arena;
	struct slice lines[TOLD_LINES];
	size_t count;
};

struct workshop {
	struct arena arena; /* of one request */
	uint64_t seed;
	struct told ours;
	struct told theirs;
};

void tell(struct told *told, const char *collection, struct slice key, struct slice value);
void tell_text(struct told *told, const char *collection, const char *value);
void tell_number(struct told *told, const char *collection, struct slice key, size_t number);
void tell_fields(struct told *told, const char *collection, const struct field_list *list);

/* The caller closes it. */
struct workshop *workshop_open(uint64_t seed);
void workshop_close(struct workshop *w);

/* Empties both sides, and the arena. */
void workshop_next(struct workshop *w);

/* Has libmodsecurity read the request; of what it says, the collections named in `wanted`, each between spaces. */
void workshop_ask(struct workshop *w, const struct oracle_request *request, const char *wanted);

/* Fails the test, and shows all, unless both sides say the same. */
void workshop_compare(struct workshop *w, struct slice input);

struct oracle_text to_oracle(struct slice s);

/* Pieces, up to `most` of them in a row. */
struct slice workshop_compose(struct workshop *w, const char *const *pieces, size_t count, size_t most);

#define PICK(w, table)           table[random_below(&(w)->seed, sizeof(table) / sizeof(table[0]))]
#define COMPOSE(w, pieces, most) workshop_compose(w, pieces, sizeof(pieces) / sizeof(pieces[0]), most)

#endif
