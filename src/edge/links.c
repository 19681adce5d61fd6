/*
 * A link lasts as long as its descriptor, so all are made first and pinned last. Unless the options say otherwise an
 * interface is tried in native mode, and in generic mode where its driver cannot.
 */
#include "edge/links.h"

#include "base/error.h"
#include "edge/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#define LINK_PREFIX "link-"

/* A BPF file system takes no dot, which VLANs have in their names; a colon is in no interface's. */
static void swap(char *name, char from, char to)
{
	for (; *name != '\0'; name++)
		*name = *name == from ? to : *name;
}

static bool link_path(const char *directory, const char *name, char path[PIN_PATH_BYTES])
{
	char pin[IF_NAMESIZE + sizeof(LINK_PREFIX)];
	snprintf(pin, sizeof(pin), LINK_PREFIX "%.15s", name);
	swap(pin, '.', ':');
	return pin_path(directory, pin, path);
}

struct links links_pinned(const char *directory)
{
	struct links links = {.count = 0};
	DIR *folder = opendir(directory);
	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
		if (strncmp(entry->d_name, LINK_PREFIX, strlen(LINK_PREFIX)) != 0 || links.count == LINKS_MOST)
			continue;
		char *name = links.of[links.count++];
		snprintf(name, IF_NAMESIZE, "%.15s", entry->d_name + strlen(LINK_PREFIX));
		swap(name, ':', '.');
	}
	if (folder != NULL)
		closedir(folder);
	return links;
}

void link_drop(const char *directory, const char *name)
{
	char path[PIN_PATH_BYTES];
	if (!link_path(directory, name, path))
		return;
	int fd = bpf_obj_get(path);
	if (fd >= 0) {
		bpf_link_detach(fd);
		close(fd);
	}
	unlink(path);
}

/* Whether the link pinned for the interface still holds it: one of that name may have gone and come back. */
static bool is_held(const char *directory, const char *name, unsigned interface)
{
	char path[PIN_PATH_BYTES];
	struct bpf_link_info info = {0};
	uint32_t bytes = sizeof(info);
	int fd = link_path(directory, name, path) ? bpf_obj_get(path) : -1;
	if (fd < 0)
		return false;
	bool held = bpf_obj_get_info_by_fd(fd, &info, &bytes) == 0 && info.type == BPF_LINK_TYPE_XDP &&
		    info.xdp.ifindex == interface;
	close(fd);
	return held;
}

static int link_create(int program, unsigned interface, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int fd = bpf_link_create(program, (int)interface, BPF_XDP, &options);
	return fd < 0 ? -errno : fd;
}

static int tell_refusal(const char *name, int error, struct buffer *told)
{
	if (error == -EBUSY || error == -EEXIST) {
		buffer_printf(told, "%s: another XDP program is attached to it already: take that off first\n", name);
		return EDGE_USER;
	}
	buffer_printf(told, "%s: takes no XDP program: %s%s\n", name, strerror(-error),
		      error == -EPERM ? " (this needs root, with CAP_NET_ADMIN)" : "; the gate alone defends it");
	return EDGE_MACHINE;
}

/* Only what a driver cannot do is tried without it. */
static bool may_be_generic(const struct edge_options *options, int error)
{
	return options->mode != EDGE_NATIVE && error != -EBUSY && error != -EEXIST && error != -EPERM;
}

static int link_make(const struct edge_options *options, int program, const char *name, int *ret_fd,
		     struct buffer *told)
{
	unsigned interface = if_nametoindex(name);
	if (interface == 0) {
		buffer_printf(told, "%s: there is no such interface\n", name);
		return EDGE_USER;
	}
	if (is_held(options->directory, name, interface)) {
		buffer_printf(told, "%s: was attached already\n", name);
		*ret_fd = -1;
		return 0;
	}
	bool generic = options->mode == EDGE_GENERIC;
	int native = generic ? 0 : link_create(program, interface, XDP_FLAGS_DRV_MODE), fd = native;
	if (generic || (native < 0 && may_be_generic(options, native)))
		fd = link_create(program, interface, XDP_FLAGS_SKB_MODE);
	if (fd < 0)
		return tell_refusal(name, fd, told);
	buffer_printf(told, "%s: attached, ", name);
	if (generic)
		buffer_text(told, "generic\n");
	else if (native < 0)
		buffer_printf(told, "generic: the driver takes no program (%s)\n", strerror(-native));
	else
		buffer_text(told, "native\n");
	*ret_fd = fd;
	return 0;
}

int links_make(const struct edge_options *options, int program, struct links_made *ret_made, struct buffer *told)
{
	struct links_made made = {.count = 0};
	size_t before = told->len;
	int outcome = 0;
	if (options->interface_count > LINKS_MOST) {
		buffer_printf(told, "more than %d interfaces\n", LINKS_MOST);
		return EDGE_USER;
	}
	for (; made.count < options->interface_count && outcome == 0; made.count += outcome == 0) {
		struct buffer line = buffer_make(NULL);
		const char *name = options->interfaces[made.count];
		outcome = link_make(options, program, name, &made.fds[made.count], &line);
		if (outcome != 0)
			told->len = before; /* of what is undone nothing is told */
		buffer_add(told, buffer_slice(&line));
		buffer_free(&line);
	}
	if (outcome != 0)
		links_close(&made);
	else
		*ret_made = made;
	return outcome;
}

void links_close(struct links_made *made)
{
	for (size_t i = 0; i < made->count; i++)
		if (made->fds[i] >= 0)
			close(made->fds[i]);
	made->count = 0;
}

int links_pin(const struct edge_options *options, struct links_made *made)
{
	int error = 0;
	for (size_t i = 0; i < made->count && error == 0; i++) {
		char path[PIN_PATH_BYTES];
		if (made->fds[i] < 0)
			continue;
		/* What stands there holds nothing any more. */
		link_drop(options->directory, options->interfaces[i]);
		error = link_path(options->directory, options->interfaces[i], path) ? 0 : -ENAMETOOLONG;
		if (error == 0 && bpf_obj_pin(made->fds[i], path) != 0)
			error = -errno;
	}
	for (size_t i = 0; i < made->count && error != 0; i++)
		if (made->fds[i] >= 0)
			link_drop(options->directory, options->interfaces[i]);
	links_close(made);
	return error;
}

void edge_interfaces(const char *directory, void (*each)(void *context, const char *name, const char *mode),
		     void *context)
{
	struct links links = links_pinned(directory);
	for (size_t i = 0; i < links.count; i++) {
		LIBBPF_OPTS(bpf_xdp_query_opts, query);
		unsigned interface = if_nametoindex(links.of[i]);
		bool there = interface != 0 && bpf_xdp_query((int)interface, 0, &query) == 0 && query.prog_id != 0;
		each(context, links.of[i],
		     !there                                  ? "gone"
		     : query.attach_mode == XDP_ATTACHED_SKB ? "generic"
							     : "native");
	}
}
