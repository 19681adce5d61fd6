/* The one template that rule tests use in `data`: {{ "text" | repeat N }}. Everything else stands for itself. */
#ifndef GUIA_FTW_TEMPLATE_H
#define GUIA_FTW_TEMPLATE_H

#include "base/arena.h"

/* `text` itself if it holds no template; else a copy. 0, or -ENOMEM. */
int ftw_template_expand(struct slice text, struct arena *arena, struct slice *ret_text);

#endif
