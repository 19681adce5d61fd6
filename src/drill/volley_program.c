#include "drill/volley_program.h"

#include "base/error.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion" /* bpftool's code is what it is */
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "guia-volley-skeleton.h"
#pragma GCC diagnostic pop

enum {
	LOOPBACK = 1,  /* a network's first interface: to the program, what is sent has come from there */
	TOGETHER = 32, /* pages that the kernel keeps ready; what it keeps of a call it gives back a second later */
};

struct volley_program {
	struct volley_skeleton *skeleton;
	int fd;
	uint8_t zeros[VOLLEY_BYTES_MOST];
};

static int attach(const struct bpf_program *program, const char *link)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_DRV_MODE);
	return bpf_link_create(bpf_program__fd(program), (int)if_nametoindex(link), BPF_XDP, &options) < 0 ? -errno : 0;
}

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

static int run(struct volley_program *program, uint32_t count, uint32_t bytes)
{
	struct xdp_md context = {.data_end = bytes, .ingress_ifindex = LOOPBACK};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = program->zeros, .data_size_in = bytes, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .repeat = (int)count,
		    .batch_size = TOGETHER);
	return bpf_prog_test_run_opts(program->fd, &options) == 0 ? 0 : -errno;
}

bool volley_program_may_be(void)
{
	struct volley_program *program = calloc(1, sizeof(*program));
	libbpf_set_print(silent);
	if (program == NULL || (program->skeleton = volley_skeleton__open_and_load()) == NULL) {
		free(program);
		return false;
	}
	program->fd = bpf_program__fd(program->skeleton->progs.volley);
	bool may = run(program, 1, VOLLEY_HEAD_BYTES) == 0; /* it sends nothing yet */
	volley_skeleton__destroy(program->skeleton);
	free(program);
	return may;
}

static int set_way(struct volley_program *program, uint32_t way, const char *link, const struct bpf_program *end)
{
	struct bpf_devmap_val value = {.ifindex = if_nametoindex(link),
				       .bpf_prog.fd = end != NULL ? bpf_program__fd(end) : -1};
	return bpf_map_update_elem(bpf_map__fd(program->skeleton->maps.ways), &way, &value, 0) == 0 ? 0 : -errno;
}

/* Runs with live frames wait for all processors each time, unless some link has the program already. */
static int load(struct volley_program *program, const char *link, const char *home_link, const char *visitors_link)
{
	program->skeleton = volley_skeleton__open();
	if (program->skeleton == NULL)
		return -ENOMEM;
	program->skeleton->rodata->link_index = if_nametoindex(link);
	int r = volley_skeleton__load(program->skeleton);
	if (r != 0)
		return r;
	program->fd = bpf_program__fd(program->skeleton->progs.volley);
	r = set_way(program, 0, link, NULL);
	r = r != 0 ? r : set_way(program, 1, home_link, program->skeleton->progs.volley_home);
	r = r != 0 ? r : attach(program->skeleton->progs.volley, link);
	return r != 0 || visitors_link == NULL ? r : attach(program->skeleton->progs.volley_wait, visitors_link);
}

int volley_program_load(const char *link, const char *home_link, const char *visitors_link,
			struct volley_program **ret_program)
{
	struct volley_program *program = calloc(1, sizeof(*program));
	libbpf_set_print(silent);
	int r = program == NULL ? -ENOMEM : load(program, link, home_link, visitors_link);
	if (r == 0)
		*ret_program = program;
	else
		free(program); /* the process ends with it */
	return r;
}

struct volley_frame *volley_program_frames(struct volley_program *program)
{
	return program->skeleton->bss->frames;
}

uint32_t volley_program_send(struct volley_program *program, uint32_t count, uint32_t place, uint32_t most_bytes)
{
	volatile struct volley_skeleton__bss *memory = program->skeleton->bss;
	uint32_t before = memory->next_frame;
	uint32_t waiting = memory->came - memory->went, apart = count / (waiting > 0 ? waiting : 1);
	memory->attacking = 1;
	/*
	 * The place is drawn, for a ring that has room for some has it for others each time. Not from the first quarter
	 * of a burst, which finds room that the others do not, nor from the last, which alone has none after a delay.
	 */
	memory->last_turn = before + apart / 4 + place % (apart / 2 + 1) - apart;
	memory->apart = apart;
	(void)run(program, count, most_bytes);
	return memory->next_frame - before;
}

void volley_program_end(struct volley_program *program)
{
	program->skeleton->bss->attacking = 0;
	program->skeleton->bss->apart = 0;
	(void)run(program, VOLLEY_WAITING_MOST, VOLLEY_HEAD_BYTES);
}
