/* Sets of bytes, and those that PCRE2 has names for, without UTF and in the C locale. */
#ifndef GUIA_MATCH_PATTERN_CLASS_H
#define GUIA_MATCH_PATTERN_CLASS_H

#include "match/pattern.h"

void pattern_set_invert(struct pattern_set *set);
void pattern_set_join(struct pattern_set *set, const struct pattern_set *other);
void pattern_set_fold(struct pattern_set *set); /* adds the other case of ASCII letters */
void pattern_set_range(struct pattern_set *set, unsigned from, unsigned to);

/* \d \w \s \h \v \N and their opposites; false if `c` names none. */
bool pattern_class_escape(uint8_t c, struct pattern_set *ret_set);

/* What stands between [: and :]; false if it names none. */
bool pattern_class_posix(struct slice name, struct pattern_set *ret_set);

#endif
