/* The configuration beyond its file: what the command line adds, and what can be said once all is there. */
#ifndef GUIA_SERVE_CONFIG_WHOLE_H
#define GUIA_SERVE_CONFIG_WHOLE_H

#include "serve/config.h"

/* "HOST[,HOST...]=ORIGIN". 0, CONFIG_INVALID, or -ENOMEM. */
int config_add_site(struct slice text, struct diagnostics *diagnostics, struct serve_config *config);

/* An address to listen at. 0, CONFIG_INVALID, or -ENOMEM. */
int config_add_listen(struct slice text, struct diagnostics *diagnostics, struct serve_config *config);

/* Fills in what was not said and looks at the whole: sites there are, no host twice. 0, CONFIG_INVALID, or -ENOMEM. */
int config_finish(struct serve_config *config, bool as_root, struct diagnostics *diagnostics);

/* Warns where there are more sites than the watch tells apart: each is served and inspected all the same. */
void config_count_sites(const struct serve_config *config, struct diagnostics *diagnostics);

#endif
