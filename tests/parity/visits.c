/* Short lines to whole requests, with a browser's headers, that our engine and libmodsecurity are asked. */
#include "visits.h"

#include "base/file.h"
#include "base/reader.h"

#include <errno.h>

enum { FILE_BYTES_MAX = 1 << 20 };

/* What stands before `mark`; *text becomes what stands behind it, empty if there is none. */
static struct slice cut(struct slice *text, struct slice mark)
{
	size_t at = slice_find(*text, mark, 0);
	struct slice head = slice_sub(*text, 0, at);
	*text = at < text->len ? slice_after(*text, at + mark.len) : slice_make("", 0);
	return head;
}

static struct slice unescaped(struct slice s, struct arena *arena)
{
	uint8_t *out = arena_alloc(arena, s.len + 1);
	size_t len = 0;
	if (out == NULL)
		return s;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (c == '\\' && i + 1 < s.len) {
			c = s.ptr[++i];
			c = c == 'n' ? '\n' : c == 'r' ? '\r' : c;
		}
		out[len++] = c;
	}
	return slice_make(out, len);
}

static void add_header(struct sample *sample, struct slice name, struct slice value)
{
	if (sample->header_count < SAMPLE_HEADERS_MAX)
		sample->headers[sample->header_count++] = (struct sample_header){name, value};
}

static void add_body(struct sample *sample, struct slice body, struct arena *arena)
{
	struct buffer length = buffer_make(arena);
	sample->body = unescaped(body, arena);
	buffer_number(&length, (int64_t)sample->body.len);
	add_header(sample, SLICE("Content-Type"), SLICE("application/x-www-form-urlencoded"));
	add_header(sample, SLICE("Content-Length"), buffer_slice(&length));
}

static void read_line(struct slice line, struct arena *arena, struct sample *sample)
{
	struct slice answer = line;
	struct slice body = cut(&answer, SLICE(" > "));
	struct slice cookies = cut(&body, SLICE(" < "));
	struct slice words = cut(&cookies, SLICE(" ~ "));
	struct slice setup = cut(&words, SLICE(" "));
	struct slice method = cut(&words, SLICE(" "));
	*sample = (struct sample){.method = method, .uri = words, .version = SLICE("1.1"), .response_status = 200};
	add_header(sample, SLICE("Host"), SLICE("localhost"));
	add_header(sample, SLICE("User-Agent"), SLICE("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Firefox/143.0"));
	add_header(sample, SLICE("Accept"), SLICE("text/html,*/*;q=0.8"));
	while (setup.len > 0 && !slice_equal(setup, SLICE("-")))
		add_header(sample, SLICE("X-Setup"), cut(&setup, SLICE(",")));
	if (cookies.len > 0)
		add_header(sample, SLICE("Cookie"), cookies);
	if (body.len > 0)
		add_body(sample, body, arena);
	if (answer.len == 0)
		return;
	sample->response_body = unescaped(answer, arena);
	sample->response_headers[0] = (struct sample_header){SLICE("Content-Type"), SLICE("text/html")};
	sample->response_header_count = 1;
}

int visits_read(const char *path, struct arena *arena, visit_sink *sink, void *context)
{
	struct buffer file = buffer_make(arena);
	int r = file_read(path, FILE_BYTES_MAX, &file);
	struct reader lines = reader_make(buffer_slice(&file));
	for (size_t number = 1; r == 0 && !reader_at_end(&lines); number++) {
		struct slice line = reader_until(&lines, '\n');
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		struct sample sample;
		struct buffer name = buffer_make(arena);
		read_line(line, arena, &sample);
		const char *slash = strrchr(path, '/');
		buffer_printf(&name, "%s:%zu", slash == NULL ? path : slash + 1, number);
		buffer_byte(&name, '\0');
		r = name.error != 0 ? name.error : sink(context, (const char *)buffer_slice(&name).ptr, &sample);
	}
	return r;
}
