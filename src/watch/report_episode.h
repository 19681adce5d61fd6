/* What is decided at a site, as members of its JSON object: `episode`, the latest, and `visitors`; and of packets,
 * which are at none. */
#ifndef GUIA_WATCH_REPORT_EPISODE_H
#define GUIA_WATCH_REPORT_EPISODE_H

#include "watch/defender.h"

/* `packets`: the latest flood of each kind. */
void report_packets(const struct defender *defender, uint64_t now_ms, struct buffer *out);

/* Nothing for a site that is not known yet. */
void report_episode(const struct defender *defender, const char *site, uint64_t now_ms, struct buffer *out);

/* Whether there is one on, or was. */
bool report_has_episode(const struct defender *defender, const char *site);

#endif
