/*
 * What the gate is to refuse by signature, and the modes of sites (mitigate/mode_register.h), published for it beside
 * the bans (limit/signature_image.h). Modes go with their own ends, which hold whether a watch runs or not. Rules are
 * lent for a short time and renewed while they are wanted, so that those of a watch that died are gone soon: within
 * RULE_LENT_MS, and not before RULE_LENT_MS - RULE_RENEW_MS, in which another may go on.
 */
#ifndef GUIA_MITIGATE_RULE_REGISTER_H
#define GUIA_MITIGATE_RULE_REGISTER_H

#include "limit/signature_image.h"

enum {
	RULE_LENT_MS = 25 * 1000,
	RULE_RENEW_MS = 8 * 1000,
	RULE_RETRY_MS = 1000, /* after a failure */
};

struct rule_register;

/* The directory is there (mitigate/ban_register.h). 0; -errno, with *ret_what the path. */
int rule_register_open(const char *directory, struct rule_register **ret_register, const char **ret_what);
void rule_register_close(struct rule_register *reg); /* NULL is allowed */

/*
 * These are to be in force; `version` is another whenever they are others. Publishes if they are, or if it is time to
 * renew. Times of rules are not looked at. 0 or -errno: it is tried again, and the gate has what it had.
 */
int rule_register_publish(struct rule_register *reg, const struct signature_content *content, uint64_t version,
			  uint64_t now_ms);

#endif
