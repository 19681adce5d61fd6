/*
 * Reading, of older schemas as well: what one lacks is not asked for. A record comes with its sites, mitigations and
 * packets, a statement each, while the statement that led to it is open.
 */
#include "base/error.h"
#include "casebook/statement.h"
#include "casebook/store_inside.h"

#include <stdio.h>
#include <stdlib.h>

static void take_requests(struct statement *s, struct case_requests *ret_requests)
{
	ret_requests->passed = statement_take(s);
	ret_requests->copies = statement_take(s);
	ret_requests->blocked = statement_take(s);
	ret_requests->limited = statement_take(s);
	ret_requests->signature = statement_take(s);
	ret_requests->crowded_out = statement_take(s);
	ret_requests->other = statement_take(s);
}

static void take_visitors(struct statement *s, struct case_visitors *ret_visitors)
{
	ret_visitors->asked = statement_take(s);
	ret_visitors->answered = statement_take(s);
}

/* What a hand has changed is taken as far as it makes sense. */
static void take_record(struct statement *s, struct case_record *ret_record)
{
	*ret_record = (struct case_record){.id = statement_take(s)};
	ret_record->phase = case_phase_find(statement_take_text(s));
	if (ret_record->phase == CASE_PHASES)
		ret_record->phase = CASE_OVER;
	ret_record->onset_ms = statement_take(s);
	ret_record->opened_ms = statement_take(s);
	ret_record->held_ms = statement_take(s);
	ret_record->restored_ms = statement_take(s);
	ret_record->over_ms = statement_take(s);
	ret_record->reopened = (uint32_t)statement_take(s);
	ret_record->peak = statement_take_real(s);
	ret_record->below_since_ms = statement_take(s);
	snprintf(ret_record->places, sizeof(ret_record->places), "%s", statement_take_text(s));
	ret_record->kind = case_kind_find(statement_take_text(s));
	if (ret_record->kind == CASE_KINDS)
		ret_record->kind = CASE_FLOOD;
}

static void take_site(struct statement *s, struct case_site *ret_site)
{
	*ret_site = (struct case_site){0};
	snprintf(ret_site->name, sizeof(ret_site->name), "%s", statement_take_text(s));
	ret_site->attacked = statement_take(s) != 0;
	ret_site->onset_ms = statement_take(s);
	ret_site->until_ms = statement_take(s);
	ret_site->held_ms = statement_take(s);
	ret_site->restored_ms = statement_take(s);
	uint64_t nature = statement_take(s);
	ret_site->nature = nature < TRAFFIC_NATURES ? (enum traffic_nature)nature : TRAFFIC_QUIET;
	ret_site->harm = (unsigned)statement_take(s);
	take_requests(s, &ret_site->sums);
	take_visitors(s, &ret_site->visitors);
	ret_site->peak = statement_take_real(s);
	ret_site->worst_percent = (unsigned)statement_take(s);
}

static int read_sites(struct case_store *store, struct case_record *record)
{
	struct statement s = statement_prepare(
		store->db, "SELECT name, attacked, onset_ms, until_ms, held_ms, restored_ms, nature, harm, passed,"
			   " copies, blocked, limited, signature, crowded_out, other, asked, answered, peak,"
			   " worst_percent FROM site WHERE incident = ? ORDER BY number LIMIT ?");
	statement_number(&s, record->id);
	statement_number(&s, CASE_SITES);
	while (statement_step(&s) == STATEMENT_ROW && s.error == 0)
		take_site(&s, &record->sites[record->site_count++]);
	return statement_end(&s);
}

static void take_mitigation(struct statement *s, struct case_mitigation *ret_mitigation)
{
	*ret_mitigation = (struct case_mitigation){.id = (uint32_t)statement_take(s)};
	uint64_t site = statement_take(s);
	ret_mitigation->site = site < CASE_SITES ? (uint16_t)site : 0;
	ret_mitigation->since_ms = statement_take(s);
	ret_mitigation->until_ms = statement_take(s);
	ret_mitigation->hits = statement_take(s);
	snprintf(ret_mitigation->kind, sizeof(ret_mitigation->kind), "%s", statement_take_text(s));
	snprintf(ret_mitigation->what, sizeof(ret_mitigation->what), "%s", statement_take_text(s));
}

