/* What is in force now, of Guia's and of people's, each with a button that undoes it. */
#ifndef GUIA_SCREEN_IN_FORCE_H
#define GUIA_SCREEN_IN_FORCE_H

#include "screen/page.h"

void in_force_add(const struct page *page);

#endif
