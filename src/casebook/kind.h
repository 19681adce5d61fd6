/*
 * What an incident is: a flood, or one of the kinds of intrusion. Which findings speak for which kind, and how many of
 * them within CASE_WINDOW_MS, from one actor, make it an incident, is a table; so that one-off probes, of which every
 * site gets some each hour, make none.
 */
#ifndef GUIA_CASEBOOK_KIND_H
#define GUIA_CASEBOOK_KIND_H

#include <stdbool.h>
#include <stdint.h>

/* The graver the later; an intrusion is called by the gravest that it has come to. */
enum case_kind {
	CASE_FLOOD,
	CASE_SCAN,      /* what a site answers to is tried out: scanners, many paths that are not there */
	CASE_INJECTION, /* a campaign of requests that hold commands for what is behind the site */
	CASE_LEAK,      /* an answer holds what nobody should see */
	CASE_SHELL,     /* a program was uploaded, or what answers is one */
	CASE_KINDS,
};

enum { CASE_WINDOW_MS = 10 * 60 * 1000 };

const char *case_kind_name(enum case_kind kind);
/* CASE_KINDS for what is none. */
enum case_kind case_kind_find(const char *name);

/* What is said when it begins: "requests that try out what the site answers to". */
const char *case_kind_text(enum case_kind kind);

/* So many within the window, and of so many different paths, are enough. */
struct case_enough {
	unsigned findings;
	unsigned paths;
};
struct case_enough case_kind_enough(enum case_kind kind);

/* A bit for each kind that a finding speaks for: its classes and flags as in wire/finding.h. 0: it is not of note. */
unsigned case_kinds_of(uint32_t classes, unsigned found);

#endif
