/*
 * A request that has to ask an upstream, and the queue of those that wait for a slot of its origin.
 *
 * nginx cannot wait where it chooses a server, but it can for a connection: a request that waits is given one that goes
 * nowhere (an eventfd), and when its turn comes the true one takes its place. To refuse it that connection fails,
 * silently, with no further server to try; nginx then goes on as for an origin that is down.
 */
#ifndef GUIA_NGINX_ADMISSION_PEER_H
#define GUIA_NGINX_ADMISSION_PEER_H

#include "admission_zone.h"

/* nginx's hook where a request has to ask an upstream: in place of the upstream's own, which it calls. */
ngx_int_t gate_peer_init(ngx_http_request_t *r, ngx_http_upstream_srv_conf_t *upstream);

/* Its origin has answered: the slot is free, whatever is still to come. Nothing if it has none. */
void gate_peer_answered(ngx_http_request_t *r);

/* Of event->data, a struct gate_admission: lets those go for whom there are slots, and refuses who cannot wait. */
void gate_peer_pump(ngx_event_t *event);

/* There are news: refuses those who wait and are banned now, or match a signature. */
void gate_peers_refuse_unwanted(struct gate_admission *admission);

#endif
