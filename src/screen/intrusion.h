/* The parts of an incident's page that an intrusion has in place of a flood's. */
#ifndef GUIA_SCREEN_INTRUSION_H
#define GUIA_SCREEN_INTRUSION_H

#include "screen/page.h"

/* Who is affected, site by site. */
void intrusion_affected(const struct page *page);
/* What happens if nothing is done, and what can be ordered meanwhile. */
void intrusion_if_nothing(const struct page *page);
/* What was asked for, with which tools, from which addresses, and which rules matched. */
void intrusion_tried(const struct page *page);
/* Of each site what was refused and what was not. */
void intrusion_sites(const struct page *page);

#endif
