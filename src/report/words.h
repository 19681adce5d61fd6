/* Times and numbers as all languages of a report may read them. */
#ifndef GUIA_REPORT_WORDS_H
#define GUIA_REPORT_WORDS_H

#include "casebook/casebook.h"

enum { WORDS_BYTES = 64 };

/* UTC, to the millisecond. */
void time_words(uint64_t at_ms, char words[WORDS_BYTES]);

/* In units of the SI and those that go with them. */
void duration_words(uint64_t ms, char words[WORDS_BYTES]);

/* Thousands are set apart. */
void number_words(uint64_t number, char words[WORDS_BYTES]);

/* Of visitors, those who were answered; false where too few are known for a share. */
bool share_words(const struct case_visitors *visitors, char words[WORDS_BYTES]);

#endif
