/* The engine's workers: in each process one for each distinct set of options that some location asks for. */
#ifndef GUIA_NGINX_PROFILE_H
#define GUIA_NGINX_PROFILE_H

#include "gate.h"

/* The profile of a location's options, among those of the configuration; made if need be. NULL without memory. */
struct gate_profile *gate_profile_find(ngx_conf_t *cf, struct gate_main *main, const struct gate_location *location);
/* Makes this process's worker and prepares it for every rule set. */
ngx_int_t gate_profile_start(struct gate_main *main, struct gate_profile *profile, ngx_log_t *log);
/* The profile's second worker, made when first asked for. NULL without memory. */
struct guia_worker *gate_profile_judge(struct gate_main *main, struct gate_profile *profile);

#endif
