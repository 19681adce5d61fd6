/* Times and numbers as a report says them. */
#ifndef GUIA_REPORT_WORDS_H
#define GUIA_REPORT_WORDS_H

#include "casebook/casebook.h"
#include "report/phrases.h"

enum { WORDS_BYTES = 64 };

/* UTC, to the millisecond. */
void time_words(uint64_t at_ms, char words[WORDS_BYTES]);

/* With one digit behind the language's decimal sign. */
void decimal_words(double number, enum language language, char words[WORDS_BYTES]);

/* "2.0 s", "3 min 5 s", "1 h 2 min" */
void duration_words(uint64_t ms, enum language language, char words[WORDS_BYTES]);

/* Thousands are set apart. */
void number_words(uint64_t number, char words[WORDS_BYTES]);

/* Of visitors, those who were answered; false where too few are known for a share. */
bool share_words(const struct case_visitors *visitors, enum language language, char words[WORDS_BYTES]);

#endif
