/*
 * By the edge's own loader (edge/loader.h): attached in the gate's network, and found again by its pins for each look.
 */
#include "drill/fence.h"

#include "base/error.h"
#include "edge/loader.h"

enum { BANS = 100000, SAMPLES = 100 };

bool fence_may_be(const struct stage *stage, const char **ret_why)
{
	*ret_why = !stage->root          ? "the edge needs root"
		   : !stage->run_is_ours ? "what the gate needs lies in /run"
					 : "this build has no edge";
	return stage->root && stage->run_is_ours && edge_is_built();
}

static int attach(uid_t user, gid_t group, struct buffer *said)
{
	static const char *const links[] = {STAGE_GATE_LINK};
	struct edge_options options = {
		.directory = EDGE_DIRECTORY,
		.interfaces = links,
		.interface_count = 1,
		.mode = EDGE_ANY,
		.bans = BANS,
		.samples_per_s = SAMPLES,
		.uid = user,
		.gid = group,
	};
	memcpy(options.limits, edge_usual_limits, sizeof(options.limits));
	return edge_attach(&options, said) == 0 ? 0 : -EIO;
}

int fence_build(const struct stage *stage, uid_t user, gid_t group, struct buffer *said)
{
	int r = stage_go(stage->gate);
	r = r != 0 ? r : attach(user, group, said);
	int back = stage_go(stage->world);
	return r != 0 ? r : back;
}

bool fence_is_held(void)
{
	struct edge edge;
	if (edge_adopt(EDGE_DIRECTORY, &edge) != 0)
		return false;
	bool held = __atomic_load_n(&edge.table.control->holder, __ATOMIC_RELAXED) != 0;
	edge_close(&edge);
	return held;
}

int fence_count(struct fence_counts *ret_counts)
{
	struct edge edge;
	struct edge_counts counts;
	int r = edge_adopt(EDGE_DIRECTORY, &edge);
	if (r != 0)
		return r < 0 ? r : -ENOENT;
	r = edge_count(&edge, &counts);
	edge_close(&edge);
	if (r != 0)
		return r;
	*ret_counts = (struct fence_counts){0};
	for (unsigned reason = 0; reason < EDGE_REASONS; reason++)
		*(reason >= EDGE_FIRST_ANSWER ? &ret_counts->answered
		  : reason >= EDGE_FIRST_DROP ? &ret_counts->dropped
					      : &ret_counts->passed) += counts.packets[reason];
	return 0;
}

void fence_remove(void)
{
	struct buffer told = buffer_make(NULL);
	(void)edge_detach(EDGE_DIRECTORY, &told);
	buffer_free(&told);
}
