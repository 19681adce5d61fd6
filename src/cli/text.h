/*
 * Bytes that came from anywhere, made fit for a terminal or for JSON. Control characters (C0, DEL, C1), bidirectional
 * and invisible formatting and bytes that are no UTF-8 never come out raw: a request must not be able to paint the
 * screen of whoever reads about it.
 */
#ifndef GUIA_CLI_TEXT_H
#define GUIA_CLI_TEXT_H

#include "base/buffer.h"

/* "\x1b", "\u{202e}"; a line break is "\n", a tab "\t", a backslash stays. */
void text_safe(struct buffer *out, struct slice bytes);

/* A JSON string with its quotes; what is no UTF-8 becomes U+FFFD. */
void text_json(struct buffer *out, struct slice bytes);

#endif
