/* In place of volley_program.c where clang or bpftool were missing when this was built: packets are skipped then. */
#include "drill/volley_program.h"

#include "base/error.h"

#include <stddef.h>

bool volley_program_may_be(void)
{
	return false;
}

int volley_program_load(const struct volley_links *links, struct volley_program **ret_program)
{
	(void)links;
	(void)ret_program;
	return -ENOSYS;
}

struct volley_frame *volley_program_frames(struct volley_program *program)
{
	(void)program;
	return NULL;
}

uint32_t volley_program_send(struct volley_program *program, uint32_t count, uint32_t place, uint32_t most_bytes)
{
	(void)place;
	(void)program;
	(void)count;
	(void)most_bytes;
	return 0;
}

void volley_program_end(struct volley_program *program)
{
	(void)program;
}

void volley_program_unload(struct volley_program *program)
{
	(void)program;
}
