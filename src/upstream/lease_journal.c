/* The journal of the book: columns between tabs, a line a change. */
#include "upstream/lease_journal.h"

#include "base/error.h"
#include "base/reader.h"
#include "upstream/lease_book_inside.h"
#include "upstream/lease_news.h"

#include <inttypes.h>

#define FORM "guia-leases 1 "

static void write_changes(const struct lease_book *book, struct buffer *out)
{
	for (size_t i = 0; i < book->operator_count; i++)
		for (size_t at = 0; at < book->operators[i].changes_most; at++)
			if (guard_change(book->guards[i], at) != 0)
				lease_record_change(&book->operators[i], guard_change(book->guards[i], at), out);
}

void lease_journal_write(const struct lease_book *book, struct slice boot, struct buffer *out)
{
	buffer_printf(out, FORM "%.*s\n", SLICE_ARG(boot));
	buffer_printf(out, "held\t%" PRIu64 "\nlast\t%" PRIu32 "\n", book->held_ms, book->last_id);
	write_changes(book, out);
	for (size_t i = 0; i < book->count; i++)
		lease_record(book, &book->leases[i], out);
}

/* ---- reading ---- */

static bool find_operator(const struct lease_book *book, struct slice name, uint32_t *ret_operator)
{
	for (size_t i = 0; i < book->operator_count; i++)
		if (slice_equal(name, slice_from_string(book->operators[i].name))) {
			*ret_operator = (uint32_t)i;
			return true;
		}
	return false;
}

/* Takes one out, or puts it in place of the one with its id. */
static int place(struct lease_book *book, uint32_t id, const struct lease *lease)
{
	size_t at = 0;
	if (lease_reserve(book) != 0)
		return -ENOMEM;
	while (at < book->count && book->leases[at].id != id)
		at++;
	if (lease != NULL) {
		book->leases[at] = *lease;
		book->count += at == book->count;
	} else if (at < book->count) {
		memmove(&book->leases[at], &book->leases[at + 1], (--book->count - at) * sizeof(*lease));
	}
	return 0;
}

static bool read_state(struct slice text, enum lease_state *ret_state)
{
	for (enum lease_state state = 0; state < LEASE_STATES; state++)
		if (slice_equal(text, slice_from_string(lease_state_name(state)))) {
			*ret_state = state;
			return true;
		}
	return false;
}

/* What is of an operator that there is no more is of no session either. */
static int read_lease(struct lease_book *book, struct reader *r)
{
	struct lease lease = {.state = LEASE_ANNOUNCED};
	uint64_t id = 0, by = 0;
	bool good = slice_number(reader_until(r, '\t'), UINT32_MAX, &id);
	good = good && slice_number(reader_until(r, '\t'), UINT64_MAX, &lease.since_ms);
	good = good && slice_number(reader_until(r, '\t'), UINT64_MAX, &lease.until_ms);
	lease.yes = slice_equal(reader_until(r, '\t'), SLICE("yes"));
	good = good && slice_number(reader_until(r, '\t'), UINT32_MAX, &by);
	good = good && read_state(reader_until(r, '\t'), &lease.state);
	struct slice name = reader_until(r, '\t'), why = reader_until(r, '\t');
	if (!good || id == 0 || why.len > LEASE_WHY_BYTES || !route_read(reader_rest(r), &lease.route))
		return LEASE_JOURNAL_BAD;
	memcpy(lease.why, why.ptr, why.len);
	lease.id = (uint32_t)id;
	lease.by = (uid_t)by;
	if (lease.id > book->last_id)
		book->last_id = lease.id;
	return find_operator(book, name, &lease.operator_) ? place(book, lease.id, &lease) : 0;
}

static int read_change(struct lease_book *book, struct reader *r)
{
	uint64_t at_ms = 0;
	uint32_t operator_;
	if (!slice_number(reader_until(r, '\t'), UINT64_MAX, &at_ms))
		return LEASE_JOURNAL_BAD;
	if (find_operator(book, reader_rest(r), &operator_))
		guard_note_change(book->guards[operator_], at_ms);
	return 0;
}