static int read_mitigations(struct case_store *store, struct case_record *record)
{
	struct statement s = statement_prepare(
		store->db, "SELECT id, site, since_ms, until_ms, hits, kind, what FROM (SELECT * FROM mitigation WHERE"
			   " incident = ? ORDER BY since_ms DESC, id DESC LIMIT ?) ORDER BY since_ms, id");
	statement_number(&s, record->id);
	statement_number(&s, CASE_MITIGATIONS);
	while (statement_step(&s) == STATEMENT_ROW && s.error == 0)
		take_mitigation(&s, &record->mitigations[record->mitigation_count++]);
	return statement_end(&s);
}

static void take_text(struct statement *s, char text[PACKET_TRAITS_BYTES])
{
	snprintf(text, PACKET_TRAITS_BYTES, "%s", statement_take_text(s));
}

static void take_packets(struct statement *s, struct case_record *record)
{
	enum packet_flood_kind kind = packet_flood_find(statement_take_text(s));
	if (kind == PACKET_FLOODS)
		return;
	struct case_packets *packets = &record->packets[kind];
	packets->on = statement_take(s) != 0;
	packets->held = statement_take(s) != 0;
	packets->onset_ms = statement_take(s);
	packets->until_ms = statement_take(s);
	packets->held_ms = statement_take(s);
	packets->packets = statement_take(s);
	packets->earlier = statement_take(s);
	packets->peak = statement_take_real(s);
	packets->traits.sampled = (uint32_t)statement_take(s);
	packets->traits.network_count = (uint32_t)statement_take(s);
	take_text(s, packets->traits.destinations);
	take_text(s, packets->traits.ports);
	take_text(s, packets->traits.from_ports);
	take_text(s, packets->traits.networks);
}

/* Before version 3 nothing was said of packets. */
static int read_packets(struct case_store *store, struct case_record *record)
{
	if (store->version < 3)
		return 0;
	struct statement s = statement_prepare(
		store->db, "SELECT kind, is_on, held, onset_ms, until_ms, held_ms, packets, earlier, peak, sampled,"
			   " network_count, destinations, ports, from_ports, networks FROM packets WHERE incident = ?");
	statement_number(&s, record->id);
	while (statement_step(&s) == STATEMENT_ROW && s.error == 0)
		take_packets(&s, record);
	return statement_end(&s);
}

struct one {
	struct case_record *ret_record;
	bool found;
};

static bool take_one(void *context, const struct case_record *record)
{
	struct one *one = context;
	*one->ret_record = *record;
	one->found = true;
	return false;
}

int case_store_records(struct case_store *store, uint64_t before, size_t count, case_record_fn *each, void *context)
{
	/* Before version 2 there were floods only. */
	static const char *const sql[] = {
		"SELECT id, phase, onset_ms, opened_ms, held_ms, restored_ms, over_ms, reopened, peak,"
		" below_since_ms, places, 'flood' FROM incident WHERE id < ? ORDER BY id DESC LIMIT ?",
		"SELECT id, phase, onset_ms, opened_ms, held_ms, restored_ms, over_ms, reopened, peak,"
		" below_since_ms, places, kind FROM incident WHERE id < ? ORDER BY id DESC LIMIT ?"};
	struct case_record *record = malloc(sizeof(*record));
	struct statement s = statement_prepare(store->db, sql[store->version > 1]);
	bool more = record != NULL;
	statement_number(&s, before == 0 ? INT64_MAX : before);
	statement_number(&s, count);
	if (record == NULL)
		s.error = s.error != 0 ? s.error : -ENOMEM;
	while (more && statement_step(&s) == STATEMENT_ROW && s.error == 0) {
		take_record(&s, record);
		s.error = read_sites(store, record);
		s.error = s.error != 0 ? s.error : read_mitigations(store, record);
		s.error = s.error != 0 ? s.error : read_packets(store, record);
		more = s.error == 0 && each(context, record);
	}
	free(record);
	return statement_end(&s);
}

int case_store_latest(struct case_store *store, struct case_record *ret_record)
{
	struct one one = {ret_record, false};
	int r = case_store_records(store, 0, 1, take_one, &one);
	return r != 0 || one.found ? r : CASE_STORE_NONE;
}

