/*
 * By other programs: tc(8) for the shaper and the filter, gobgpd whose table is asked for as JSON, and ExaBGP by Guia's
 * own `upstream configure`. The filter is only replaced when it would be another.
 */
#include "drill/router.h"

#include "base/error.h"
#include "base/file.h"
#include "drill/command.h"
#include "drill/flow_filter.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORLD_LINK "outside"
#define API_PORT   "50051"

enum {
	WORDS_MOST = 32,
	QUEUE_PACKETS = 64, /* of the shaper */
	PATIENCE_MS = 20000,
	POLL_MS = 100,
};

bool router_may_be(const char **ret_why)
{
	static const struct {
		const char *program, *why;
	} needed[] = {{"tc", "it needs tc, of the package iproute2"},
		      {"gobgpd", "it needs gobgpd, of the package of that name"},
		      {"gobgp", "it needs gobgp, of the package gobgpd"},
		      {"exabgp", "it needs exabgp, of the package of that name"}};
	char path[PATH_MAX];
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		*ret_why = needed[i].why;
		if (!command_find(needed[i].program, path))
			return false;
	}
	return true;
}

/* Words apart by spaces. */
static int run_line(const struct stage *stage, const char *line, struct buffer *said)
{
	char copy[512], *rest = copy;
	const char *words[WORDS_MOST + 1] = {NULL};
	snprintf(copy, sizeof(copy), "%s", line);
	for (size_t i = 0; i < WORDS_MOST && rest != NULL; i++)
		words[i] = strsep(&rest, " ");
	return command_run(stage->router, words, said);
}

static int shape_link(const struct stage *stage, unsigned mbit, bool first, struct buffer *said)
{
	char lines[8][256];
	size_t count = 0;
	int r = 0;
	snprintf(lines[count++], 256, "tc qdisc add dev " STAGE_ROUTER_LINK " root handle 1: htb default 20 r2q 1000");
	snprintf(lines[count++], 256,
		 "tc class add dev " STAGE_ROUTER_LINK " parent 1: classid 1:1 htb rate %umbit ceil %umbit", mbit,
		 mbit);
	snprintf(lines[count++], 256,
		 "tc class add dev " STAGE_ROUTER_LINK " parent 1:1 classid 1:10 htb rate %s ceil %umbit prio %d",
		 first ? "1mbit" : "8bit", mbit, first ? 0 : 7);
	snprintf(lines[count++], 256,
		 "tc class add dev " STAGE_ROUTER_LINK " parent 1:1 classid 1:20 htb rate %umbit ceil %umbit prio 1",
		 mbit - 1, mbit);
	snprintf(lines[count++], 256, "tc qdisc add dev " STAGE_ROUTER_LINK " parent 1:20 handle 20: pfifo limit %d",
		 QUEUE_PACKETS);
	snprintf(lines[count++], 256,
		 "tc filter add dev " STAGE_ROUTER_LINK " parent 1: protocol ip u32 match ip protocol 6 0xff "
		 "match ip dst " ROUTER_GATE "/32 flowid 1:10");
	snprintf(lines[count++], 256, "tc qdisc add dev " WORLD_LINK " clsact");
	for (size_t i = 0; i < count && r == 0; i++)
		r = run_line(stage, lines[i], said);
	return r;
}

static int write_speaker(const struct stage *stage, char path[PATH_MAX])
{
	struct buffer text = buffer_make(NULL);
	snprintf(path, PATH_MAX, "%.3000s/gobgp.toml", stage->folder);
	buffer_printf(&text,
		      "[global.config]\n  as = %d\n  router-id = \"" ROUTER_SPEAKER "\"\n"
		      "  local-address-list = [\"" ROUTER_SPEAKER "\"]\n[[neighbors]]\n  [neighbors.config]\n"
		      "    neighbor-address = \"" ROUTER_GATE "\"\n    peer-as = %d\n  [neighbors.transport.config]\n"
		      "    passive-mode = true\n    local-address = \"" ROUTER_SPEAKER "\"\n",
		      ROUTER_AS, ROUTER_GATE_AS);
	static const char *const families[] = {"ipv4-unicast", "ipv6-unicast", "ipv4-flowspec", "ipv6-flowspec"};
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		buffer_printf(
			&text,
			"  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = \"%s\"\n",
			families[i]);
	int r = text.error != 0 ? text.error : file_replace(path, buffer_slice(&text), 0600);
	buffer_free(&text);
	return r;
}

static int ask_table(const struct router *router, struct buffer *out)
{
	static const char *const words[] = {"gobgp",         "-p", API_PORT, "global", "rib", "-a",
					    "ipv4-flowspec", "-j", NULL};
	return command_run(router->stage->router, words, out);
}

