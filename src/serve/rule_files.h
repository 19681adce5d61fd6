/*
 * Every file that rules are made of: those that are named, what they include, and the lists of phrases and networks
 * that they name. Read for directives by line, as far as a list of files needs it; rules are compiled elsewhere.
 */
#ifndef GUIA_SERVE_RULE_FILES_H
#define GUIA_SERVE_RULE_FILES_H

#include "serve/config.h"

enum { RULE_FILES_MOST = 4096 };

/* Adds to `files`, whose first are those to begin with, each once. 0 or -ENOMEM; what cannot be read ends there. */
int rule_files_follow(struct text_list *files);

#endif
