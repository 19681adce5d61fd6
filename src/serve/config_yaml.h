/* The configuration's file. */
#ifndef GUIA_SERVE_CONFIG_YAML_H
#define GUIA_SERVE_CONFIG_YAML_H

#include "serve/config.h"

/* The text of a YAML file; paths in it are relative to the file's folder. 0, CONFIG_INVALID, or -ENOMEM. */
int config_parse(struct slice text, const char *file, struct diagnostics *diagnostics, struct serve_config *config);

#endif
