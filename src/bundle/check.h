/*
 * Whether a bag is what was made, without a network: every file, every signature, every record. The findings are those
 * of a log (evidence/verify.h), and the first one ends it.
 */
#ifndef GUIA_BUNDLE_CHECK_H
#define GUIA_BUNDLE_CHECK_H

#include "evidence/verify.h"

/* Whether a folder is a bag, rather than a log. */
bool check_is_bag(const char *path);

/* 0 with a report, -ENOENT: it is no bag, or -errno. The report is to be freed in any case. */
int check_bag(const char *path, const struct verify_options *options, struct verify_report *ret_report);

#endif
