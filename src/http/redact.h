/*
 * Secrets out of whatever is written: a value is replaced by "[redacted]" when its name says that it is a secret
 * (passwords, tokens, sessions, keys, card numbers; in the languages of the sites), by a built-in table and by names
 * that the caller adds. Structure stays readable. Input is hostile and may be cut off anywhere; when in doubt it is
 * redacted.
 */
#ifndef GUIA_HTTP_REDACT_H
#define GUIA_HTTP_REDACT_H

#include "base/buffer.h"

/* What the built-in table says of some names, remembered by their exact bytes. One per thread; free() frees it. */
struct redact_memo;
struct redact_memo *redact_memo_new(void);

/* Names in addition to the built-in table; not owned. They match as whole names, case, '-', '_' and '.' aside. */
struct redact_names {
	const struct slice *extra;
	size_t extra_count;
	struct redact_memo *memo; /* may be NULL */
};

/*
 * `name` as a client sent it: an argument, header, cookie, JSON key, a path ("json.user.password") or a variable
 * ("ARGS:password", "REQUEST_HEADERS:Authorization"). One secret component makes the whole secret.
 */
bool redact_name_is_secret(const struct redact_names *names, struct slice name);
/* The same of a name that may be written with %XX or, as in JSON, with \uXXXX. */
bool redact_encoded_name_is_secret(const struct redact_names *names, struct slice name);

/* Whether headers of multipart parts that stand somewhere in the text name a secret field or file. */
bool redact_part_is_secret(const struct redact_names *names, struct slice headers);

/* Each appends to `out` the text with its secrets replaced; errors are the buffer's. */
void redact_value(const struct redact_names *names, struct slice name, struct slice value, struct buffer *out);
void redact_arguments(const struct redact_names *names, struct slice text, uint8_t separator, struct buffer *out);
void redact_uri(const struct redact_names *names, struct slice uri, struct buffer *out);
void redact_header(const struct redact_names *names, struct slice name, struct slice value, struct buffer *out);
/* Whether redact_header() leaves all values of a header so named as they are: no copy is needed. */
bool redact_header_keeps(const struct redact_names *names, struct slice name);
void redact_json(const struct redact_names *names, struct slice body, struct buffer *out);
void redact_multipart(const struct redact_names *names, struct slice body, struct buffer *out);

/* By the content type: urlencoded, JSON, multipart; anything else is tried as JSON, then left as it is. */
void redact_body(const struct redact_names *names, struct slice content_type, struct slice body, struct buffer *out);

/*
 * Free text of a rule (msg, logdata), whose rule looked at the variable `variable` ("ARGS:password"; empty if unknown)
 * with the value `value`. If the variable is secret, the value wherever it stands in the text goes; and "Matched Data:
 * X found within NAME: Y", the Core Rule Set's form, loses X and Y where NAME is secret. URLs in the text lose their
 * secret arguments.
 */
void redact_text(const struct redact_names *names, struct slice variable, struct slice value, struct slice text,
		 struct buffer *out);
/* The same where the variable has been judged: `secret` is its name if it is a secret's, or else empty. */
void redact_text_judged(const struct redact_names *names, struct slice secret, struct slice value, struct slice text,
			struct buffer *out);

/*
 * The same without a variable, but no more of it than the first `limit` bytes, or a little more: what is cut off is not
 * gone over name by name. Returns how many bytes of the text stand behind what was told.
 */
size_t redact_text_beginning(const struct redact_names *names, struct slice text, size_t limit, struct buffer *out);

/*
 * Whether redact_text() without a variable would leave the text as it is: most hold no secret, and need no copy. With
 * the last `known` bytes ends a text of which that was found by the same names: they are not gone over again.
 */
bool redact_text_keeps(const struct redact_names *names, struct slice text, size_t known);

#endif
