/* $guia_id, $guia_verdict, $guia_score, $guia_uri, $guia_admission: of the client's request, also where a subrequest
 * asks. */
#ifndef GUIA_NGINX_VARIABLES_H
#define GUIA_NGINX_VARIABLES_H

#include "gate.h"

/* NGX_ERROR without memory. */
ngx_int_t gate_variables_add(ngx_conf_t *cf);

#endif
