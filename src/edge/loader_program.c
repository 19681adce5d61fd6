/* The compiled program, as bpftool made a skeleton of it. */
#include "edge/loader_inside.h"

#include "base/error.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <string.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion" /* bpftool's code is what it is */
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "guia-edge-skeleton.h"
#pragma GCC diagnostic pop

bool edge_is_built(void)
{
	return true;
}

static void maps_of(const struct edge_program *program, const struct bpf_map *maps[EDGE_MAP_COUNT])
{
#define MAP_OF(name) maps[EDGE_MAP_##name] = program->maps.name;
	EDGE_MAPS(MAP_OF)
}

static int sizes_set(struct edge_program *program, const struct edge_geometry *g)
{
	int processors = libbpf_num_possible_cpus();
	if (processors < 0)
		return processors;
	int error = bpf_map__set_max_entries(program->maps.v4_32, edge_shape_entries(&g->v4_32));
	error = error != 0 ? error : bpf_map__set_max_entries(program->maps.v4_24, edge_shape_entries(&g->v4_24));
	error = error != 0 ? error : bpf_map__set_max_entries(program->maps.v6_128, edge_shape_entries(&g->v6_128));
	error = error != 0 ? error : bpf_map__set_max_entries(program->maps.v6_net, edge_net_entries(&g->v6_net));
	error = error != 0 ? error : bpf_map__set_max_entries(program->maps.v4_some, 1u << g->v4_some_bits);
	error = error != 0 ? error : bpf_map__set_max_entries(program->maps.v6_some, 1u << g->v6_some_bits);
	return error != 0 ? error : bpf_map__set_max_entries(program->maps.slots, (uint32_t)processors * EDGE_SLOTS);
}

/* The descriptors go with the skeleton: copies are the caller's. */
static int copies_take(const struct edge_program *program, struct loaded *ret_loaded)
{
	const struct bpf_map *maps[EDGE_MAP_COUNT];
	int failed = 0;
	maps_of(program, maps);
	for (unsigned i = 0; i < EDGE_MAP_COUNT; i++) {
		ret_loaded->fds[i] = fcntl(bpf_map__fd(maps[i]), F_DUPFD_CLOEXEC, 3);
		failed |= ret_loaded->fds[i] < 0;
	}
	ret_loaded->program = fcntl(bpf_program__fd(program->progs.guia_edge), F_DUPFD_CLOEXEC, 3);
	return failed || ret_loaded->program < 0 ? -EMFILE : 0;
}

/* `can`: with what Linux has since 6.0 for connections that it tracks. It may be in a module that is not there. */
static int load(const struct edge_geometry *geometry, bool can, struct edge_program **ret_program)
{
	struct edge_program *program = edge_program__open();
	int error = program == NULL ? -ENOMEM : sizes_set(program, geometry);
	if (error == 0) {
		memcpy(&program->rodata->geometry, geometry, sizeof(*geometry));
		program->rodata->tracked_can = can;
		error = edge_program__load(program);
	}
	*ret_program = program;
	return error;
}

int loader_load(const struct edge_options *options, struct buffer *told, struct loaded *ret_loaded)
{
	struct edge_geometry geometry = edge_geometry_make(options->bans);
	struct edge_program *program;
	struct edge_control control;
	uint32_t zero = 0;
	int error = load(&geometry, true, &program);
	if (error != 0) {
		edge_program__destroy(program);
		error = load(&geometry, false, &program);
	}
	loader_control(options, &geometry, loader_cookies_taken(), &control);
	if (error == 0)
		error = bpf_map__update_elem(program->maps.control, &zero, sizeof(zero), &control, sizeof(control),
					     BPF_ANY);
	if (error == 0)
		error = copies_take(program, ret_loaded);
	edge_program__destroy(program);
	if (error == 0)
		return 0;
	buffer_printf(told, "the kernel does not take the program: %s%s\n", strerror(-error),
		      error == -EPERM ? " (this needs root, with CAP_BPF and CAP_NET_ADMIN)" : "");
	return EDGE_MACHINE;
}
