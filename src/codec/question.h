/* A line that asks a daemon on its control socket, word by word, and the answer that says what is wrong with it. */
#ifndef GUIA_CODEC_QUESTION_H
#define GUIA_CODEC_QUESTION_H

#include "base/buffer.h"

/* Cuts the first word off. */
struct slice question_word(struct slice *rest);

/* {"fault": ...} and the line's end, appended: what is asked is wrong. */
void question_fault(struct buffer *out, const char *text);

/* The same with "machine": true: what is asked is right, and cannot be done. */
void question_trouble(struct buffer *out, const char *text);

#endif
