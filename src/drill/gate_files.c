/*
 * Both runs get the same files but for the operator's part, which only a full link with Guia has. That Guia is off is
 * not said here but by gate_start().
 */
#include "drill/gate_files.h"

#include "base/file.h"
#include "drill/connection.h"
#include "drill/identity.h"
#include "drill/network.h"
#include "drill/origin.h"
#include "drill/asking.h"
#include "drill/router.h"

#include <stdio.h>
#include <string.h>

static int write_file(const struct run_setting *s, const char *name, struct slice content)
{
	char path[PATH_MAX];
	snprintf(path, PATH_MAX, "%.3000s/%s", s->stage->folder, name);
	return file_replace(path, content, 0600);
}

static int write_identity(const struct run_setting *s)
{
	struct buffer pem = buffer_make(NULL);
	int r = identity_make(site_hosts, SITES, &pem);
	r = r != 0 ? r : write_file(s, "site.pem", buffer_slice(&pem));
	buffer_free(&pem);
	return r;
}

/* docs/operators.md. */
static void add_operator(const struct run_setting *s, struct buffer *out)
{
	if (s->plan->shape->link_mbit == 0 || !s->guia)
		return;
	buffer_printf(out,
		      "operators:\n  - name: operator\n    peer: " ROUTER_SPEAKER "\n    peer_as: %d\n"
		      "    local_address: " ROUTER_GATE "\n    local_as: %d\n    prefixes: [192.0.2.0/24]\n"
		      "    services: [tcp/80, tcp/443]\naddresses: [" GATE_V4 "]\nlink_mbit: %u\n"
		      "link_interface: " STAGE_GATE_LINK "\nupstream_dir: %s/upstream\n",
		      ROUTER_AS, ROUTER_GATE_AS, s->plan->shape->link_mbit, s->stage->folder);
}

/* As a person would write it: five sites, plain and by TLS. */
static int write_configuration(const struct run_setting *s)
{
	struct buffer text = buffer_make(NULL);
	buffer_printf(&text,
		      "listen: [0.0.0.0:80, '[::]:80']\nlisten_tls: [0.0.0.0:443, '[::]:443']\ncertificate: site.pem\n"
		      "key: site.pem\nhttps_only: false\nworkers: 1\ndrain_seconds: 1\nrun_dir: run\nsites:\n");
	for (size_t i = 0; i < SITES; i++)
		buffer_printf(&text, "  - host: %s\n    origin: http://127.0.0.1:%d\n", site_hosts[i], ORIGIN_PORT);
	add_operator(s, &text);
	int r = text.error != 0 ? text.error : write_file(s, "guia.yaml", buffer_slice(&text));
	buffer_free(&text);
	return r;
}

int gate_files_write(const struct run_setting *setting)
{
	int r = write_identity(setting);
	return r != 0 ? r : write_configuration(setting);
}
