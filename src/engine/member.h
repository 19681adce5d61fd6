/*
 * Members of collections, asked of the probes for their names: each by itself, or names and what they name in pairs.
 *
 * Pairs that came together before are known together, and so are runs of pairs, whose bytes lie in one piece: what a
 * browser sends alike with every request is one key, and one look into memory, instead of twenty. A run tells of each
 * of its pairs what was found for it alone, so that nothing depends on how pairs fall into runs.
 */
#ifndef GUIA_ENGINE_MEMBER_H
#define GUIA_ENGINE_MEMBER_H

#include "engine/probe.h"
#include "engine/transaction.h"

/* From the one numbered `*asked` on, which is moved behind those that were asked. 0, -ENOMEM, or -EIO when a scan
 * fails. */
int members_ask(struct transaction *t, const struct probe_family *family, uint32_t *asked);
int members_ask_pairs(struct transaction *t, const struct probe_pair *pair, uint32_t *asked);

#endif
