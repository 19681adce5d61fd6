/*
 * Bans, as the watch publishes them (limit/ban_files.h): a connection of a banned source is closed when it is accepted,
 * before TLS; a request whose source a trusted proxy names is refused; and what a source has open when it is banned is
 * closed. The proxies themselves are never refused. What is allowed goes first where requests wait, and is inspected
 * like any other.
 */
#ifndef GUIA_NGINX_BANS_H
#define GUIA_NGINX_BANS_H

#include "gate.h"

#include "limit/ban_image.h"

/* In this process. */
void gate_bans_start(struct gate_main *main, const uint8_t boot[IMAGE_BOOT_BYTES]);
void gate_bans_stop(void);
/* Whether there were new bans. */
bool gate_bans_look(ngx_log_t *log);

/* What holds for a source now. BAN_NONE where there are no bans. */
struct ban_answer gate_bans_of(const struct address *source);
struct ban_answer gate_bans_at(const struct address *source, uint64_t now_ns);
/*
 * Whether limits are for it: not for who is allowed, nor for a trusted proxy, which stands for all of its clients, nor
 * for what has no address, which is on this machine.
 */
bool gate_source_bounded(const struct sockaddr *from);
/* Of a connection's other side; never BAN_REFUSE for a trusted proxy. */
struct ban_answer gate_bans_of_peer(const struct sockaddr *peer);

#endif
