/*
 * The folder of the evidence log, where the configuration names one: the watch's, who writes it, and for nobody else to
 * look into. Without a name it lies in the folder of bans, and the watch makes it.
 */
#ifndef GUIA_SERVE_EVIDENCE_PLACE_H
#define GUIA_SERVE_EVIDENCE_PLACE_H

#include "serve/notice.h"
#include "serve/prepare.h"

/* Whether it can be that, and the export key's certificate is one. SERVE_FINE, or SERVE_USER after saying why not. */
int evidence_place_check(const struct serve_config *config, const struct run_dir *dir, const struct notice *notice);

/* Makes it if there is none. 0 or -errno. */
int evidence_place_make(const struct serve_config *config, const struct run_dir *dir);

#endif
