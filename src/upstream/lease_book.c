/*
 * Leases are in an array; of lines that ExaBGP has not answered there is a queue, for its answers come in order. What
 * it refuses changes nothing of what it announces already: of each lease is known which of its announcements that is.
 * An announced lease that ends stays until its withdrawal was taken, and is withdrawn again if it was not.
 */
#include "upstream/lease_book.h"

#include "base/error.h"
#include "base/vector.h"
#include "upstream/lease_book_inside.h"

#include <inttypes.h>
#include <stdlib.h>

int lease_book_create(const struct upstream_operator *operators, size_t count, struct lease_book **ret_book)
{
	struct lease_book *book = calloc(1, sizeof(*book));
	if (book == NULL)
		return -ENOMEM;
	book->operators = operators;
	book->operator_count = count;
	book->guards = calloc(count + 1, sizeof(*book->guards));
	int r = book->guards == NULL ? -ENOMEM : 0;
	for (size_t i = 0; i < count && r == 0; i++)
		r = guard_create(&operators[i], &book->guards[i]);
	if (r != 0) {
		lease_book_free(book);
		return r;
	}
	*ret_book = book;
	return 0;
}

void lease_book_free(struct lease_book *book)
{
	if (book == NULL)
		return;
	for (size_t i = 0; book->guards != NULL && i < book->operator_count; i++)
		guard_free(book->guards[i]);
	free(book->guards);
	free(book->leases);
	free(book->asked);
	free(book);
}

/* ---- lines ---- */

int lease_reserve(struct lease_book *book)
{
	return vector_grow((void **)&book->leases, &book->capacity, book->count, sizeof(*book->leases));
}

int lease_reserve_line(struct lease_book *book)
{
	return vector_grow((void **)&book->asked, &book->asked_capacity, book->asked_count, sizeof(*book->asked));
}

struct slice lease_line(const struct lease_book *book, const struct lease *lease, bool withdraw, struct buffer *out)
{
	const struct route_line line = {withdraw, book->operators[lease->operator_].peer, lease->route};
	*out = buffer_make(NULL);
	if (route_line_write(&line, out) != 0)
		return slice_make(NULL, 0);
	return slice_sub(buffer_slice(out), 0, out->len - 1);
}

void lease_line_add(struct lease_book *book, const struct lease *lease, bool withdraw, struct slice line,
		    const struct lease_sink *sink)
{
	buffer_add(sink->lines, line);
	buffer_byte(sink->lines, '\n');
	book->asked[book->asked_count++] = (struct lease_asked){lease->id, withdraw, lease->route.rate_bytes};
}

int lease_line_other(struct lease_book *book, struct slice line, const struct lease_sink *sink)
{
	if (lease_reserve_line(book) != 0)
		return -ENOMEM;
	buffer_add(sink->lines, line);
	book->asked[book->asked_count++] = (struct lease_asked){.id = 0};
	return 0;
}

/* For the next life's guard. */
static void record_change(const struct lease_book *book, const struct lease *lease, uint64_t now_ms,
			  struct buffer *journal)
{
	lease_record_change(&book->operators[lease->operator_], now_ms, journal);
}

static struct guard_terms terms_of(const struct lease *lease, uint64_t now_ms)
{
	return (struct guard_terms){now_ms, lease->until_ms, lease->yes};
}

/*
 * The line about a lease, past the guard and to ExaBGP: the bytes that were judged are those that are written. `writes`
 * false: an announcement that ExaBGP has already. A verdict, or LEASE_UNWRITABLE.
 */
static int line_pass(struct lease_book *book, const struct lease *lease, bool withdraw, bool writes, uint64_t now_ms,
		     const struct lease_sink *sink)
{
	struct buffer text;
	const struct guard_terms terms = terms_of(lease, now_ms);
	struct slice line = lease_line(book, lease, withdraw, &text);
	int outcome = line.ptr == NULL ? (int)LEASE_UNWRITABLE
				       : (int)guard_pass(book->guards[lease->operator_], line, &terms);
	if (outcome == GUARD_PASSES && writes)
		lease_line_add(book, lease, withdraw, line, sink);
	buffer_free(&text);
	return outcome;
}

/* A withdrawal of what the guard does not know, or no more: whatever it is, it takes away. */
static void line_withdraw(struct lease_book *book, const struct lease *lease, const struct lease_sink *sink)
{
	struct buffer text;
	struct slice line = lease_line(book, lease, true, &text);
	if (line.ptr != NULL)
		lease_line_add(book, lease, true, line, sink);
	buffer_free(&text);
}

