/*
 * Both commands hold the lock of pins.c. A first attachment stages maps and program, makes links, puts the folder in
 * its place, and pins the links; a later one adds links. The program is loaded by loader_program.c, or loader_absent.c
 * where it is not built.
 */
#include "edge/loader.h"

#include "base/error.h"
#include "base/file.h"
#include "edge/links.h"
#include "edge/loader_inside.h"
#include "edge/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM_PIN "program"
#define SYN_COOKIES "/proc/sys/net/ipv4/tcp_syncookies"
#define TRACKED     "/proc/sys/net/netfilter/nf_conntrack_count"

const struct edge_limits edge_usual_limits[EDGE_BUDGETS] = {
	[EDGE_BUDGET_SYN] = {4000, 4000},      [EDGE_BUDGET_SYN_PORT] = {2000, 2000}, [EDGE_BUDGET_UDP] = {5000, 5000},
	[EDGE_BUDGET_UDP_PORT] = {1000, 1000}, [EDGE_BUDGET_FRAGMENTS] = {500, 1000},
};

int edge_syn_cookies(void)
{
	struct buffer text = buffer_make(NULL);
	int value = file_read(SYN_COOKIES, 16, &text) == 0 && text.len > 0 && byte_is_digit(text.ptr[0])
			    ? text.ptr[0] - '0'
			    : -1;
	buffer_free(&text);
	return value;
}

int edge_tracked(void)
{
	struct buffer text = buffer_make(NULL);
	int r = file_read(TRACKED, 32, &text);
	bool none = text.len == 0 || text.ptr[0] == '0';
	buffer_free(&text);
	return r == 0 ? !none : r == -ENOENT ? 0 : -1;
}

bool loader_cookies_taken(void)
{
	return edge_syn_cookies() == EDGE_COOKIES_ALWAYS;
}

void loader_control(const struct edge_options *options, const struct edge_geometry *geometry, bool answers,
		    struct edge_control *ret_control)
{
	int processors = libbpf_num_possible_cpus();
	*ret_control = (struct edge_control){
		.magic = EDGE_MAGIC,
		.version = EDGE_VERSION,
		.bytes = sizeof(*ret_control),
		.geometry = *geometry,
		.processors = processors > 0 ? (uint32_t)processors : 1,
		.answers = answers,
		.tracks = edge_tracked() > 0,
		.sample_ns = options->samples_per_s == 0 ? 0 : 1000000000 / options->samples_per_s,
	};
	for (unsigned kind = 0; kind < EDGE_BUDGETS; kind++)
		ret_control->budgets[kind] = edge_budget_make(options->limits[kind].per_s, options->limits[kind].burst);
}

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

/* ---- pins ---- */

/* Maps are the user's; program and links stay root's. */
static int pin(const struct pins *pins, const struct edge_options *options, const char *name, int fd, bool theirs)
{
	char path[PIN_PATH_BYTES];
	if (!pin_path(pins->unfinished, name, path))
		return -ENAMETOOLONG;
	if (bpf_obj_pin(fd, path) != 0 || chmod(path, 0600) != 0)
		return -errno;
	return theirs && chown(path, options->uid, options->gid) != 0 ? -errno : 0;
}

static int pin_all(const struct pins *pins, const struct edge_options *options, const struct loaded *loaded)
{
	int error = pins_stage(pins);
	error = error != 0 ? error : pin(pins, options, PROGRAM_PIN, loaded->program, false);
	for (unsigned map = 0; map < EDGE_MAP_COUNT && error == 0; map++)
		error = pin(pins, options, edge_map_names[map], loaded->fds[map], true);
	return error;
}

static void loaded_close(struct loaded *loaded)
{
	close(loaded->program);
	for (unsigned map = 0; map < EDGE_MAP_COUNT; map++)
		close(loaded->fds[map]);
}

static int tell_pins(const char *directory, int error, struct buffer *told)
{
	buffer_printf(told, "%s: %s%s\n", directory, strerror(-error),
		      error == -ENOENT ? ": no such folder to mount a BPF file system in" : "");
	return EDGE_MACHINE;
}

static void tell_user(const struct edge_options *options, struct buffer *told)
{
	const struct passwd *user = getpwuid(options->uid);
	if (user != NULL)
		buffer_printf(told,
			      "who is banned there is for %s and root to change: as one of them the watch must run\n",
			      user->pw_name);
}

/* ---- detaching ---- */

static void retire(struct edge *edge)
{
	__atomic_store_n(&edge->table.control->retired, 1, __ATOMIC_RELEASE);
	edge_close(edge);
}

/* Also what a killed process left. 0, -ENOENT: there was no edge, or an outcome. */
static int detach_locked(const struct pins *pins, struct buffer *told)
{
	struct edge edge;
	bool there = access(pins->directory, F_OK) == 0;
	if (there && edge_adopt(pins->directory, &edge) == 0)
		retire(&edge);
	struct links links = links_pinned(pins->directory);
	for (size_t i = 0; i < links.count; i++)
		link_drop(pins->directory, links.of[i]);
	int error = pins_remove(pins);
	if (error != 0)
		return tell_pins(pins->directory, error, told);
	for (size_t i = 0; i < links.count; i++)
		buffer_printf(told, "%s: detached\n", links.of[i]);
	return there ? 0 : -ENOENT;
}

