/* libmodsecurity's reading of a request, told variable by variable. */
#ifndef GUIA_TESTS_HTTP_ORACLE_H
#define GUIA_TESTS_HTTP_ORACLE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct oracle_text {
	const char *ptr;
	size_t len;
};

struct oracle_request {
	struct oracle_text uri;
	struct oracle_text cookie;       /* not sent if ptr is NULL */
	struct oracle_text content_type; /* likewise */
	struct oracle_text body;
	const char *processor; /* "", "JSON" or "XML": by a rule in phase 1 */
};

typedef void oracle_sink(void *context, const char *collection, struct oracle_text key, struct oracle_text value);

/* The configuration that the caller's own parsers are given too. */
enum {
	ORACLE_DEPTH_LIMIT = 8,
	ORACLE_ARGUMENTS_LIMIT = 12,
};

void oracle_ask(const struct oracle_request *request, oracle_sink *sink, void *context);

#ifdef __cplusplus
}
#endif

#endif