int case_store_latest_flood(struct case_store *store, struct case_record *ret_record)
{
	struct statement s =
		statement_prepare(store->db, store->version > 1 ? "SELECT max(id) FROM incident WHERE kind = 'flood'"
								: "SELECT max(id) FROM incident");
	uint64_t id = statement_step(&s) == STATEMENT_ROW && s.error == 0 ? statement_take(&s) : 0;
	int r = statement_end(&s);
	if (r != 0)
		return r;
	return id == 0 ? CASE_STORE_NONE : case_store_read(store, id, ret_record);
}

static uint64_t take_hash(struct statement *s)
{
	return strtoull(statement_take_text(s), NULL, 16);
}

int case_store_actor(struct case_store *store, uint64_t id, struct case_actor *ret_actor)
{
	if (store->version < 2)
		return CASE_STORE_NONE;
	struct statement s = statement_prepare(store->db, "SELECT sources, paths, findings, missing, kinds, classes,"
							  " agent, shape, asked FROM actor WHERE incident = ?");
	statement_number(&s, id);
	bool found = statement_step(&s) == STATEMENT_ROW && s.error == 0;
	if (found) {
		*ret_actor = (struct case_actor){.sources = statement_take(&s)};
		ret_actor->paths = statement_take(&s);
		ret_actor->findings = statement_take(&s);
		ret_actor->missing = statement_take(&s);
		ret_actor->kinds = (uint32_t)statement_take(&s);
		ret_actor->classes = (uint32_t)statement_take(&s);
		ret_actor->agent = take_hash(&s);
		ret_actor->shape = take_hash(&s);
		ret_actor->asked = take_hash(&s);
	}
	int r = statement_end(&s);
	return r != 0 || found ? r : CASE_STORE_NONE;
}

int case_store_read(struct case_store *store, uint64_t id, struct case_record *ret_record)
{
	struct one one = {ret_record, false};
	int r = id < INT64_MAX ? case_store_records(store, id + 1, 1, take_one, &one) : 0;
	return r != 0 || (one.found && ret_record->id == id) ? r : CASE_STORE_NONE;
}

static struct case_entry take_entry(struct statement *s, uint64_t id)
{
	struct case_entry entry = {.incident = id, .at_ms = statement_take(s)};
	uint64_t kind = statement_take(s);
	entry.kind = kind < CASE_ENTRY_KINDS ? (enum case_entry_kind)kind : CASE_ENTRY_ACTION;
	snprintf(entry.text, sizeof(entry.text), "%s", statement_take_text(s));
	return entry;
}

int case_store_entries(struct case_store *store, uint64_t id, case_entry_fn *each, void *context)
{
	struct statement s =
		statement_prepare(store->db, "SELECT at_ms, kind, text FROM entry WHERE incident = ? ORDER BY id");
	bool more = true;
	statement_number(&s, id);
	while (more && statement_step(&s) == STATEMENT_ROW && s.error == 0) {
		const struct case_entry entry = take_entry(&s, id);
		more = each(context, &entry);
	}
	return statement_end(&s);
}

static int count_entries(struct case_store *store, uint64_t id, uint64_t *ret_count)
{
	struct statement s = statement_prepare(store->db, "SELECT count(*) FROM entry WHERE incident = ?");
	statement_number(&s, id);
	*ret_count = statement_step(&s) == STATEMENT_ROW && s.error == 0 ? statement_take(&s) : 0;
	return statement_end(&s);
}

/* In the order of the index, so that no more is read than is shown. */
static int entry_end(struct case_store *store, const char *sql, uint64_t id, uint64_t most, uint64_t left_out,
		     case_entry_end_fn *each, void *context)
{
	struct statement s = statement_prepare(store->db, sql);
	bool more = true;
	statement_number(&s, id);
	statement_number(&s, most);
	while (more && statement_step(&s) == STATEMENT_ROW && s.error == 0) {
		const struct case_entry entry = take_entry(&s, id);
		more = each(context, &entry, left_out);
		left_out = 0;
	}
	return statement_end(&s);
}

