/*
 * Persistent collections in a zone that all workers share and that stays over reloads. The lock is the zone's slab
 * mutex: nginx's master releases it when a worker dies that holds it, and the table then repairs itself.
 */
#ifndef GUIA_NGINX_COLLECTIONS_H
#define GUIA_NGINX_COLLECTIONS_H

#include "gate.h"

/* With a zone of so many bytes. NGX_ERROR without memory. */
ngx_int_t gate_collections_add(ngx_conf_t *cf, struct gate_main *main, size_t bytes);
/* NULL: there are none. It lives as long as the configuration's pool. */
const struct guia_collection_store *gate_collections_store(const struct gate_collections *collections);

#endif
