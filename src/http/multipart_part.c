/*
 * A header's line is held back, as the next may be its fold. The empty line makes name and file of Content-Disposition;
 * how far data goes is known when its boundary comes. Lines and boundaries are told apart in multipart.c.
 */
#include "http/multipart_part.h"

#include <errno.h>

enum {
	PART_HEADERS_LIMIT = 128, /* of our own: duplicates are looked for one by one */
};

static int set_error(struct multipart_parser *p, const char *text, struct slice detail)
{
	struct buffer message = buffer_make(p->arena);
	buffer_text(&message, text);
	buffer_add(&message, detail);
	if (message.error != 0)
		return message.error;
	p->result->error = buffer_slice(&message);
	return 0;
}

int multipart_fault(struct multipart_parser *p, const char *text)
{
	p->result->error = slice_from_string(text);
	return 0;
}

int multipart_stop(struct multipart_parser *p, const char *text, struct slice detail)
{
	p->result->flags.error = 1;
	int error = set_error(p, text, detail);
	return error != 0 ? error : MULTIPART_STOP;
}

static struct slice without_line_end(struct slice s)
{
	while (s.len > 0 && (s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == '\r'))
		s.len--;
	return s;
}

/* A header's value; one that is nothing but its line end keeps it, as in libmodsecurity. */
static struct slice chomp(struct slice s)
{
	struct slice text = without_line_end(s);
	return text.len > 0 ? text : s;
}

/*
 * A line in MULTIPART_PART_HEADERS has its line end, as in libmodsecurity, unless it names a charset: 922110 of the
 * Core Rule Set compares that with those allowed, and its tests have it without.
 */
static struct slice shown_line(struct slice line)
{
	bool charset = slice_starts_with_nocase(line, SLICE("Content-Type")) &&
		       slice_find_nocase(line, SLICE("charset"), 0) < line.len;
	return charset ? without_line_end(line) : line;
}

size_t multipart_place(const struct multipart_parser *p, struct slice s)
{
	return (size_t)(s.ptr - p->body.ptr);
}

static struct multipart_part_header *find_header(struct multipart_part *part, struct slice name)
{
	for (size_t i = 0; i < part->header_count; i++)
		if (slice_equal_nocase(part->headers[i].name, name))
			return &part->headers[i];
	return NULL;
}

static int add_header(struct multipart_parser *p, struct multipart_part_header header)
{
	struct multipart_part *part = &p->part;
	if (part->header_count == PART_HEADERS_LIMIT)
		return multipart_stop(p, "Multipart: Too many part headers.", slice_make("", 0));
	if (arena_grow(p->arena, (void **)&part->headers, &part->header_capacity, part->header_count,
		       sizeof(*part->headers), 4) != 0)
		return -ENOMEM;
	part->headers[part->header_count++] = header;
	return 0;
}

int multipart_join(struct multipart_parser *p, struct slice a, struct slice between, struct slice b,
		   struct slice *ret_joined)
{
	struct buffer joined = buffer_make(p->arena);
	if (buffer_reserve(&joined, a.len + between.len + b.len) != 0)
		return -ENOMEM;
	buffer_add(&joined, a);
	buffer_add(&joined, between);
	buffer_add(&joined, b);
	*ret_joined = buffer_slice(&joined);
	return 0;
}

/* The line collected so far is complete. */
static int record_line(struct multipart_parser *p)
{
	struct multipart_part *part = &p->part;
	if (part->line.len == 0)
		return 0;
	if (part->line_folded) {
		const struct multipart_part_header *header = &part->headers[part->header_count - 1];
		if (multipart_join(p, header->name, SLICE(": "), header->value, &part->line) != 0)
			return -ENOMEM;
	}
	struct field field = {.value = part->line, .value_offset = part->line_offset};
	part->line = slice_make("", 0);
	part->line_folded = false;
	return field_list_add(&part->lines, field);
}

