/* Who has an address that cannot be listened at: from the kernel's list of listening sockets (proc(5)), as far as we
 * may see. */
#ifndef GUIA_SERVE_PORT_HOLDER_H
#define GUIA_SERVE_PORT_HOLDER_H

#include "serve/prepare.h"

#include <limits.h>
#include <sys/types.h>

struct port_holder {
	struct slice listen;    /* of the configuration */
	pid_t pid;              /* 0: it is not for us to see */
	char name[64];          /* of its program; anything may be in it */
	char run_dir[PATH_MAX]; /* of the gate that it is, and would be reloaded; "": none */
	bool elsewhere;         /* that gate listens at another address of the same port: no reload changes that */
};

/*
 * Of all that the configuration listens at, what is taken; a gate counts as one's own if it serves from the folder that
 * options or configuration name, where they name none from a fresh one of this user's. *ret_list is of the
 * configuration's arena. 0 or -ENOMEM.
 */
int port_holders_find(const struct serve_options *options, const struct serve_config *config,
		      struct port_holder **ret_list, size_t *ret_count);

#endif