static void tell(const struct lease_sink *sink, const struct lease *lease, enum lease_change change)
{
	if (sink->told != NULL)
		sink->told(sink->context, lease, change, 0);
}

/* ---- finding ---- */

static struct lease *find(const struct lease_book *book, uint32_t id)
{
	for (size_t i = 0; i < book->count; i++)
		if (book->leases[i].id == id)
			return &book->leases[i];
	return NULL;
}

/* That is not ending. */
static struct lease *find_route(const struct lease_book *book, uint32_t operator_, const struct route *route)
{
	uint8_t wanted[ROUTE_KEY_BYTES], key[ROUTE_KEY_BYTES];
	size_t len = route_key(route, wanted);
	for (size_t i = 0; len > 0 && i < book->count; i++) {
		struct lease *lease = &book->leases[i];
		if (lease->operator_ == operator_ && lease->state != LEASE_ENDING &&
		    route_key(&lease->route, key) == len && memcmp(key, wanted, len) == 0)
			return lease;
	}
	return NULL;
}

bool lease_has_heir(const struct lease_book *book, const struct lease *lease)
{
	const struct lease *heir = find_route(book, lease->operator_, &lease->route);
	return heir != NULL && heir != lease;
}

static void forget(struct lease_book *book, struct lease *lease, struct buffer *journal)
{
	size_t at = (size_t)(lease - book->leases);
	struct lease *heir = lease->may_be_there ? find_route(book, lease->operator_, &lease->route) : NULL;
	if (heir != NULL && heir != lease && !heir->may_be_there) {
		heir->may_be_there = true;
		heir->there_rate_bytes = lease->there_rate_bytes;
	}
	buffer_printf(journal, "end\t%" PRIu32 "\n", lease->id);
	memmove(lease, lease + 1, (--book->count - at) * sizeof(*lease));
}

/* ---- asking ---- */

bool lease_is_held(const struct lease_book *book, uint64_t now_ms)
{
	return book->held_ms != 0 && now_ms - book->held_ms < LEASE_HOLD_MS;
}

uint64_t lease_held_ms(const struct lease_book *book)
{
	return book->held_ms;
}

static struct lease lease_make(const struct lease_ask *ask, uint64_t now_ms)
{
	struct lease lease = {.operator_ = ask->operator_,
			      .route = *ask->route,
			      .since_ms = now_ms,
			      .until_ms = ask->until_ms,
			      .yes = ask->yes,
			      .by = ask->by};
	size_t len = ask->why.len < LEASE_WHY_BYTES ? ask->why.len : LEASE_WHY_BYTES;
	for (size_t i = 0; i < len; i++)
		lease.why[i] = ask->why.ptr[i] < ' ' || ask->why.ptr[i] == 0x7f ? '?' : (char)ask->why.ptr[i];
	return lease;
}

int lease_try(const struct lease_book *book, const struct lease_ask *ask, uint64_t now_ms)
{
	struct lease lease = lease_make(ask, now_ms);
	struct buffer text;
	const struct guard_terms terms = terms_of(&lease, now_ms);
	struct slice line = lease_line(book, &lease, false, &text);
	int outcome = line.ptr == NULL ? (int)LEASE_UNWRITABLE
				       : (int)guard_judge(book->guards[lease.operator_], line, &terms);
	buffer_free(&text);
	return outcome == GUARD_PASSES && !lease_is_held(book, now_ms) ? (int)LEASE_UNHELD : outcome;
}

/* Somebody else asked for the same and for longer. */
static bool outlasts(const struct lease *before, const struct lease *lease)
{
	return before->state == LEASE_ANNOUNCED && before->by != lease->by && before->until_ms >= lease->until_ms &&
	       before->route.rate_bytes == lease->route.rate_bytes;
}

/* Who asks again for the same and says no reason means the one that it was asked for. */
static void keep_why(const struct lease *before, struct lease *lease)
{
	if (lease->why[0] == '\0')
		memcpy(lease->why, before->why, sizeof(lease->why));
}