int case_store_entry_ends(struct case_store *store, uint64_t id, case_entry_end_fn *each, void *context)
{
	static const char first[] = "SELECT at_ms, kind, text FROM entry WHERE incident = ? ORDER BY at_ms, id LIMIT ?";
	static const char last[] = "SELECT at_ms, kind, text FROM (SELECT id, at_ms, kind, text FROM entry WHERE"
				   " incident = ? ORDER BY at_ms DESC, id DESC LIMIT ?) ORDER BY at_ms, id";
	uint64_t count, half = CASE_ENTRIES_SHOWN / 2;
	int r = count_entries(store, id, &count);
	if (r != 0 || count <= CASE_ENTRIES_SHOWN)
		return r != 0 ? r : entry_end(store, first, id, CASE_ENTRIES_SHOWN, 0, each, context);
	r = entry_end(store, first, id, half, 0, each, context);
	return r != 0 ? r : entry_end(store, last, id, half, count - 2 * half, each, context);
}

/* The parameters of both statements begin with these. */
#define POINTS_FROM " FROM point WHERE incident = ?1 AND (?2 = ?3 OR site = ?2) AND at_ms >= ?4"

struct points {
	uint64_t id;
	uint16_t site;
	struct statement next; /* when the next is */
	struct statement sums; /* of one step */
};

static void ask(const struct points *points, struct statement *s, uint64_t from_ms)
{
	statement_number(s, points->id);
	statement_number(s, points->site);
	statement_number(s, CASE_SITES);
	statement_number(s, from_ms);
}

/* False: there is none. */
static bool next_point(struct points *points, uint64_t from_ms, uint64_t *ret_at_ms)
{
	ask(points, &points->next, from_ms);
	bool found = statement_step(&points->next) == STATEMENT_ROW && points->next.error == 0;
	if (found)
		*ret_at_ms = statement_take(&points->next);
	return statement_run(&points->next) == 0 && found;
}

static bool sum_points(struct points *points, uint64_t from_ms, uint64_t step_ms, struct case_point *ret_point)
{
	ask(points, &points->sums, from_ms);
	statement_number(&points->sums, from_ms + step_ms);
	bool found = statement_step(&points->sums) == STATEMENT_ROW && points->sums.error == 0;
	*ret_point = (struct case_point){.incident = points->id, .at_ms = from_ms, .site = points->site};
	if (found) {
		take_requests(&points->sums, &ret_point->requests);
		take_visitors(&points->sums, &ret_point->visitors);
	}
	return statement_run(&points->sums) == 0 && found;
}

/* A statement a step, in the order of the index: grouped in one, all that is read would be sorted first. */
int case_store_points(struct case_store *store, uint64_t id, uint16_t site, uint64_t step_ms, case_point_fn *each,
		      void *context)
{
	struct points points = {
		.id = id,
		.site = site,
		.next = statement_prepare(store->db, "SELECT at_ms" POINTS_FROM " ORDER BY at_ms LIMIT 1"),
		.sums = statement_prepare(store->db, "SELECT sum(passed), sum(copies), sum(blocked), sum(limited),"
						     " sum(signature), sum(crowded_out), sum(other), sum(asked),"
						     " sum(answered)" POINTS_FROM " AND at_ms < ?5")};
	uint64_t from_ms = 0, at_ms, step = step_ms > 0 ? step_ms : 1;
	struct case_point point;
	while (from_ms < INT64_MAX && next_point(&points, from_ms, &at_ms) &&
	       sum_points(&points, at_ms / step * step, step, &point) && each(context, &point))
		from_ms = point.at_ms + step;
	int r = statement_end(&points.next), r_sums = statement_end(&points.sums);
	return r != 0 ? r : r_sums;
}

int case_store_tallies(struct case_store *store, uint64_t id, const char *dimension, size_t count, case_tally_fn *each,
		       void *context)
{
	struct statement s = statement_prepare(store->db, "SELECT key, requests FROM tally WHERE incident = ? AND"
							  " dimension = ? ORDER BY requests DESC, key LIMIT ?");
	bool more = true;
	statement_number(&s, id);
	statement_text(&s, dimension);
	statement_number(&s, count);
	while (more && statement_step(&s) == STATEMENT_ROW && s.error == 0) {
		struct case_tally tally = {.dimension = dimension, .key = statement_take_text(&s)};
		tally.requests = statement_take_real(&s);
		more = each(context, &tally);
	}
	return statement_end(&s);
}