static int read_line(struct lease_book *book, struct slice line)
{
	struct reader r = reader_make(line);
	uint64_t value;
	if (reader_accept(&r, SLICE(LEASE_NEWS_LINE)))
		return 0;
	if (reader_accept(&r, SLICE("lease\t")))
		return read_lease(book, &r);
	if (reader_accept(&r, SLICE("change\t")))
		return read_change(book, &r);
	if (reader_accept(&r, SLICE("end\t")) && slice_number(reader_rest(&r), UINT32_MAX, &value))
		return place(book, (uint32_t)value, NULL);
	if (reader_accept(&r, SLICE("held\t")) && slice_number(reader_rest(&r), UINT64_MAX, &value)) {
		book->held_ms = value;
		return 0;
	}
	if (reader_accept(&r, SLICE("last\t")) && slice_number(reader_rest(&r), UINT32_MAX, &value)) {
		book->last_id = value > book->last_id ? (uint32_t)value : book->last_id;
		return 0;
	}
	return LEASE_JOURNAL_BAD;
}

static int read_lines(struct lease_book *book, struct slice text)
{
	int worst = 0;
	for (size_t end; (end = slice_find_byte(text, '\n', 0)) < text.len; text = slice_after(text, end + 1)) {
		int r = read_line(book, slice_sub(text, 0, end));
		if (r < 0)
			return r;
		worst = r != 0 ? r : worst;
	}
	return worst;
}

/* Told as of what ends in this life. */
static void end(const struct lease_book *book, struct lease *lease, int verdict, uint64_t now_ms,
		const struct lease_sink *sink)
{
	enum lease_change change = verdict != GUARD_PASSES       ? LEASE_REFUSED
				   : lease_is_held(book, now_ms) ? LEASE_LAPSED
								 : LEASE_LET_GO;
	if (lease->state != LEASE_ENDING && sink->told != NULL)
		sink->told(sink->context, lease, change, verdict);
	lease->state = LEASE_ENDING;
}

/* What is announced, or was to be lifted, when the earlier life ended and may go on; else it is ending. */
static void resume_state(struct lease_book *book, struct lease *lease, uint64_t now_ms, const struct lease_sink *sink)
{
	const struct guard_terms terms = {now_ms, lease->until_ms, lease->yes};
	struct buffer text;
	struct slice line = lease_line(book, lease, false, &text);
	bool goes_on = lease->state != LEASE_ENDING && lease_is_held(book, now_ms) && lease->until_ms > now_ms;
	int verdict = GUARD_PASSES;
	if (goes_on && lease->state == LEASE_ANNOUNCED)
		verdict = line.ptr == NULL ? (int)LEASE_UNWRITABLE
					   : (int)guard_adopt(book->guards[lease->operator_], line, &terms);
	if (!goes_on || verdict != GUARD_PASSES)
		end(book, lease, verdict, now_ms, sink);
	buffer_free(&text);
}

/* Says again what is so: nobody knows whether the earlier life came to say it. */
static int resume(struct lease_book *book, uint64_t now_ms, const struct lease_sink *sink)
{
	for (size_t i = 0; i < book->count; i++) {
		struct lease *lease = &book->leases[i];
		struct buffer text;
		if (lease_reserve_line(book) != 0)
			return -ENOMEM;
		/* Its heir says what is so of the route: a withdrawal before that would make it flap. */
		if (lease->state == LEASE_ENDING && lease_has_heir(book, lease)) {
			(void)place(book, lease->id, NULL);
			i--;
			continue;
		}
		resume_state(book, lease, now_ms, sink);
		lease->may_be_there = true;
		lease->there_rate_bytes = lease->route.rate_bytes;
		struct slice line = lease_line(book, lease, lease->state != LEASE_ANNOUNCED, &text);
		if (line.ptr != NULL)
			lease_line_add(book, lease, lease->state != LEASE_ANNOUNCED, line, sink);
		buffer_free(&text);
	}
	return 0;
}

int lease_journal_read(struct lease_book *book, struct slice text, struct slice boot, uint64_t now_ms,
		       const struct lease_sink *sink)
{
	struct reader r = reader_make(text);
	struct slice head = reader_until(&r, '\n');
	if (text.len == 0)
		return 0;
	if (!slice_starts_with(head, SLICE(FORM)))
		return LEASE_JOURNAL_BAD;
	if (!slice_equal(slice_after(head, sizeof(FORM) - 1), boot))
		return 0;
	int r_lines = read_lines(book, reader_rest(&r));
	if (r_lines < 0)
		return r_lines;
	/* A clock that reads less than what was written is not the clock that wrote it. */
	if (book->held_ms > now_ms)
		book->held_ms = 0;
	int r_resume = resume(book, now_ms, sink);
	return r_resume != 0 ? r_resume : r_lines;
}
