/* A rule set as text, for golden tests and for people who debug the compiler: every field that is not at its default.
 */
#ifndef GUIA_SECLANG_DUMP_H
#define GUIA_SECLANG_DUMP_H

#include "base/buffer.h"
#include "ruleset/ruleset.h"

void ruleset_dump(const struct ruleset *ruleset, struct buffer *out);

#endif
