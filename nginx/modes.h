/*
 * Modes of sites, as the watch publishes them (limit/signature_image.h). A site's mode says which requests are kept
 * from its origin, where they would have to ask it: they are answered as if it were down, with the last good copy if
 * there is one.
 *
 *   guarded  strangers get an older copy where there is one, and may have little of the origin's time lately
 *   local    none but the home networks, and who is allowed
 *
 * They need guia_admission, which stands before the origins.
 */
#ifndef GUIA_NGINX_MODES_H
#define GUIA_NGINX_MODES_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <stdbool.h>
#include <stdint.h>

/* A request is about to ask its origin; its source has had so much of the origin's time lately. Counts it. */
bool gate_mode_keeps_out(ngx_http_request_t *r, uint64_t used_us);

/* At the time of the response's headers: a copy that stands for the origin says from when it is (X-Guia-Copy). */
ngx_int_t gate_mode_mark(ngx_http_request_t *r);

#endif
