#include "edge/loader.h"

#include "base/error.h"
#include "base/file.h"
#include "edge/loader_inside.h"
#include "edge/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINK_PREFIX   "link-"
#define PROGRAM_PIN   "program"
#define COOKIES_TAKEN "/proc/sys/net/ipv4/tcp_syncookies"

enum { LINKS_MOST = 64 };

const struct edge_limits edge_usual_limits[EDGE_BUDGETS] = {
	[EDGE_BUDGET_SYN] = {4000, 4000},      [EDGE_BUDGET_SYN_PORT] = {2000, 2000}, [EDGE_BUDGET_UDP] = {5000, 5000},
	[EDGE_BUDGET_UDP_PORT] = {1000, 1000}, [EDGE_BUDGET_FRAGMENTS] = {500, 1000},
};

bool loader_cookies_taken(void)
{
	struct buffer text = buffer_make(NULL);
	bool taken = file_read(COOKIES_TAKEN, 16, &text) == 0 && text.len > 0 && text.ptr[0] == '2';
	buffer_free(&text);
	return taken;
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

/* ---- links ---- */

static int link_make(int program, unsigned interface, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int fd = bpf_link_create(program, (int)interface, BPF_XDP, &options);
	return fd < 0 ? -errno : fd;
}

static int tell_link(const char *name, int error, struct buffer *told)
{
	if (error == -EBUSY || error == -EEXIST) {
		buffer_printf(told, "%s: another XDP program is attached to it already: take that off first\n", name);
		return EDGE_USER;
	}
	buffer_printf(told, "%s: takes no XDP program: %s%s\n", name, strerror(-error),
		      error == -EPERM ? " (this needs root, with CAP_NET_ADMIN)" : "; the gate alone defends it");
	return EDGE_MACHINE;
}

/* Attaches and pins one interface's link. */
static int interface_attach(const struct edge_options *options, int program, const char *name, struct buffer *told)
{
	char path[PIN_PATH_BYTES], pin[IF_NAMESIZE + sizeof(LINK_PREFIX)];
	unsigned interface = if_nametoindex(name);
	if (interface == 0 || strlen(name) >= IF_NAMESIZE) {
		buffer_printf(told, "%s: there is no such interface\n", name);
		return EDGE_USER;
	}
	int fd = -EOPNOTSUPP, native = 0;
	if (options->mode != EDGE_GENERIC)
		fd = native = link_make(program, interface, XDP_FLAGS_DRV_MODE);
	if (fd < 0 && fd != -EBUSY && fd != -EEXIST && fd != -EPERM && options->mode != EDGE_NATIVE)
		fd = link_make(program, interface, XDP_FLAGS_SKB_MODE);
	if (fd < 0)
		return tell_link(name, fd, told);
	snprintf(pin, sizeof(pin), LINK_PREFIX "%s", name);
	int error = pin_path(options->directory, pin, path) ? bpf_obj_pin(fd, path) : -ENAMETOOLONG;
	close(fd);
	if (error != 0) {
		buffer_printf(told, "%s: %s\n", path, strerror(error == -1 ? errno : -error));
		return EDGE_MACHINE;
	}
	bool generic = options->mode == EDGE_GENERIC || native < 0;
	buffer_printf(told, "%s: attached, %s\n", name, generic ? "generic: the driver takes no program" : "native");
	return 0;
}

struct names {
	char of[LINKS_MOST][IF_NAMESIZE];
	size_t count;
};

static struct names links_of(const char *directory)
{
	struct names names = {.count = 0};
	DIR *folder = opendir(directory);
	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
		if (strncmp(entry->d_name, LINK_PREFIX, strlen(LINK_PREFIX)) == 0 && names.count < LINKS_MOST)
			snprintf(names.of[names.count++], IF_NAMESIZE, "%.15s", entry->d_name + strlen(LINK_PREFIX));
	if (folder != NULL)
		closedir(folder);
	return names;
}

static void link_drop(const char *directory, const char *name)
{
	char path[PIN_PATH_BYTES], pin[IF_NAMESIZE + sizeof(LINK_PREFIX)];
	snprintf(pin, sizeof(pin), LINK_PREFIX "%s", name);
	if (!pin_path(directory, pin, path))
		return;
	int fd = bpf_obj_get(path);
	if (fd >= 0) {
		bpf_link_detach(fd); /* now, whoever else has a descriptor of it */
		close(fd);
	}
	unlink(path);
}

/* Attaches all or none of those asked for. */
static int interfaces_attach(const struct edge_options *options, int program, struct buffer *told)
{
	for (size_t i = 0; i < options->interface_count; i++) {
		size_t before = told->len;
		int outcome = interface_attach(options, program, options->interfaces[i], told);
		if (outcome == 0)
			continue;
		while (i-- > 0)
			link_drop(options->directory, options->interfaces[i]);
		/* Of what was undone nothing is told. */
		memmove(told->ptr, told->ptr + before, told->len - before);
		told->len -= before;
		return outcome;
	}
	return 0;
}

void edge_interfaces(const char *directory, void (*each)(void *context, const char *name, const char *mode),
		     void *context)
{
	struct names names = links_of(directory);
	for (size_t i = 0; i < names.count; i++) {
		LIBBPF_OPTS(bpf_xdp_query_opts, query);
		unsigned interface = if_nametoindex(names.of[i]);
		bool there = interface != 0 && bpf_xdp_query((int)interface, 0, &query) == 0 && query.prog_id != 0;
		each(context, names.of[i],
		     !there                                  ? "gone"
		     : query.attach_mode == XDP_ATTACHED_SKB ? "generic"
							     : "native");
	}
}

/* ---- pins ---- */

/* Maps are the user's; program and links stay root's. */
static int pin(const struct edge_options *options, const char *name, int fd, bool theirs)
{
	char path[PIN_PATH_BYTES];
	if (!pin_path(options->directory, name, path))
		return -ENAMETOOLONG;
	if (bpf_obj_pin(fd, path) != 0 || chmod(path, 0600) != 0)
		return -errno;
	return theirs && chown(path, options->uid, options->gid) != 0 ? -errno : 0;
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
		      error == -ENOENT ? ": no such folder to mount the BPF file system at" : "");
	return EDGE_MACHINE;
}

