/* Any text either compiles, and then to the same rule set each time, or is refused with an error that says why. */
#include "seclang/compile.h"
#include "seclang/dump.h"

#include "target.h"

static void compile(const char *text, struct buffer *dump)
{
	struct seclang_source source = {.text = text, .name = "fuzz", .line = 1};
	struct seclang_counts counts;
	struct diagnostics diagnostics;
	struct ruleset ruleset;
	struct arena arena;
	struct pool *pool;
	diagnostics_init(&diagnostics);
	arena_init(&arena, SIZE_MAX / 2, 0);
	if (pool_create(NULL, &pool) != 0)
		abort();
	int r = seclang_compile(pool, &source, 1, &diagnostics, &arena, &ruleset, &counts);
	if ((r == 0) == diagnostics_failed(&diagnostics))
		abort();
	if (r == 0)
		ruleset_dump(&ruleset, dump);
	arena_destroy(&arena);
	diagnostics_destroy(&diagnostics);
	pool_free(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer text = buffer_make(NULL), first = buffer_make(NULL), second = buffer_make(NULL);
	buffer_add(&text, slice_make(data, size < 4096 ? size : 4096));
	buffer_byte(&text, '\0');
	compile((const char *)text.ptr, &first);
	compile((const char *)text.ptr, &second);
	if (!slice_equal(buffer_slice(&first), buffer_slice(&second)))
		abort();
	buffer_free(&text);
	buffer_free(&first);
	buffer_free(&second);
	return 0;
}
