/*
 * Where our engine is meant to part from libmodsecurity it does so in one function each. The linker puts the functions
 * of substitute.c in between (--wrap): told to, they do as libmodsecurity does, and nothing else changes. So a
 * difference is explained if it is gone then, in every match, every TX and the status.
 */
#ifndef PARITY_SUBSTITUTE_H
#define PARITY_SUBSTITUTE_H

enum substitution {
	SUBSTITUTE_SQLI = 1 << 0,          /* libinjection's answers to @detectSQLi */
	SUBSTITUTE_XSS = 1 << 1,           /* and to @detectXSS */
	SUBSTITUTE_DOCUMENT = 1 << 2,      /* names stay in REQUEST_BODY of XML */
	SUBSTITUTE_PART_HEADER = 1 << 3,   /* a line end stays behind a part's charset */
	SUBSTITUTE_LINES = 1 << 4,         /* values of parts lose the line breaks in them */
	SUBSTITUTE_QUESTION_MARK = 1 << 5, /* paths are decoded, then ended at '?' */
	SUBSTITUTE_CSS = 1 << 6,           /* t:cssDecode ends at its first NUL */
	SUBSTITUTE_PHRASES = 1 << 7,       /* @pm by libmodsecurity's automaton */
	SUBSTITUTE_LIMITS = 1 << 9,        /* PCRE has its own limits, and nobody is told */
	SUBSTITUTE_QUOTE = 1 << 8,         /* 955350 looks for backslashes that no answer has */
	SUBSTITUTE_EMPTY = 1 << 10,        /* {} and [] in JSON are no arguments */
	SUBSTITUTE_AMBIGUOUS = 1 << 11,    /* a part may have a header twice, and filename* */
	SUBSTITUTE_ENTITIES = 1 << 12,     /* XML may declare entities */
};

/* Which of them are in place from now on; 0 for none. */
void substitute(unsigned substitutions);

#endif