/* Until it answers. */
static int await_speaker(const struct router *router, struct buffer *said)
{
	struct buffer out = buffer_make(NULL);
	int r = -EIO;
	for (int waited = 0; waited < PATIENCE_MS && r != 0; waited += POLL_MS) {
		buffer_clear(&out);
		r = ask_table(router, &out);
		if (r != 0)
			nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000}, NULL);
	}
	if (r != 0)
		buffer_printf(said, "gobgp: %.*s\n", SLICE_ARG(buffer_slice(&out)));
	buffer_free(&out);
	return r;
}

int router_begin(struct router *router, const struct stage *stage, unsigned link_mbit, bool first, struct buffer *said)
{
	char path[PATH_MAX], log[PATH_MAX + 8];
	*router = (struct router){.stage = stage, .filter = buffer_make(NULL)};
	int r = shape_link(stage, link_mbit, first, said);
	r = r != 0 ? r : write_speaker(stage, path);
	if (r != 0)
		return r;
	const char *const words[] = {"gobgpd", "-f", path, "--api-hosts", "127.0.0.1:" API_PORT, NULL};
	snprintf(log, sizeof(log), "%.3000s/gobgp.log", stage->folder);
	router->speaker = command_start(stage->router, NULL, words, NULL, log);
	return router->speaker < 0 ? router->speaker : await_speaker(router, said);
}

static int put_filter(const struct router *router, struct buffer *code)
{
	struct buffer said = buffer_make(NULL);
	buffer_byte(code, '\0');
	if (code->error != 0)
		return code->error;
	const char *const words[] = {
		"tc",     "filter", "replace",  "dev", WORLD_LINK, "ingress",       "pref",     "1",
		"handle", "1",      "protocol", "all", "bpf",      "direct-action", "bytecode", (const char *)code->ptr,
		NULL};
	int r = command_run(router->stage->router, words, &said);
	buffer_free(&said);
	return r;
}

int router_look(struct router *router, int *ret_rules)
{
	struct buffer table = buffer_make(NULL), code = buffer_make(NULL);
	size_t left;
	int r = ask_table(router, &table);
	int rules = r == 0 ? flow_filter_make(buffer_slice(&table), &code, &left) : r;
	buffer_free(&table);
	if (rules >= 0 && !(router->rules == 0 && rules == 0) &&
	    !slice_equal(buffer_slice(&code), buffer_slice(&router->filter))) {
		size_t bytes = code.len;
		r = put_filter(router, &code);
		if (r == 0) {
			buffer_clear(&router->filter);
			buffer_add(&router->filter, slice_sub(buffer_slice(&code), 0, bytes));
			router->rules = rules;
		}
	}
	buffer_free(&code);
	*ret_rules = router->rules;
	return rules < 0 ? rules : r;
}

void router_end(struct router *router)
{
	struct buffer said = buffer_make(NULL);
	if (router->stage == NULL)
		return;
	(void)run_line(router->stage, "tc qdisc del dev " STAGE_ROUTER_LINK " root", &said);
	(void)run_line(router->stage, "tc qdisc del dev " WORLD_LINK " clsact", &said);
	buffer_free(&said);
	buffer_free(&router->filter);
}

int router_ask_service(const struct stage *stage, const char *file, const struct command_user *user,
		       struct buffer *said, pid_t *ret_pid)
{
	static char cli[] = "exabgp.api.cli=false", ack[] = "exabgp.api.ack=true", level[] = "exabgp.log.level=INFO",
		    path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char daemon_user[96];
	snprintf(daemon_user, sizeof(daemon_user), "exabgp.daemon.user=%s", user->name);
	char *const environment[] = {daemon_user, cli, ack, level, path, NULL};
	char log[PATH_MAX];
	const char *const make[] = {"/proc/self/exe", "upstream", "configure", "-c", file, NULL};
	struct buffer out = buffer_make(NULL);
	char folder[PATH_MAX];
	snprintf(folder, sizeof(folder), "%.3000s/upstream", stage->folder);
	if ((mkdir(folder, 0750) != 0 && errno != EEXIST) || chown(folder, user->uid, user->gid) != 0)
		return -errno;
	int r = command_run_as(stage->gate, user, make, &out);
	struct slice made = slice_trim(buffer_slice(&out));
	if (r != 0) {
		buffer_add(said, buffer_slice(&out));
		buffer_free(&out);
		return r;
	}
	out.ptr[made.len] = '\0'; /* the path that it printed, before the newline */
	const char *const words[] = {"exabgp", (const char *)out.ptr, NULL};
	snprintf(log, sizeof(log), "%.3000s/exabgp.log", stage->folder);
	pid_t pid = command_start(stage->gate, user, words, environment, log);
	buffer_free(&out);
	if (pid > 0)
		*ret_pid = pid;
	return pid < 0 ? pid : 0;
}
