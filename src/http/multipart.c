/*
 * Line by line: before the first boundary, in a part's headers, or in its data. A line longer than libmodsecurity's
 * buffer is no header, and only its beginning is searched for boundaries, as there. A part's data is never copied: it
 * is what lies between the empty line and the line end before the next boundary.
 */
#include "http/multipart.h"

#include "base/reader.h"
#include "http/multipart_part.h"

#include <errno.h>

static struct slice until_nul(struct slice s)
{
	return slice_sub(s, 0, slice_find_byte(s, '\0', 0));
}

/* A line that begins with the delimiter. *ret_taken is false where it counts as a line of the part all the same. */
static int boundary_line(struct multipart_parser *p, struct slice line, bool *ret_taken)
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
		return multipart_stop(p, "Multipart: Invalid boundary: ", until_nul(line));
	if (crlf)
		flags->crlf_line = 1;
	else
		flags->lf_line = 1;
	p->boundaries++;
	p->complete = final;
	int error = multipart_part_finish(p, multipart_place(p, line));
	return error != 0 || final ? error : multipart_part_begin(p);
}

/* A line that begins with "--" but not with the delimiter. */
static int stray_dashes(struct multipart_parser *p, struct slice text)
{
	struct slice rest = slice_after(text, 2);
	if (p->result->flags.boundary_quoted && slice_starts_with(rest, SLICE("\"")) &&
	    slice_starts_with(slice_after(rest, 1), p->boundary))
		return multipart_stop(p, "Multipart: Invalid boundary (quotes).", slice_make("", 0));
	size_t blank = 0;
	while (blank < rest.len && byte_is_space(rest.ptr[blank]))
		blank++;
	if (blank > 0 && slice_starts_with(slice_after(rest, blank), p->boundary))
		return multipart_stop(p, "Multipart: Invalid boundary (whitespace).", slice_make("", 0));
	p->result->flags.unmatched_boundary = 1;
	return 0;
}

/* Whether the delimiter stands anywhere in the line. Lines come in order, so each place is found once. */
static bool holds_delimiter(struct multipart_parser *p, struct slice line)
{
	size_t from = multipart_place(p, line);
	if (p->next_delimiter < from)
		p->next_delimiter = slice_find(p->body, p->delimiter, from);
	return p->next_delimiter < p->body.len && p->next_delimiter + p->delimiter.len <= from + line.len;
}

/* What boundaries, right or wrong, the beginning of a line shows. */
static int look_for_boundary(struct multipart_parser *p, struct slice head, bool *ret_taken)
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
	if (line.len < MULTIPART_LINE_LIMIT)
		return line.len;
	return line.ptr[MULTIPART_LINE_LIMIT - 1] == '\r' ? MULTIPART_LINE_LIMIT - 1 : MULTIPART_LINE_LIMIT;
}

static int take_line(struct multipart_parser *p, struct slice line)
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
		return multipart_part_data(p);
	if (line.len >= MULTIPART_LINE_LIMIT)
		return multipart_stop(p, "Multipart: Part header line over 4096 bytes long", slice_make("", 0));
	return multipart_part_header(p, line);
}

/* Where the next line begins with "--", at or after the line that begins at `from`; body.len: none does. */
static size_t line_with_dashes(struct multipart_parser *p, size_t from)
{
	if (p->next_dashes >= from)
		return p->next_dashes;
	size_t end = slice_find(p->body, SLICE("\n--"), from - 1);
	p->next_dashes = end < p->body.len ? end + 1 : end;
	return p->next_dashes;
}

static size_t line_begin(struct slice body, size_t at)
{
	const uint8_t *end = memrchr(body.ptr, '\n', at);
	return end == NULL ? 0 : (size_t)(end + 1 - body.ptr);
}

/*
 * Once a part's data has begun, lines matter only if they begin with "--" or hold the delimiter. All that come before
 * the next such line, or before the body's last line, are passed over at once.
 */
static void skip_data(struct multipart_parser *p, struct reader *r)
{
	size_t from = r->at, dashes = line_with_dashes(p, from);
	if (p->next_delimiter < from)
		p->next_delimiter = slice_find(p->body, p->delimiter, from);
	size_t until =
		dashes < p->body.len && dashes <= p->next_delimiter ? dashes : line_begin(p->body, p->next_delimiter);
	if (until <= from)
		return;
	reader_skip(r, until - from);
	/* The last of these lines began at `from` or behind a line feed. */
	p->previous_line_lf = until - from < 2 || p->body.ptr[until - 2] != '\r';
}

/* Every complete line, and the beginning of an endless last one. *ret_tail is what is left and was not looked at. */
static int take_lines(struct multipart_parser *p, struct slice *ret_tail)
{
	struct reader r = reader_make(p->body);
	*ret_tail = slice_make("", 0);
	while (!reader_at_end(&r)) {
		if (p->part_open && p->part.in_data && p->part.data_seen)
			skip_data(p, &r);
		size_t from = r.at;
		size_t end = slice_find_byte(r.bytes, '\n', from);
		bool ended = end < r.bytes.len;
		struct slice line = slice_sub(r.bytes, from, ended ? end + 1 : end);
		if (!ended && line.len < MULTIPART_LINE_LIMIT) {
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
static int take_tail(struct multipart_parser *p, struct slice tail)
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
	return multipart_part_finish(p, multipart_place(p, tail));
}

static int add_file(struct multipart_parser *p, const struct multipart_finished_part *part)
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
static int publish_parts(struct multipart_parser *p)
{
	size_t files = 0;
	for (const struct multipart_finished_part *part = p->first; part != NULL; part = part->next)
		files += part->filename.len > 0;
	p->result->files = arena_zalloc(p->arena, files, sizeof(*p->result->files));
	if (p->result->files == NULL)
		return -ENOMEM;
	for (const struct multipart_finished_part *part = p->first; part != NULL; part = part->next) {
		struct field field = {part->name, part->data, part->name_offset, part->data_offset};
		int error = part->filename.len > 0 ? add_file(p, part) : field_list_add(&p->result->arguments, field);
		if (error != 0)
			return error;
	}
	return 0;
}

static int parse_body(struct multipart_parser *p)
{
	struct slice tail;
	int outcome = take_lines(p, &tail);
	if (outcome == 0 && !p->complete)
		outcome = take_tail(p, tail);
	if (outcome < 0)
		return outcome;
	if (!p->complete)
		return multipart_fault(p, p->boundaries > 0 ? "Multipart: Final boundary missing."
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
	struct multipart_parser p = {.body = body, .options = options, .arena = arena, .result = &result};
	p.last = &p.first;
	int error = 0;
	if (multipart_boundary_parse(content_type, &result.flags, &p.boundary, &result.error) && body.len > 0) {
		if (multipart_join(&p, SLICE("--"), slice_make("", 0), p.boundary, &p.delimiter) != 0)
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