int lease_ask(struct lease_book *book, const struct lease_ask *ask, uint64_t now_ms, const struct lease_sink *sink,
	      const struct lease **ret_lease)
{
	if (lease_reserve(book) != 0 || lease_reserve_line(book) != 0)
		return -ENOMEM;
	int outcome = lease_try(book, ask, now_ms);
	struct lease lease = lease_make(ask, now_ms);
	if (outcome != GUARD_PASSES) {
		if (sink->told != NULL)
			sink->told(sink->context, &lease, LEASE_REFUSED, outcome);
		return outcome;
	}
	struct lease *before = find_route(book, ask->operator_, ask->route);
	if (before != NULL && outlasts(before, &lease)) {
		*ret_lease = before;
		return GUARD_PASSES;
	}
	if (before != NULL)
		keep_why(before, &lease);
	bool changes = before == NULL || before->state != LEASE_ANNOUNCED ||
		       before->route.rate_bytes != lease.route.rate_bytes;
	lease.id = before != NULL ? before->id : ++book->last_id;
	lease.since_ms = before != NULL ? before->since_ms : now_ms;
	lease.taken = !changes && before->taken;
	lease.may_be_there = before != NULL && before->may_be_there;
	lease.there_rate_bytes = before != NULL ? before->there_rate_bytes : 0;
	if (before == NULL)
		before = &book->leases[book->count++];
	*before = lease;
	lease_record(book, before, sink->journal);
	if (changes)
		record_change(book, before, now_ms, sink->journal);
	(void)line_pass(book, before, false, changes, now_ms, sink);
	tell(sink, before, changes ? LEASE_ASKED : LEASE_RENEWED);
	*ret_lease = before;
	return GUARD_PASSES;
}

/* ---- ending ---- */

/* Withdraws what is announced; the guard knows of it as long as ExaBGP has not been told. */
static bool withdraw(struct lease_book *book, struct lease *lease, const struct lease_sink *sink)
{
	if (lease_reserve_line(book) != 0)
		return false;
	lease->taken = false;
	if (lease->state != LEASE_ANNOUNCED || line_pass(book, lease, true, true, 0, sink) != GUARD_PASSES)
		line_withdraw(book, lease, sink);
	return true;
}

/* Whether ExaBGP has yet to answer a line about it. */
static bool is_asked(const struct lease_book *book, uint32_t id)
{
	for (size_t i = 0; i < book->asked_count; i++)
		if (book->asked[i].id == id)
			return true;
	return false;
}

/* Nothing is announced for it that is to be withdrawn: its heir says what is so of the route, or it was lifted. */
static bool is_gone(const struct lease_book *book, const struct lease *lease)
{
	if (lease->state == LEASE_ENDING)
		return lease_has_heir(book, lease);
	return lease->state == LEASE_LIFTED && !is_asked(book, lease->id);
}

/* False: there was no memory, and it is to be tried again. */
static bool end_lease(struct lease_book *book, struct lease *lease, enum lease_change why,
		      const struct lease_sink *sink)
{
	if (is_gone(book, lease)) {
		if (lease->state == LEASE_LIFTED)
			tell(sink, lease, why);
		forget(book, lease, sink->journal);
		return true;
	}
	/* Of one that is being lifted the answer is awaited. */
	if (lease->state != LEASE_LIFTED && !withdraw(book, lease, sink))
		return false;
	if (lease->state != LEASE_ENDING)
		tell(sink, lease, why);
	lease->state = LEASE_ENDING;
	lease->retry_ms = 0;
	lease_record(book, lease, sink->journal);
	return true;
}

int lease_end(struct lease_book *book, uint32_t id, const struct lease_sink *sink)
{
	struct lease *lease = find(book, id);
	if (lease == NULL || lease->state == LEASE_ENDING)
		return LEASE_UNKNOWN;
	return end_lease(book, lease, LEASE_WITHDRAWN, sink) ? 0 : -ENOMEM;
}

int lease_lift(struct lease_book *book, uint32_t id, const struct lease_sink *sink)
{
	struct lease *lease = find(book, id);
	if (lease == NULL || lease->state != LEASE_ANNOUNCED)
		return LEASE_UNKNOWN;
	if (!withdraw(book, lease, sink))
		return -ENOMEM;
	lease->state = LEASE_LIFTED;
	tell(sink, lease, LEASE_IS_LIFTED);
	lease_record(book, lease, sink->journal);
	return 0;
}

