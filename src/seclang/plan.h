/* Which patterns are scanned together, for the rules of one unit: see plan.c. */
#ifndef GUIA_SECLANG_PLAN_H
#define GUIA_SECLANG_PLAN_H

#include "seclang/unit.h"

/* Fills unit->shared and the scan fields of the unit's targets. 0, -ENOMEM, or -EINVAL (told). */
int plan_scans(struct pool *pool, struct seclang_unit *unit, struct diagnostics *diagnostics);

#endif
