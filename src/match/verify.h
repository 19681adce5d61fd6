/*
 * Numbers with check digits: @verifyCC, @verifyCPF, @verifySSN, @verifySVNR. A regex finds candidates, these decide.
 * Digits are taken from the text, whatever stands between them.
 */
#ifndef GUIA_MATCH_VERIFY_H
#define GUIA_MATCH_VERIFY_H

#include "match/regex.h"

/* Decides on one candidate. */
typedef bool verify_function(struct slice text);

/* A payment card: Luhn's sum of all digits, of any number but none (ISO/IEC 7812-1, annex B). */
bool verify_card(struct slice text);

/* A Brazilian taxpayer (CPF): the last two of 11 digits check the others; well-known fillers are refused. */
bool verify_cpf(struct slice text);

/* A US social security number: 9 digits, no part of them zero, area below 740 and not 666, not all in a row. */
bool verify_ssn(struct slice text);

/* An Austrian insurance number (SVNR): the fourth of 10 digits checks the others; well-known fillers are refused. */
bool verify_svnr(struct slice text);

/*
 * Searches the value for a match of `regex`, or a group of it, that `verify` accepts; matches may overlap. Same
 * outcomes as regex_match(); on REGEX_MATCH *ret_span is what was accepted. `limits` may be NULL. The number of
 * searches is at most that of the value's bytes. An empty pattern is not for this: ModSecurity matches nothing then.
 */
int verify_search(verify_function *verify, const struct regex *regex, struct regex_scratch *scratch, struct slice value,
		  const struct regex_limits *limits, struct regex_span *ret_span);

#endif
