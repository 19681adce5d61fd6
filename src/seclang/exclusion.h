/*
 * SecRuleRemoveBy... and SecRuleUpdate...By...: read here, kept in the unit, and carried out when units are linked, for
 * they count for a whole rule set. Each returns 0, -EINVAL when it has told why, or -ENOMEM.
 */
#ifndef GUIA_SECLANG_EXCLUSION_H
#define GUIA_SECLANG_EXCLUSION_H

#include "seclang/directive.h"

int exclusion_read_remove_by_id(struct walk *walk, const struct statement *statement);
int exclusion_read_remove_by_tag(struct walk *walk, const struct statement *statement);
int exclusion_read_remove_by_message(struct walk *walk, const struct statement *statement);
int exclusion_read_update_target_by_id(struct walk *walk, const struct statement *statement);
int exclusion_read_update_target_by_tag(struct walk *walk, const struct statement *statement);
int exclusion_read_update_target_by_message(struct walk *walk, const struct statement *statement);
int exclusion_read_update_action_by_id(struct walk *walk, const struct statement *statement);

#endif