static int attach_first(const struct edge_options *options, struct buffer *told)
{
	struct loaded loaded;
	int outcome = loader_load(options, told, &loaded);
	if (outcome != 0)
		return outcome;
	int error = pins_make(options->directory);
	if (error == 0) {
		error = pin(options, PROGRAM_PIN, loaded.program, false);
		for (unsigned map = 0; map < EDGE_MAP_COUNT && error == 0; map++)
			error = pin(options, edge_map_names[map], loaded.fds[map], true);
		outcome = error != 0 ? tell_pins(options->directory, error, told)
				     : interfaces_attach(options, loaded.program, told);
		if (outcome != 0)
			pins_remove(options->directory);
	} else {
		outcome = tell_pins(options->directory, error, told);
	}
	loaded_close(&loaded);
	if (outcome == 0 && !loader_cookies_taken())
		buffer_text(told, "net.ipv4.tcp_syncookies is not 2: SYNs above the budget are left to the kernel\n");
	return outcome;
}

static int attach_more(const struct edge_options *options, struct buffer *told)
{
	char path[PIN_PATH_BYTES];
	int program = pin_path(options->directory, PROGRAM_PIN, path) ? bpf_obj_get(path) : -1;
	if (program < 0)
		return tell_pins(options->directory, -errno, told);
	int outcome = interfaces_attach(options, program, told);
	close(program);
	return outcome;
}

int edge_attach(const struct edge_options *options, struct buffer *told)
{
	struct edge edge;
	libbpf_set_print(silent);
	int outcome = edge_adopt(options->directory, &edge);
	if (outcome == 0) {
		edge_close(&edge);
		return attach_more(options, told);
	}
	if (outcome == -ENOENT && access(options->directory, F_OK) != 0)
		return attach_first(options, told);
	if (outcome == -EACCES || outcome == -EPERM)
		return tell_pins(options->directory, outcome, told);
	buffer_printf(told,
		      "%s: what is pinned there is not of this version, or not whole: guia edge detach, then again\n",
		      options->directory);
	return EDGE_USER;
}

int edge_detach(const char *directory, struct buffer *told)
{
	struct edge edge;
	libbpf_set_print(silent);
	if (access(directory, F_OK) != 0) {
		buffer_printf(told, "%s: no edge is attached\n", directory);
		return EDGE_USER;
	}
	if (edge_adopt(directory, &edge) == 0) {
		__atomic_store_n(&edge.table.control->retired, 1, __ATOMIC_RELEASE);
		edge_close(&edge);
	}
	struct names names = links_of(directory);
	for (size_t i = 0; i < names.count; i++)
		link_drop(directory, names.of[i]);
	int error = pins_remove(directory);
	if (error != 0)
		return tell_pins(directory, error, told);
	for (size_t i = 0; i < names.count; i++)
		buffer_printf(told, "%s: detached\n", names.of[i]);
	return 0;
}
