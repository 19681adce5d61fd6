/*
 * Line by line: before the first boundary, in a part's headers, or in its data. A line longer than libmodsecurity's
 * buffer is no header, and only its beginning is searched for boundaries, as there. A part's data is never copied: it
 * is what lies between the empty line and the line end before the next boundary.
 */
#include "http/multipart.h"

#include "base/buffer.h"
#include "base/reader.h"
#include "http/multipart_header.h"

#include <errno.h>

enum {
	LINE_LIMIT = 4096,
	PART_HEADERS_LIMIT = 128, /* of our own: duplicates are looked for one by one */
};

/* Besides 0 and -ENOMEM. */
enum step_outcome {
	STEP_STOP = 1, /* the body is beyond understanding from here on */
};

struct part_header {
	struct slice name;
	struct slice value;
	size_t value_offset;
};

struct part {
	struct content_disposition disposition;
	struct part_header *headers; /* in the arena */
	size_t header_count;
	size_t header_capacity;
	struct field_list lines; /* complete ones, for MULTIPART_PART_HEADERS */
	struct slice line;       /* the one that may still be folded; empty if none */
	struct buffer folded;    /* the value of the newest header, if it was */
	bool line_folded;
	size_t line_offset;
	bool folding_open; /* a header came that a folded line would continue */
	bool in_data;
	bool data_seen; /* a line of data */
	size_t data_from;
};

struct finished_part {
	struct slice name;
	struct slice filename;
	struct slice data;
	size_t name_offset;
	size_t filename_offset;
	size_t data_offset;
	bool kept;
	struct finished_part *next;
};

struct parser {
	struct slice body;
	struct slice boundary;
	struct slice delimiter; /* "--" and the boundary */
	const struct multipart_options *options;
	struct arena *arena;
	struct multipart *result;
	struct part part;
	bool part_open;
	bool complete;
	size_t boundaries;
	size_t next_delimiter; /* the next place in the body where `delimiter` stands */
	size_t kept_files;
	size_t part_count;
	bool previous_line_lf; /* the line before ended in a bare LF */
	struct finished_part *first;
	struct finished_part **last;
};

static int set_error(struct parser *p, const char *text, struct slice detail)
{
	struct buffer message = buffer_make(p->arena);
	buffer_text(&message, text);
	buffer_add(&message, detail);
	if (message.error != 0)
		return message.error;
	p->result->error = buffer_slice(&message);
	return 0;
}

/* The faults after which libmodsecurity goes on reading: the message stays, the line is passed over. */
static int fault(struct parser *p, const char *text)
{
	p->result->error = slice_from_string(text);
	return 0;
}

static int stop(struct parser *p, const char *text, struct slice detail)
{
	p->result->flags.error = 1;
	int error = set_error(p, text, detail);
	return error != 0 ? error : STEP_STOP;
}

