/* A request that a server would refuse, read all the same: rule tests ask what the rules say of it. */
#include "ftw/exchange.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/reader.h"

static struct slice take_line(struct reader *r)
{
	struct slice line = reader_until(r, '\n');
	return slice_ends_with(line, SLICE("\r")) ? slice_sub(line, 0, line.len - 1) : line;
}

static void read_line(struct slice line, struct request *request)
{
	struct slice rest = slice_cut(line, ' ', &request->method);
	size_t last = rest.len;
	while (last > 0 && rest.ptr[last - 1] != ' ')
		last--;
	bool protocol = last > 0;
	request->line = line;
	request->protocol = protocol ? slice_after(rest, last) : SLICE("");
	request->unparsed_uri = protocol ? slice_sub(rest, 0, last - 1) : rest;
	size_t question = slice_find_byte(request->unparsed_uri, '?', 0);
	request->uri = slice_sub(request->unparsed_uri, 0, question);
	request->arguments = slice_after(request->unparsed_uri, question + 1);
}

/* Chunks as far as they can be read. */
static struct slice read_chunks(struct reader *r, struct arena *arena, int *error)
{
	struct buffer body = buffer_make(arena);
	for (;;) {
		struct slice line = take_line(r);
		size_t size = 0;
		for (size_t i = 0; i < line.len && byte_hex_value(line.ptr[i]) >= 0 && size < SIZE_MAX / 32; i++)
			size = size * 16 + (size_t)byte_hex_value(line.ptr[i]);
		if (size == 0 || reader_at_end(r))
			break;
		buffer_add(&body, reader_take(r, size));
		take_line(r);
	}
	*error = body.error;
	return buffer_slice(&body);
}

int exchange_read_leniently(struct slice wire, struct arena *arena, struct request *ret_request)
{
	struct reader r = reader_make(wire);
	struct request request = {.headers = field_list_make(arena)};
	read_line(take_line(&r), &request);
	int error = 0;
	for (struct slice line = take_line(&r); line.len > 0 && error == 0; line = take_line(&r)) {
		struct field field = {0};
		field.value = slice_trim(slice_cut(line, ':', &field.name));
		error = field_list_add(&request.headers, field);
	}
	const struct field *host = field_list_find(&request.headers, SLICE("Host"));
	const struct field *coding = field_list_find(&request.headers, SLICE("Transfer-Encoding"));
	request.host = host != NULL ? host->value : SLICE("");
	if (error == 0 && coding != NULL && slice_find_nocase(coding->value, SLICE("chunked"), 0) < coding->value.len)
		request.body = read_chunks(&r, arena, &error);
	else
		request.body = reader_rest(&r);
	request.has_body = request.body.len > 0;
	if (error == 0)
		*ret_request = request;
	return error;
}
