/* The compiled program, loaded into the kernel for a test. Where that is not allowed the test is skipped. */
#ifndef GUIA_EDGE_TEST_LOADED_H
#define GUIA_EDGE_TEST_LOADED_H

#include "edge/bans.h"
#include "edge/loader_inside.h"

#include "base/error.h"
#include "base/test.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

static const struct edge_limits UNBOUND[EDGE_BUDGETS] = {{0}};

static struct loaded loaded;
static struct edge edge;

static inline uint64_t now_ms(void)
{
	return ((uint64_t)edge_now_ticks() << EDGE_TICK_SHIFT) / 1000000;
}

static inline int load(const struct edge_limits limits[EDGE_BUDGETS], struct buffer *told)
{
	struct edge_options options = {.bans = 10000, .samples_per_s = 1000};
	memcpy(options.limits, limits, sizeof(options.limits));
	libbpf_set_print(NULL);
	int outcome = loader_load(&options, told, &loaded);
	buffer_byte(told, 0);
	return outcome;
}

static inline void begin(const struct edge_limits limits[EDGE_BUDGETS])
{
	struct buffer told = buffer_make(NULL);
	if (load(limits, &told) != 0)
		fail_msg("%s", (char *)told.ptr);
	assert_int_equal(edge_map(loaded.fds, &edge), 0);
	buffer_free(&told);
}

static inline void end(void)
{
	edge_close(&edge);
	close(loaded.program);
}

/* No: whoever may not use BPF, has no compiler for it, or no /sys in which libbpf counts processors. */
static inline bool can_load(void)
{
	if (access("/sys/devices/system/cpu/possible", R_OK) != 0)
		return false;
	struct buffer told = buffer_make(NULL);
	int outcome = load(UNBOUND, &told);
	bool can = outcome != EDGE_NOT_BUILT && (outcome == 0 || strstr((char *)told.ptr, strerror(EPERM)) == NULL);
	if (outcome == 0) {
		assert_int_equal(edge_map(loaded.fds, &edge), 0);
		end();
	}
	buffer_free(&told);
	return can;
}

/* `setup` as cmocka wants it for a group. */
#define LOADED_TEST_MAIN(setup, ...)                                                                                   \
	int main(void)                                                                                                 \
	{                                                                                                              \
		const struct CMUnitTest unit_tests[] = {__VA_ARGS__};                                                  \
		if (!can_load()) {                                                                                     \
			puts("1..0 # SKIP no BPF here");                                                               \
			return 0;                                                                                      \
		}                                                                                                      \
		return cmocka_run_group_tests(unit_tests, setup, NULL);                                                \
	}

#endif