int lease_raise(struct lease_book *book, uint32_t id, uint64_t now_ms, const struct lease_sink *sink)
{
	struct lease *lease = find(book, id);
	if (lease == NULL || lease->state != LEASE_LIFTED)
		return LEASE_UNKNOWN;
	if (!lease_is_held(book, now_ms))
		return LEASE_UNHELD;
	if (lease_reserve_line(book) != 0)
		return -ENOMEM;
	int outcome = line_pass(book, lease, false, true, now_ms, sink);
	if (outcome != GUARD_PASSES)
		return outcome;
	lease->state = LEASE_ANNOUNCED;
	lease->taken = false;
	tell(sink, lease, LEASE_RAISED);
	lease_record(book, lease, sink->journal);
	record_change(book, lease, now_ms, sink->journal);
	return 0;
}

void lease_hold(struct lease_book *book, uint64_t now_ms, const struct lease_sink *sink)
{
	book->held_ms = now_ms > 0 ? now_ms : 1;
	buffer_printf(sink->journal, "held\t%" PRIu64 "\n", book->held_ms);
}

/* When a lease is next to be looked at. */
static uint64_t due(const struct lease_book *book, const struct lease *lease, uint64_t now_ms)
{
	uint64_t lapse_ms = book->held_ms + LEASE_HOLD_MS;
	if (lease->state == LEASE_ENDING)
		return lease->retry_ms == 0 ? UINT64_MAX : lease->retry_ms;
	if (!lease_is_held(book, now_ms))
		return now_ms;
	return lease->until_ms < lapse_ms ? lease->until_ms : lapse_ms;
}

uint64_t lease_tick(struct lease_book *book, uint64_t now_ms, const struct lease_sink *sink)
{
	uint64_t next = UINT64_MAX;
	for (size_t i = book->count; i-- > 0;) {
		struct lease *lease = &book->leases[i];
		uint64_t at = due(book, lease, now_ms);
		enum lease_change why = lease_is_held(book, now_ms) ? LEASE_LAPSED : LEASE_LET_GO;
		if (at <= now_ms && !end_lease(book, lease, why, sink))
			at = now_ms + LEASE_RETRY_MS;
		if (at > now_ms && at < next)
			next = at;
	}
	return next;
}

/* ---- answers ---- */

size_t lease_unanswered(const struct lease_book *book)
{
	return book->asked_count;
}

/*
 * What ExaBGP did not take was not announced. What it announces of the same route still is ended, in the words that it
 * took: nobody asks for that any more.
 */
static void refused(struct lease_book *book, struct lease *lease, uint64_t now_ms, const struct lease_sink *sink)
{
	if (lease->state == LEASE_ENDING && lease_has_heir(book, lease)) {
		forget(book, lease, sink->journal);
	} else if (lease->state != LEASE_ANNOUNCED) {
		lease->state = LEASE_ENDING;
		lease->retry_ms = now_ms + LEASE_RETRY_MS;
	} else {
		(void)line_pass(book, lease, true, false, now_ms, sink);
		tell(sink, lease, LEASE_NOT_TAKEN);
		if (!lease->may_be_there) {
			forget(book, lease, sink->journal);
			return;
		}
		lease->route.rate_bytes = lease->there_rate_bytes;
		lease->state = LEASE_ENDING;
		lease->retry_ms = now_ms > 0 ? now_ms : 1;
		lease_record(book, lease, sink->journal);
	}
}

static void note_taken(struct lease *lease, const struct lease_asked *asked)
{
	lease->may_be_there = !asked->withdraws;
	lease->there_rate_bytes = asked->rate_bytes;
}

void lease_answered(struct lease_book *book, bool taken, uint64_t now_ms, const struct lease_sink *sink)
{
	if (book->asked_count == 0)
		return;
	const struct lease_asked asked = book->asked[0];
	memmove(book->asked, book->asked + 1, --book->asked_count * sizeof(*book->asked));
	struct lease *lease = find(book, asked.id);
	if (lease != NULL && taken)
		note_taken(lease, &asked);
	/* Where a later line is about it the answer to that one tells. */
	if (lease == NULL || is_asked(book, asked.id))
		return;
	if (!taken) {
		refused(book, lease, now_ms, sink);
		return;
	}
	if (lease->state != LEASE_LIFTED)
		tell(sink, lease, lease->state == LEASE_ENDING ? LEASE_GONE : LEASE_TAKEN);
	if (lease->state == LEASE_ENDING)
		forget(book, lease, sink->journal);
	else
		lease->taken = true;
}

size_t lease_list(const struct lease_book *book, const struct lease **ret_leases)
{
	*ret_leases = book->leases;
	return book->count;
}

size_t lease_announced(const struct lease_book *book, uint32_t operator_)
{
	return guard_count(book->guards[operator_]);
}
