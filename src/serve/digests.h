/*
 * What decides what the gate does, by digest, for the evidence log: the configuration, what nginx is given of it, the
 * module, and every file of rules. Taken by who may read them all; the watch may not.
 */
#ifndef GUIA_SERVE_DIGESTS_H
#define GUIA_SERVE_DIGESTS_H

#include "serve/prepare.h"

/* Each as the watch takes it, "rules HEX PATH", added to `list`. What cannot be read is left out. 0 or -ENOMEM. */
int digests_list(const struct serve_config *config, const struct serve_parts *parts, const struct run_dir *dir,
		 struct text_list *list);

#endif