static int invalid_disposition(struct multipart_parser *p, int number, struct slice value)
{
	struct buffer message = buffer_make(p->arena);
	buffer_printf(&message, "Multipart: Invalid Content-Disposition header (%d): ", number);
	buffer_add(&message, value);
	p->result->error = buffer_slice(&message);
	return message.error;
}

/* The empty line behind the headers. */
static int end_headers(struct multipart_parser *p, size_t data_from)
{
	struct multipart_part *part = &p->part;
	if (record_line(p) != 0)
		return -ENOMEM;
	const struct multipart_part_header *header = find_header(part, SLICE("Content-Disposition"));
	if (header == NULL)
		return multipart_fault(p, "Multipart: Part missing Content-Disposition header.");
	int number;
	if (content_disposition_parse(header->value, p->result, p->arena, &part->disposition, &number) != 0)
		return -ENOMEM;
	if (number < 0)
		return invalid_disposition(p, number, header->value);
	if (part->disposition.name.len == 0)
		return multipart_fault(p, "Multipart: Content-Disposition header missing name field.");
	if (part->disposition.extended && p->options->unambiguous)
		p->result->flags.invalid_part = 1;
	bool file = part->disposition.filename.len > 0;
	if (file && slice_find(header->value, SLICE("filename="), 0) == header->value.len)
		return multipart_fault(p, "Multipart: Invalid Content-Disposition header (filename).");
	part->disposition.name_offset += header->value_offset;
	part->disposition.filename_offset += header->value_offset;
	part->in_data = true;
	part->data_from = data_from;
	part->folding_open = false;
	return 0;
}

static int fold_header(struct multipart_parser *p, struct slice line)
{
	struct multipart_part *part = &p->part;
	struct multipart_flags *flags = &p->result->flags;
	flags->header_folding = 1;
	/* Where there is nothing to continue libmodsecurity looks no further than the first byte. */
	size_t looked_at = part->folding_open ? line.len : 1;
	size_t blank = 0;
	for (; blank < looked_at && byte_is_space(line.ptr[blank]); blank++)
		if (line.ptr[blank] != ' ' && line.ptr[blank] != '\t')
			flags->invalid_header_folding = 1;
	if (!part->folding_open)
		return multipart_fault(p, "Multipart: Invalid part header (folding error).");
	struct multipart_part_header *header = &part->headers[part->header_count - 1];
	struct slice more = chomp(slice_after(line, blank));
	if (header->value.len + 1 + more.len > MULTIPART_LINE_LIMIT)
		return multipart_fault(p, "Multipart: Part header too long.");
	if (part->folded.len == 0)
		buffer_add(&part->folded, header->value);
	buffer_byte(&part->folded, ' ');
	buffer_add(&part->folded, more);
	header->value = buffer_slice(&part->folded);
	part->line_folded = true;
	/* A line recorded already, behind a duplicate, is told again with what came to it. */
	part->line = header->value;
	return part->folded.error;
}

static int new_header(struct multipart_parser *p, struct slice line)
{
	struct multipart_part *part = &p->part;
	if (record_line(p) != 0)
		return -ENOMEM;
	struct multipart_part_header header;
	size_t colon = slice_find_byte(line, ':', 0);
	if (colon == line.len)
		return set_error(p, "Multipart: Invalid part header (colon missing): ", line);
	if (colon == 0)
		return multipart_fault(p, "Multipart: Invalid part header (header name missing).");
	header.name = slice_sub(line, 0, colon);
	header.value = slice_after(line, colon + 1);
	while (header.value.len > 0 && (header.value.ptr[0] == ' ' || header.value.ptr[0] == '\t'))
		header.value = slice_after(header.value, 1);
	header.value = chomp(header.value);
	header.value_offset = multipart_place(p, header.value);
	if (find_header(part, header.name) != NULL) {
		if (p->options->unambiguous)
			p->result->flags.invalid_part = 1;
		return 0;
	}
	part->line = shown_line(line);
	part->line_offset = multipart_place(p, line);
	part->folded = buffer_make(p->arena);
	part->folding_open = true;
	return add_header(p, header);
}