/* ---- attaching ---- */

/*
 * Links are last, and the first pin of one is what makes an edge: a process that is killed before leaves at most maps
 * that nothing uses, for the next to remove.
 */
static int publish(const struct pins *pins, const struct edge_options *options, const struct loaded *loaded,
		   struct buffer *told)
{
	struct links_made made = {.count = 0};
	int error = pin_all(pins, options, loaded);
	if (error != 0)
		return tell_pins(options->directory, error, told);
	int outcome = links_make(options, loaded->program, &made, told);
	if (outcome != 0)
		return outcome;
	error = pins_publish(pins);
	if (error == 0)
		error = links_pin(options, &made);
	links_close(&made);
	if (error == 0)
		return 0;
	buffer_clear(told);
	return tell_pins(options->directory, error, told);
}

static int attach_first(const struct pins *pins, const struct edge_options *options, struct buffer *told)
{
	struct loaded loaded;
	int outcome = loader_load(options, told, &loaded);
	if (outcome != 0)
		return outcome;
	outcome = publish(pins, options, &loaded, told);
	loaded_close(&loaded);
	if (outcome != 0)
		pins_remove(pins);
	else
		tell_user(options, told);
	if (outcome == 0 && !loader_cookies_taken())
		buffer_text(told, "net.ipv4.tcp_syncookies is not 2: SYNs above the budget are left to the kernel\n");
	return outcome;
}

/* To another user than had them. */
static int give_maps(const struct edge_options *options)
{
	char path[PIN_PATH_BYTES];
	for (unsigned map = 0; map < EDGE_MAP_COUNT; map++) {
		if (!pin_path(options->directory, edge_map_names[map], path))
			return -ENAMETOOLONG;
		if (chown(path, options->uid, options->gid) != 0)
			return -errno;
	}
	return 0;
}

static int attach_more(const struct edge_options *options, struct buffer *told)
{
	char path[PIN_PATH_BYTES];
	struct links_made made;
	int program = pin_path(options->directory, PROGRAM_PIN, path) ? bpf_obj_get(path) : -1;
	if (program < 0)
		return tell_pins(options->directory, -errno, told);
	int outcome = links_make(options, program, &made, told);
	close(program);
	if (outcome != 0)
		return outcome;
	int error = links_pin(options, &made);
	error = error == 0 && options->user_said ? give_maps(options) : error;
	if (error == 0) {
		if (options->user_said)
			tell_user(options, told);
		if (options->rest_said)
			buffer_text(told, "what the edge there has room for, and its budgets, stay as they are: to "
					  "change them, guia edge detach first\n");
		return 0;
	}
	buffer_clear(told);
	return tell_pins(options->directory, error, told);
}

static int attach_locked(const struct pins *pins, const struct edge_options *options, struct buffer *told)
{
	struct edge edge;
	int outcome = edge_adopt(options->directory, &edge);
	if (outcome == 0 && links_pinned(options->directory).count > 0) {
		edge_close(&edge);
		return attach_more(options, told);
	}
	/* Killed before its first link, or while it was being detached. */
	if (outcome == 0)
		retire(&edge);
	if (outcome == 0 || outcome == EDGE_RETIRED) {
		struct buffer removed = buffer_make(NULL);
		outcome = detach_locked(pins, &removed);
		buffer_free(&removed);
		return outcome != 0 ? outcome : attach_first(pins, options, told);
	}
	if (outcome == -ENOENT && access(options->directory, F_OK) != 0)
		return attach_first(pins, options, told);
	if (outcome < 0 && outcome != -ENOENT)
		return tell_pins(options->directory, outcome, told);
	buffer_printf(told, "%s: what is pinned there is not of this version: guia edge detach, then again\n",
		      options->directory);
	return EDGE_USER;
}

int edge_attach(const struct edge_options *options, struct buffer *told)
{
	struct pins pins;
	libbpf_set_print(silent);
	if (!edge_is_built())
		return loader_load(options, told, NULL);
	int outcome = pins_lock(options->directory, true, &pins);
	if (outcome != 0)
		return tell_pins(options->directory, outcome, told);
	outcome = attach_locked(&pins, options, told);
	pins_unlock(&pins);
	return outcome;
}

int edge_detach(const char *directory, struct buffer *told)
{
	struct pins pins;
	libbpf_set_print(silent);
	int outcome = pins_lock(directory, false, &pins);
	if (outcome != 0 && outcome != -ENOENT)
		return tell_pins(directory, outcome, told);
	if (outcome == 0) {
		outcome = detach_locked(&pins, told);
		pins_unlock(&pins);
		if (outcome != -ENOENT)
			return outcome;
	}
	buffer_printf(told, "%s: no edge is attached\n", directory);
	return EDGE_USER;
}
