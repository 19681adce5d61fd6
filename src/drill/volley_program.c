/*
 * By libbpf and a skeleton. A send is BPF_PROG_TEST_RUN with live frames, many at a time; frames, counters and the
 * order to begin or end lie in memory that the program shares (.bss).
 */
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
	TOGETHER = 128, /* frames that go at once, for each such group wakes whoever receives it */
};

struct volley_program {
	struct bpf_tc_hook hook; /* .sz 0: there is none */
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
	struct xdp_md context = {.data_end = bytes, .ingress_ifindex = VOLLEY_FROM};
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

/* Unlike XDP's, such a program stays when its process is gone. */
static int attach_answers(struct volley_program *program, const char *link)
{
	struct bpf_tc_hook hook = {
		.sz = sizeof(hook), .ifindex = (int)if_nametoindex(link), .attach_point = BPF_TC_INGRESS};
	LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = bpf_program__fd(program->skeleton->progs.volley_answers));
	int r = bpf_tc_hook_create(&hook);
	if (r != 0 && r != -EEXIST)
		return r;
	program->hook = hook;
	return bpf_tc_attach(&hook, &options);
}

static int load(struct volley_program *program, const struct volley_links *links)
{
	program->skeleton = volley_skeleton__open();
	if (program->skeleton == NULL)
		return -ENOMEM;
	program->skeleton->rodata->link_index = if_nametoindex(links->out);
	int r = volley_skeleton__load(program->skeleton);
	if (r != 0)
		return r;
	program->fd = bpf_program__fd(program->skeleton->progs.volley);
	r = set_way(program, 0, links->out, NULL);
	r = r != 0 ? r : set_way(program, 1, links->home, program->skeleton->progs.volley_home);
	/* Runs with live frames wait for all processors each time, unless some link has the program already. */
	bool frames = links->answers == VOLLEY_ANSWERS_FRAMES;
	r = r != 0 ? r : attach(program->skeleton->progs.volley, frames ? links->out : links->home);
	if (r == 0 && links->answers == VOLLEY_ANSWERS_PACKETS)
		r = attach_answers(program, links->out);
	return r != 0 || links->visitors == NULL ? r : attach(program->skeleton->progs.volley_wait, links->visitors);
}

int volley_program_load(const struct volley_links *links, struct volley_program **ret_program)
{
	struct volley_program *program = calloc(1, sizeof(*program));
	libbpf_set_print(silent);
	int r = program == NULL ? -ENOMEM : load(program, links);
	if (r == 0)
		*ret_program = program;
	else
		volley_program_unload(program);
	return r;
}

void volley_program_unload(struct volley_program *program)
{
	if (program == NULL)
		return;
	if (program->hook.sz != 0) {
		program->hook.attach_point |= BPF_TC_EGRESS; /* of both, or the queue stays that they need */
		(void)bpf_tc_hook_destroy(&program->hook);
	}
	volley_skeleton__destroy(program->skeleton);
	free(program); /* its links go with the process */
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