int multipart_part_header(struct multipart_parser *p, struct slice line)
{
	if (slice_find_byte(line, '\0', 0) < line.len)
		return multipart_fault(p, "Multipart: Nul byte in part headers.");
	p->result->no_files_bytes += line.len;
	bool crlf = slice_ends_with(line, SLICE("\r\n"));
	if (crlf)
		p->result->flags.crlf_line = 1;
	else
		p->result->flags.lf_line = 1;
	if (line.len == (crlf ? 2 : 1))
		return end_headers(p, multipart_place(p, line) + line.len);
	return byte_is_space(line.ptr[0]) ? fold_header(p, line) : new_header(p, line);
}

int multipart_part_data(struct multipart_parser *p)
{
	struct multipart_part *part = &p->part;
	const struct multipart_options *options = p->options;
	bool first = !part->data_seen;
	part->data_seen = true;
	if (!first || part->disposition.filename.len == 0 || !options->keep_files)
		return 0;
	if (options->file_limit == 0 || p->kept_files < options->file_limit) {
		p->kept_files++;
		return 0;
	}
	if (p->result->flags.file_limit_exceeded)
		return 0;
	p->result->flags.file_limit_exceeded = 1;
	struct buffer message = buffer_make(p->arena);
	buffer_printf(&message,
		      "Multipart: Upload file limit exceeded %zu. Use SecUploadFileLimit to change the limit.",
		      options->file_limit);
	p->result->error = buffer_slice(&message);
	return message.error;
}

static int publish_lines(struct multipart_parser *p)
{
	struct multipart_part *part = &p->part;
	for (size_t i = 0; i < part->lines.count; i++) {
		part->lines.items[i].name = part->disposition.name;
		if (field_list_add(&p->result->part_headers, part->lines.items[i]) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* The part's data ends before the line end that precedes `boundary_at`. */
static struct slice part_data(const struct multipart_parser *p, size_t boundary_at)
{
	const struct multipart_part *part = &p->part;
	if (!part->data_seen)
		return slice_sub(p->body, boundary_at, boundary_at);
	struct slice data = slice_sub(p->body, part->data_from, boundary_at);
	if (slice_ends_with(data, SLICE("\n")))
		data.len -= slice_ends_with(data, SLICE("\r\n")) ? 2 : 1;
	return data;
}

int multipart_part_finish(struct multipart_parser *p, size_t boundary_at)
{
	if (!p->part_open)
		return 0;
	p->part_open = false;
	if (publish_lines(p) != 0)
		return -ENOMEM;
	const struct content_disposition *disposition = &p->part.disposition;
	if (disposition->name.len == 0) {
		p->result->flags.invalid_part = 1;
		return 0;
	}
	struct multipart_finished_part *finished = arena_alloc(p->arena, sizeof(*finished));
	if (finished == NULL)
		return -ENOMEM;
	*finished = (struct multipart_finished_part){
		.name = disposition->name,
		.filename = disposition->filename,
		.data = part_data(p, boundary_at),
		.name_offset = disposition->name_offset,
		.filename_offset = disposition->filename_offset,
	};
	/* A part whose headers never were complete is no file, as its type was never decided. */
	if (!p->part.in_data)
		finished->filename = slice_make("", 0);
	finished->data_offset = multipart_place(p, finished->data);
	finished->kept = p->options->keep_files && p->part.data_seen && !p->result->flags.file_limit_exceeded;
	if (finished->filename.len == 0)
		p->result->no_files_bytes += finished->data.len;
	*p->last = finished;
	p->last = &finished->next;
	return 0;
}

int multipart_part_begin(struct multipart_parser *p)
{
	p->part = (struct multipart_part){.lines = field_list_make(p->arena), .line = slice_make("", 0)};
	p->part_open = true;
	p->part_count++;
	if (p->options->parts_limit != 0 && p->part_count > p->options->parts_limit)
		return multipart_stop(p, "Multipart: Too many parts.", slice_make("", 0));
	return 0;
}
