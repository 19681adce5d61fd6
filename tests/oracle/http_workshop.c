/* Our reading of a request against libmodsecurity's, as sorted lines: in which order either tells plays no part. */
#include "http_workshop.h"

enum { ARENA_BYTES = 64 << 20, ARENA_RETAINED_BYTES = 1 << 20 };

void tell(struct told *told, const char *collection, struct slice key, struct slice value)
{
	struct buffer line = buffer_make(told->arena);
	buffer_printf(&line, "%s %zu:", collection, key.len);
	buffer_add(&line, key);
	buffer_text(&line, "=");
	buffer_add(&line, value);
	assert_int_equal(line.error, 0);
	assert_true(told->count < TOLD_LINES);
	told->lines[told->count++] = buffer_slice(&line);
}

void tell_text(struct told *told, const char *collection, const char *value)
{
	tell(told, collection, slice_make("", 0), slice_from_string(value));
}

void tell_number(struct told *told, const char *collection, struct slice key, size_t number)
{
	char text[32];
	snprintf(text, sizeof(text), "%zu", number);
	tell(told, collection, key, slice_from_string(text));
}

void tell_fields(struct told *told, const char *collection, const struct field_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		tell(told, collection, list->items[i].name, list->items[i].value);
}

static int compare(const void *a, const void *b)
{
	return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* Only the collections that `wanted` names are compared. */
struct asked {
	struct told *told;
	const char *wanted;
};

static struct slice from_oracle(struct oracle_text t)
{
	return slice_make(t.ptr, t.len);
}

static void hear(void *context, const char *collection, struct oracle_text key, struct oracle_text value)
{
	struct asked *asked = context;
	char name[64];
	snprintf(name, sizeof(name), " %s ", collection);
	if (strstr(asked->wanted, name) == NULL)
		return;
	struct slice text = from_oracle(value);
	/* expect_line_end: libmodsecurity 3.0.9 keeps it behind a charset, too. */
	if (strcmp(collection, "MULTIPART_PART_HEADERS") == 0 &&
	    slice_starts_with_nocase(text, SLICE("Content-Type")) &&
	    slice_find_nocase(text, SLICE("charset"), 0) < text.len)
		while (slice_ends_with(text, SLICE("\r")) || slice_ends_with(text, SLICE("\n")))
			text.len--;
	tell(asked->told, collection, from_oracle(key), text);
}

static void show(const char *title, struct slice s)
{
	struct buffer out = buffer_make(NULL);
	for (size_t i = 0; i < s.len; i++)
		buffer_printf(&out, s.ptr[i] < ' ' || s.ptr[i] >= 0x7f || s.ptr[i] == '\\' ? "\\x%02x" : "%c",
			      s.ptr[i]);
	print_message("%s %.*s\n", title, SLICE_ARG(buffer_slice(&out)));
	buffer_free(&out);
}

void workshop_compare(struct workshop *w, struct slice input)
{
	struct told *ours = &w->ours, *theirs = &w->theirs;
	qsort(ours->lines, ours->count, sizeof(ours->lines[0]), compare);
	qsort(theirs->lines, theirs->count, sizeof(theirs->lines[0]), compare);
	bool equal = ours->count == theirs->count;
	for (size_t i = 0; equal && i < ours->count; i++)
		equal = slice_equal(ours->lines[i], theirs->lines[i]);
	if (equal)
		return;
	show("input ", input);
	for (size_t i = 0; i < ours->count; i++)
		show("ours  ", ours->lines[i]);
	for (size_t i = 0; i < theirs->count; i++)
		show("theirs", theirs->lines[i]);
	fail();
}

struct workshop *workshop_open(uint64_t seed)
{
	struct workshop *w = calloc(1, sizeof(*w));
	arena_init(&w->arena, ARENA_BYTES, ARENA_RETAINED_BYTES);
	w->seed = seed;
	return w;
}

void workshop_next(struct workshop *w)
{
	arena_reset(&w->arena);
	w->ours.arena = w->theirs.arena = &w->arena;
	w->ours.count = w->theirs.count = 0;
}

void workshop_close(struct workshop *w)
{
	arena_destroy(&w->arena);
	free(w);
}

struct oracle_text to_oracle(struct slice s)
{
	return (struct oracle_text){(const char *)s.ptr, s.len};
}

void workshop_ask(struct workshop *w, const struct oracle_request *request, const char *wanted)
{
	struct asked asked = {&w->theirs, wanted};
	oracle_ask(request, hear, &asked);
}

struct slice workshop_compose(struct workshop *w, const char *const *pieces, size_t count, size_t most)
{
	struct buffer text = buffer_make(&w->arena);
	for (size_t left = random_below(&w->seed, most + 1); left > 0; left--)
		buffer_text(&text, pieces[random_below(&w->seed, count)]);
	return buffer_slice(&text);
}