static struct slice until_nul(struct slice s)
{
	return slice_sub(s, 0, slice_find_byte(s, '\0', 0));
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

static size_t place(const struct parser *p, struct slice s)
{
	return (size_t)(s.ptr - p->body.ptr);
}

static struct part_header *find_header(struct part *part, struct slice name)
{
	for (size_t i = 0; i < part->header_count; i++)
		if (slice_equal_nocase(part->headers[i].name, name))
			return &part->headers[i];
	return NULL;
}

static int add_header(struct parser *p, struct part_header header)
{
	struct part *part = &p->part;
	if (part->header_count == PART_HEADERS_LIMIT)
		return stop(p, "Multipart: Too many part headers.", slice_make("", 0));
	if (part->header_count == part->header_capacity) {
		size_t capacity = part->header_capacity == 0 ? 4 : part->header_capacity * 2;
		struct part_header *headers = arena_alloc(p->arena, capacity * sizeof(*headers));
		if (headers == NULL)
			return -ENOMEM;
		if (part->header_count > 0)
			memcpy(headers, part->headers, part->header_count * sizeof(*headers));
		part->headers = headers;
		part->header_capacity = capacity;
	}
	part->headers[part->header_count++] = header;
	return 0;
}

/* `a`, `between` and `b` in one new piece. */
static int join(struct parser *p, struct slice a, struct slice between, struct slice b, struct slice *ret_joined)
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
static int record_line(struct parser *p)
{
	struct part *part = &p->part;
	if (part->line.len == 0)
		return 0;
	if (part->line_folded) {
		const struct part_header *header = &part->headers[part->header_count - 1];
		if (join(p, header->name, SLICE(": "), header->value, &part->line) != 0)
			return -ENOMEM;
	}
	struct field field = {.value = part->line, .value_offset = part->line_offset};
	part->line = slice_make("", 0);
	part->line_folded = false;
	return field_list_add(&part->lines, field);
}

static int invalid_disposition(struct parser *p, int number, struct slice value)
{
	struct buffer message = buffer_make(p->arena);
	buffer_printf(&message, "Multipart: Invalid Content-Disposition header (%d): ", number);
	buffer_add(&message, value);
	p->result->error = buffer_slice(&message);
	return message.error;
}

/* The empty line behind the headers. */
static int end_headers(struct parser *p, size_t data_from)
{
	struct part *part = &p->part;
	if (record_line(p) != 0)
		return -ENOMEM;
	const struct part_header *header = find_header(part, SLICE("Content-Disposition"));
	if (header == NULL)
		return fault(p, "Multipart: Part missing Content-Disposition header.");
	int number;
	if (content_disposition_parse(header->value, p->result, p->arena, &part->disposition, &number) != 0)
		return -ENOMEM;
	if (number < 0)
		return invalid_disposition(p, number, header->value);
	if (part->disposition.name.len == 0)
		return fault(p, "Multipart: Content-Disposition header missing name field.");
	if (part->disposition.extended && p->options->unambiguous)
		p->result->flags.invalid_part = 1;
	bool file = part->disposition.filename.len > 0;
	if (file && slice_find(header->value, SLICE("filename="), 0) == header->value.len)
		return fault(p, "Multipart: Invalid Content-Disposition header (filename).");
	part->disposition.name_offset += header->value_offset;
	part->disposition.filename_offset += header->value_offset;
	part->in_data = true;
	part->data_from = data_from;
	part->folding_open = false;
	return 0;
}

static int fold_header(struct parser *p, struct slice line)
{
	struct part *part = &p->part;
	struct multipart_flags *flags = &p->result->flags;
	flags->header_folding = 1;
	/* Where there is nothing to continue libmodsecurity looks no further than the first byte. */
	size_t looked_at = part->folding_open ? line.len : 1;
	size_t blank = 0;
	for (; blank < looked_at && byte_is_space(line.ptr[blank]); blank++)
		if (line.ptr[blank] != ' ' && line.ptr[blank] != '\t')
			flags->invalid_header_folding = 1;
	if (!part->folding_open)
		return fault(p, "Multipart: Invalid part header (folding error).");
	struct part_header *header = &part->headers[part->header_count - 1];
	struct slice more = chomp(slice_after(line, blank));
	if (header->value.len + 1 + more.len > LINE_LIMIT)
		return fault(p, "Multipart: Part header too long.");
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

static int new_header(struct parser *p, struct slice line)
{
	struct part *part = &p->part;
	if (record_line(p) != 0)
		return -ENOMEM;
	struct part_header header;
	size_t colon = slice_find_byte(line, ':', 0);
	if (colon == line.len)
		return set_error(p, "Multipart: Invalid part header (colon missing): ", line);
	if (colon == 0)
		return fault(p, "Multipart: Invalid part header (header name missing).");
	header.name = slice_sub(line, 0, colon);
	header.value = slice_after(line, colon + 1);
	while (header.value.len > 0 && (header.value.ptr[0] == ' ' || header.value.ptr[0] == '\t'))
		header.value = slice_after(header.value, 1);
	header.value = chomp(header.value);
	header.value_offset = place(p, header.value);
	if (find_header(part, header.name) != NULL) {
		if (p->options->unambiguous)
			p->result->flags.invalid_part = 1;
		return 0;
	}
	part->line = shown_line(line);
	part->line_offset = place(p, line);
	part->folded = buffer_make(p->arena);
	part->folding_open = true;
	return add_header(p, header);
}

static int header_line(struct parser *p, struct slice line)
{
	if (slice_find_byte(line, '\0', 0) < line.len)
		return fault(p, "Multipart: Nul byte in part headers.");
	p->result->no_files_bytes += line.len;
	bool crlf = slice_ends_with(line, SLICE("\r\n"));
	if (crlf)
		p->result->flags.crlf_line = 1;
	else
		p->result->flags.lf_line = 1;
	if (line.len == (crlf ? 2 : 1))
		return end_headers(p, place(p, line) + line.len);
	return byte_is_space(line.ptr[0]) ? fold_header(p, line) : new_header(p, line);
}

/* Any line of data: files are counted by their first one. */
static int data_line(struct parser *p)
{
	struct part *part = &p->part;
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

static int publish_lines(struct parser *p)
{
	struct part *part = &p->part;
	for (size_t i = 0; i < part->lines.count; i++) {
		part->lines.items[i].name = part->disposition.name;
		if (field_list_add(&p->result->part_headers, part->lines.items[i]) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* The part's data ends before the line end that precedes `boundary_at`. */
static struct slice part_data(const struct parser *p, size_t boundary_at)
{
	const struct part *part = &p->part;
	if (!part->data_seen)
		return slice_sub(p->body, boundary_at, boundary_at);
	struct slice data = slice_sub(p->body, part->data_from, boundary_at);
	if (slice_ends_with(data, SLICE("\n")))
		data.len -= slice_ends_with(data, SLICE("\r\n")) ? 2 : 1;
	return data;
}

static int finish_part(struct parser *p, size_t boundary_at)
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
	struct finished_part *finished = arena_alloc(p->arena, sizeof(*finished));
	if (finished == NULL)
		return -ENOMEM;
	*finished = (struct finished_part){
		.name = disposition->name,
		.filename = disposition->filename,
		.data = part_data(p, boundary_at),
		.name_offset = disposition->name_offset,
		.filename_offset = disposition->filename_offset,
	};
	/* A part whose headers never were complete is no file, as its type was never decided. */
	if (!p->part.in_data)
		finished->filename = slice_make("", 0);
	finished->data_offset = place(p, finished->data);
	finished->kept = p->options->keep_files && p->part.data_seen && !p->result->flags.file_limit_exceeded;
	if (finished->filename.len == 0)
		p->result->no_files_bytes += finished->data.len;
	*p->last = finished;
	p->last = &finished->next;
	return 0;
}

static int begin_part(struct parser *p)
{
	p->part = (struct part){.lines = field_list_make(p->arena), .line = slice_make("", 0)};
	p->part_open = true;
	p->part_count++;
	if (p->options->parts_limit != 0 && p->part_count > p->options->parts_limit)
		return stop(p, "Multipart: Too many parts.", slice_make("", 0));
	return 0;
}

/* A line that begins with the delimiter. *ret_taken is false where it counts as a line of the part all the same. */
static int boundary_line(struct parser *p, struct slice line, bool *ret_taken)
{
	struct multipart_flags *flags = &p->result->flags;
	if (p->previous_line_lf)
		flags->lf_line = 1;
	*ret_taken = p->boundaries == 0 || p->part.data_seen;
	if (!*ret_taken) {
		flags->invalid_part = 1;
		return 0;
	}
	if (p->boundaries > 0)
		flags->unmatched_boundary = 2;
	struct slice rest = slice_after(line, p->delimiter.len);
	bool final = slice_starts_with(rest, SLICE("--"));
	if (final)
		rest = slice_after(rest, 2);
	bool crlf = slice_equal(rest, SLICE("\r\n"));
	if (!crlf && !slice_equal(rest, SLICE("\n")))
		return stop(p, "Multipart: Invalid boundary: ", until_nul(line));
	if (crlf)
		flags->crlf_line = 1;
	else
		flags->lf_line = 1;
	p->boundaries++;
	p->complete = final;
	int error = finish_part(p, place(p, line));
	return error != 0 || final ? error : begin_part(p);
}

/* A line that begins with "--" but not with the delimiter. */
static int stray_dashes(struct parser *p, struct slice text)
{
	struct slice rest = slice_after(text, 2);
	if (p->result->flags.boundary_quoted && slice_starts_with(rest, SLICE("\"")) &&
	    slice_starts_with(slice_after(rest, 1), p->boundary))
		return stop(p, "Multipart: Invalid boundary (quotes).", slice_make("", 0));
	size_t blank = 0;
	while (blank < rest.len && byte_is_space(rest.ptr[blank]))
		blank++;
	if (blank > 0 && slice_starts_with(slice_after(rest, blank), p->boundary))
		return stop(p, "Multipart: Invalid boundary (whitespace).", slice_make("", 0));
	p->result->flags.unmatched_boundary = 1;
	return 0;
}

/* Whether the delimiter stands anywhere in the line. Lines come in order, so each place is found once. */
static bool holds_delimiter(struct parser *p, struct slice line)
{
	size_t from = place(p, line);
	if (p->next_delimiter < from)
		p->next_delimiter = slice_find(p->body, p->delimiter, from);
	return p->next_delimiter < p->body.len && p->next_delimiter + p->delimiter.len <= from + line.len;
}

/* What boundaries, right or wrong, the beginning of a line shows. */
static int look_for_boundary(struct parser *p, struct slice head, bool *ret_taken)
{
	*ret_taken = false;
	if (head.len > 3 && slice_starts_with(head, SLICE("--"))) {
		struct slice text = until_nul(head);
		if (text.len > 3 && slice_starts_with(text, p->delimiter))
			return boundary_line(p, head, ret_taken);
		if (text.len > 3)
			return stray_dashes(p, text);
	}
	if (holds_delimiter(p, head))
		p->result->flags.unmatched_boundary = 1;
	return 0;
}

/* How much of a long line fits the buffer; a CR is never its last byte. */
static size_t head_length(struct slice line)
{
	if (line.len < LINE_LIMIT)
		return line.len;
	return line.ptr[LINE_LIMIT - 1] == '\r' ? LINE_LIMIT - 1 : LINE_LIMIT;
}

static int take_line(struct parser *p, struct slice line)
{
	bool taken;
	int outcome = look_for_boundary(p, slice_sub(line, 0, head_length(line)), &taken);
	if (outcome != 0 || taken)
		return outcome;
	if (!p->part_open) {
		p->result->flags.data_before = 1;
		return 0;
	}
	if (p->part.in_data)
		return data_line(p);
	if (line.len >= LINE_LIMIT)
		return stop(p, "Multipart: Part header line over 4096 bytes long", slice_make("", 0));
	return header_line(p, line);
}

/* Every complete line, and the beginning of an endless last one. *ret_tail is what is left and was not looked at. */
static int take_lines(struct parser *p, struct slice *ret_tail)
{
	struct reader r = reader_make(p->body);
	*ret_tail = slice_make("", 0);
	while (!reader_at_end(&r)) {
		size_t from = r.at;
		size_t end = slice_find_byte(r.bytes, '\n', from);
		bool ended = end < r.bytes.len;
		struct slice line = slice_sub(r.bytes, from, ended ? end + 1 : end);
		if (!ended && line.len < LINE_LIMIT) {
			*ret_tail = line;
			return 0;
		}
		reader_skip(&r, line.len);
		int outcome = take_line(p, line);
		if (outcome != 0)
			return outcome;
		if (p->complete) {
			p->result->flags.data_after = !reader_at_end(&r);
			return 0;
		}
		p->previous_line_lf = ended && !slice_ends_with(line, SLICE("\r\n"));
	}
	return 0;
}

static void settle_flags(struct multipart_flags *flags)
{
	flags->crlf_lf_lines = flags->crlf_line && flags->lf_line;
	flags->strict_error = flags->error || flags->boundary_quoted || flags->boundary_whitespace ||
			      flags->data_before || flags->data_after || flags->header_folding || flags->lf_line ||
			      flags->missing_semicolon || flags->invalid_quoting || flags->invalid_part ||
			      flags->invalid_header_folding || flags->file_limit_exceeded;
}

/* The last boundary may come without a line end. */
static int take_tail(struct parser *p, struct slice tail)
{
	struct multipart_flags *flags = &p->result->flags;
	bool final = p->boundaries > 0 && tail.len == p->delimiter.len + 2 && slice_starts_with(tail, p->delimiter) &&
		     slice_ends_with(tail, SLICE("--"));
	if (!final)
		return 0;
	if (p->previous_line_lf)
		flags->lf_line = 1;
	if (!p->part.data_seen)
		flags->invalid_part = 1;
	p->complete = true;
	return finish_part(p, place(p, tail));
}

static int add_file(struct parser *p, const struct finished_part *part)
{
	struct multipart *result = p->result;
	result->files[result->file_count++] = (struct multipart_file){
		.name = part->name,
		.filename = part->filename,
		.content = part->data,
		.filename_offset = part->filename_offset,
		.content_offset = part->data_offset,
		.kept = part->kept,
	};
	result->files_combined_bytes += part->data.len;
	return 0;
}

/* Only a complete body has parts to show. */
static int publish_parts(struct parser *p)
{
	size_t files = 0;
	for (const struct finished_part *part = p->first; part != NULL; part = part->next)
		files += part->filename.len > 0;
	p->result->files = arena_zalloc(p->arena, files, sizeof(*p->result->files));
	if (p->result->files == NULL)
		return -ENOMEM;
	for (const struct finished_part *part = p->first; part != NULL; part = part->next) {
		struct field field = {part->name, part->data, part->name_offset, part->data_offset};
		int error = part->filename.len > 0 ? add_file(p, part) : field_list_add(&p->result->arguments, field);
		if (error != 0)
			return error;
	}
	return 0;
}

static int parse_body(struct parser *p)
{
	struct slice tail;
	int outcome = take_lines(p, &tail);
	if (outcome == 0 && !p->complete)
		outcome = take_tail(p, tail);
	if (outcome < 0)
		return outcome;
	if (!p->complete)
		return fault(p, p->boundaries > 0 ? "Multipart: Final boundary missing."
						  : "Multipart: No boundaries found in payload.");
	return publish_parts(p);
}

int multipart_parse(struct slice content_type, struct slice body, const struct multipart_options *options,
		    struct arena *arena, struct multipart *ret_multipart)
{
	struct multipart result = {
		.arguments = field_list_make(arena),
		.names = field_list_make(arena),
		.filenames = field_list_make(arena),
		.part_headers = field_list_make(arena),
		.error = slice_make("", 0),
	};
	struct parser p = {.body = body, .options = options, .arena = arena, .result = &result};
	p.last = &p.first;
	int error = 0;
	if (multipart_boundary_parse(content_type, &result.flags, &p.boundary, &result.error) && body.len > 0) {
		if (join(&p, SLICE("--"), slice_make("", 0), p.boundary, &p.delimiter) != 0)
			return -ENOMEM;
		p.next_delimiter = slice_find(body, p.delimiter, 0);
		error = parse_body(&p);
	}
	if (error < 0)
		return error;
	settle_flags(&result.flags);
	*ret_multipart = result;
	return result.error.len > 0 ? BODY_MALFORMED : 0;
}
