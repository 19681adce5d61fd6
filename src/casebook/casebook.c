/*
 * A second in order: it opens an incident if it must; each site that is taken in adds its figures and says what is new
 * there; packets likewise; then what all have reached is marked. The phase moves last, by how many are attacked and how
 * many of these are held.
 */
#include "casebook/casebook.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *case_entry_kind_name(enum case_entry_kind kind)
{
	static const char *const names[CASE_ENTRY_KINDS] = {"phase", "action", "order"};
	return kind < CASE_ENTRY_KINDS ? names[kind] : "?";
}

bool casebook_is_on(const struct casebook *book)
{
	return book->now.id != 0 && book->now.phase != CASE_OVER;
}

uint64_t case_requests_refused(const struct case_requests *requests)
{
	return requests->blocked + requests->limited + requests->signature + requests->crowded_out;
}

uint64_t case_requests_all(const struct case_requests *requests)
{
	return requests->passed + case_requests_refused(requests) + requests->other;
}

static void add_requests(struct case_requests *sum, const struct case_requests *more)
{
	sum->passed += more->passed;
	sum->copies += more->copies;
	sum->blocked += more->blocked;
	sum->limited += more->limited;
	sum->signature += more->signature;
	sum->crowded_out += more->crowded_out;
	sum->other += more->other;
}

struct case_requests case_record_sums(const struct case_record *record)
{
	struct case_requests sum = {0};
	for (size_t i = 0; i < record->site_count; i++)
		add_requests(&sum, &record->sites[i].sums);
	return sum;
}

struct case_visitors case_record_visitors(const struct case_record *record)
{
	struct case_visitors sum = {0};
	for (size_t i = 0; i < record->site_count; i++) {
		sum.asked += record->sites[i].visitors.asked;
		sum.answered += record->sites[i].visitors.answered;
	}
	/* Each second counted those of the last ten. */
	return (struct case_visitors){sum.asked / CASE_VISITORS_SECONDS, sum.answered / CASE_VISITORS_SECONDS};
}

struct case_glance case_record_glance(const struct case_record *record)
{
	struct case_glance glance = {.id = record->id,
				     .kind = record->kind,
				     .phase = record->phase,
				     .onset_ms = record->onset_ms,
				     .requests = case_record_sums(record),
				     .visitors = case_record_visitors(record),
				     .site_count = record->site_count};
	for (size_t i = 0; i < record->site_count; i++)
		glance.sites[i] = record->sites[i].name;
	return glance;
}

uint64_t casebook_incident_at(const struct casebook *book, const char *site)
{
	bool is_of_it = site[0] == '\0';
	for (size_t i = 0; i < book->now.site_count && !is_of_it; i++)
		is_of_it = strcmp(book->now.sites[i].name, site) == 0;
	return is_of_it && casebook_is_on(book) ? book->now.id : 0;
}

/* ---- the timeline ---- */

/* The last of so many; true if the first had to go. */
static bool append(struct case_entry *entries, size_t most, size_t *count, const struct case_entry *entry)
{
	bool full = *count == most;
	if (full)
		memmove(entries, entries + 1, --*count * sizeof(*entries));
	entries[(*count)++] = *entry;
	return full;
}

static struct case_entry entry_of(enum case_entry_kind kind, const char *text, uint64_t at_ms)
{
	struct case_entry entry = {.at_ms = at_ms, .kind = kind};
	snprintf(entry.text, sizeof(entry.text), "%s", text);
	return entry;
}

static void write_entry(struct casebook *book, struct case_entry entry)
{
	entry.incident = book->now.id;
	book->entries_lost += append(book->entries, CASE_ENTRIES, &book->entry_count, &entry);
	book->changed = true;
}

void casebook_note(struct casebook *book, enum case_entry_kind kind, const char *text, uint64_t now_ms)
{
	struct case_entry entry = entry_of(kind, text, now_ms);
	if (casebook_is_on(book))
		write_entry(book, entry);
	else
		(void)append(book->early, CASE_EARLY, &book->early_count, &entry);
}

static void write_early(struct casebook *book, uint64_t now_ms)
{
	for (size_t i = 0; i < book->early_count; i++)
		if (now_ms - book->early[i].at_ms <= CASE_EARLY_MS)
			write_entry(book, book->early[i]);
	book->early_count = 0;
}

static void move(struct casebook *book, enum case_cause cause, uint64_t now_ms)
{
	char text[CASE_TEXT_BYTES];
	enum case_phase to;
	if (!case_phase_next(book->now.phase, cause, &to))
		return;
	book->now.phase = to;
	snprintf(text, sizeof(text), "%s: %s", case_phase_name(to), case_cause_text(CASE_FLOOD, cause));
	write_entry(book, entry_of(CASE_ENTRY_PHASE, text, now_ms));
}

/* ---- beginning ---- */

void casebook_begin(struct casebook *book, const struct case_record *latest, uint64_t last_id)
{
	*book = (struct casebook){.last_id = last_id};
	if (latest == NULL)
		return;
	book->now = *latest;
	if (book->last_id < latest->id)
		book->last_id = latest->id;
}

static void open(struct casebook *book, uint64_t onset_ms, bool by_packets, uint64_t now_ms)
{
	char text[CASE_TEXT_BYTES];
	struct case_record *record = &book->now;
	/* A clock that was set back does not make an incident older than it is: it is another. */
	if (record->id != 0 && now_ms - record->over_ms < CASE_REOPEN_MS) {
		record->over_ms = 0;
		record->reopened++;
		write_early(book, now_ms);
		move(book, CASE_RETURNS, now_ms);
		return;
	}
	*record = (struct case_record){.id = ++book->last_id, .onset_ms = onset_ms, .opened_ms = now_ms};
	write_early(book, now_ms);
	snprintf(text, sizeof(text), "%s: %s", case_phase_name(CASE_ONSET),
		 by_packets ? "packets flood the edge or the link" : case_kind_text(CASE_FLOOD));
	write_entry(book, entry_of(CASE_ENTRY_PHASE, text, now_ms));
}

static struct case_site *site_of(struct casebook *book, const char *name)
{
	struct case_record *record = &book->now;
	for (size_t i = 0; i < record->site_count; i++)
		if (strcmp(record->sites[i].name, name) == 0)
			return &record->sites[i];
	if (record->site_count == CASE_SITES)
		return NULL;
	struct case_site *site = &record->sites[record->site_count++];
	*site = (struct case_site){.worst_percent = 100};
	snprintf(site->name, sizeof(site->name), "%s", name);
	return site;
}

/* ---- each second ---- */

static void tell_of_site(struct casebook *book, const struct case_site *site, const char *what, uint64_t now_ms)
{
	char text[CASE_TEXT_BYTES];
	snprintf(text, sizeof(text), "%s: %s", site->name[0] != '\0' ? site->name : "requests of no site", what);
	write_entry(book, entry_of(CASE_ENTRY_PHASE, text, now_ms));
}

static void site_is_attacked(struct casebook *book, struct case_site *site, const struct case_sighting *s,
			     uint64_t now_ms)
{
	if (site->onset_ms == 0) {
		site->onset_ms = s->onset_ms;
		tell_of_site(book, site, "under attack", now_ms);
	}
	site->until_ms = now_ms;
	site->harm |= s->harm;
	if (s->nature > site->nature)
		site->nature = s->nature;
	if (s->held && site->held_ms == 0) {
		site->held_ms = now_ms;
		tell_of_site(book, site, "a mitigation is in force", now_ms);
	}
	if (site->held_ms != 0 && site->restored_ms == 0 && !s->harmed && (s->up || !s->probed)) {
		site->restored_ms = now_ms;
		tell_of_site(book, site, "visitors are served again", now_ms);
	}
}

static struct case_mitigation *mitigation_of(struct case_record *record, const struct case_mitigation *seen)
{
	for (size_t i = 0; i < record->mitigation_count; i++)
		if (record->mitigations[i].id == seen->id)
			return &record->mitigations[i];
	if (record->mitigation_count == CASE_MITIGATIONS) {
		memmove(record->mitigations, record->mitigations + 1,
			(CASE_MITIGATIONS - 1) * sizeof(record->mitigations[0]));
		record->mitigation_count--;
	}
	struct case_mitigation *mitigation = &record->mitigations[record->mitigation_count++];
	*mitigation = *seen;
	return mitigation;
}

static void see_mitigations(struct case_record *record, const struct case_site *site, const struct case_sighting *s,
			    uint64_t now_ms)
{
	for (size_t i = 0; i < s->mitigation_count; i++) {
		struct case_mitigation *mitigation = mitigation_of(record, &s->mitigations[i]);
		mitigation->site = (uint16_t)(site - record->sites);
		mitigation->hits = s->mitigations[i].hits;
		mitigation->until_ms = now_ms;
	}
}

static void write_point(struct casebook *book, const struct case_site *site, const struct case_sighting *s,
			uint64_t now_ms)
{
	if (book->point_count == CASE_POINTS) {
		memmove(book->points, book->points + 1, (CASE_POINTS - 1) * sizeof(book->points[0]));
		book->point_count--;
		book->points_lost++;
	}
	book->points[book->point_count++] = (struct case_point){.incident = book->now.id,
								.at_ms = now_ms,
								.site = (uint16_t)(site - book->now.sites),
								.requests = s->requests,
								.visitors = s->visitors};
}

static void site_second(struct casebook *book, const struct case_sighting *s, uint64_t now_ms)
{
	struct case_site *site = site_of(book, s->site);
	if (site == NULL)
		return;
	double rate = (double)case_requests_all(&s->requests);
	add_requests(&site->sums, &s->requests);
	site->peak = fmax(site->peak, rate);
	site->visitors.asked += s->visitors.asked;
	site->visitors.answered += s->visitors.answered;
	if (s->visitors.asked >= CASE_VISITORS_TELL) {
		unsigned percent = (unsigned)(s->visitors.answered * 100 / s->visitors.asked);
		site->worst_percent = percent < site->worst_percent ? percent : site->worst_percent;
	}
	write_point(book, site, s, now_ms);
	see_mitigations(&book->now, site, s, now_ms);
	site->attacked = s->attacked;
	if (s->attacked)
		site_is_attacked(book, site, s, now_ms);
}

/* ---- packets ---- */

/* Of one that comes back within the incident, onset and what held it first stay, and what came adds up. */
static void see_packets(struct case_packets *all, const struct case_packets *seen, uint64_t now_ms)
{
	bool anew = seen->on && !all->on;
	all->on = seen->on;
	all->held = seen->held;
	if (!seen->on)
		return;
	if (all->onset_ms == 0)
		all->onset_ms = seen->onset_ms;
	if (anew)
		all->earlier = all->packets;
	if (all->packets < all->earlier + seen->packets)
		all->packets = all->earlier + seen->packets;
	all->peak = fmax(all->peak, seen->peak);
	all->until_ms = now_ms;
	if (seen->held && all->held_ms == 0)
		all->held_ms = now_ms;
	if (seen->traits.sampled > 0)
		all->traits = seen->traits;
}

/* Whether an attacked site has to do with it: all of them have while it is on. */
static bool is_taken_in(const struct casebook *book, const struct case_sighting *s)
{
	for (size_t i = 0; i < book->now.site_count; i++)
		if (strcmp(book->now.sites[i].name, s->site) == 0)
			return true;
	return s->attacked;
}

struct tally {
	size_t attacked; /* sites, and kinds of packets */
	size_t held;     /* of those, and without harm */
	bool by_packets; /* alone */
	double rate;     /* requests of this second at all sites that it has to do with */
	uint64_t onset_ms;
};

static void tally_onset(struct tally *tally, uint64_t onset_ms)
{
	if (tally->onset_ms == 0 || onset_ms < tally->onset_ms)
		tally->onset_ms = onset_ms;
}

static struct tally tally_of(const struct casebook *book, const struct case_second *second)
{
	struct tally tally = {0};
	for (size_t i = 0; i < PACKET_FLOODS; i++) {
		const struct case_packets *packets = &second->packets[i];
		if (packets->on)
			tally_onset(&tally, packets->onset_ms);
		tally.attacked += packets->on;
		tally.held += packets->on && packets->held;
	}
	tally.by_packets = tally.attacked > 0;
	for (size_t i = 0; i < second->count; i++) {
		const struct case_sighting *s = &second->sightings[i];
		if (s->attacked)
			tally_onset(&tally, s->onset_ms);
		tally.by_packets = tally.by_packets && !s->attacked;
		tally.attacked += s->attacked;
		tally.held += s->attacked && s->held && !s->harmed;
		if (s->attacked || is_taken_in(book, s))
			tally.rate += (double)case_requests_all(&s->requests);
	}
	return tally;
}

static void mark(struct case_record *record, uint64_t now_ms)
{
	bool held = true, restored = true;
	for (size_t i = 0; i < PACKET_FLOODS; i++)
		held = held && (record->packets[i].onset_ms == 0 || record->packets[i].held_ms != 0);
	for (size_t i = 0; i < record->site_count; i++) {
		held = held && record->sites[i].held_ms != 0;
		restored = restored && record->sites[i].restored_ms != 0;
	}
	if (held && record->held_ms == 0)
		record->held_ms = now_ms;
	/* Where packets flood and no site is attacked nobody was kept from anything but by a full link. */
	restored = restored && held;
	if (restored && record->restored_ms == 0)
		record->restored_ms = now_ms;
}

static void move_on(struct casebook *book, const struct tally *tally, uint64_t now_ms)
{
	struct case_record *record = &book->now;
	if (tally->rate * 2 >= record->peak)
		record->below_since_ms = 0;
	else if (record->below_since_ms == 0 || now_ms < record->below_since_ms)
		record->below_since_ms = now_ms;
	if (tally->attacked == 0) {
		record->over_ms = now_ms;
		move(book, CASE_ENDS, now_ms);
		return;
	}
	if (tally->held < tally->attacked)
		move(book, record->phase == CASE_ONSET ? CASE_GOES_ON : CASE_ESCAPES, now_ms);
	else if (record->phase == CASE_ONSET || record->phase == CASE_RISING)
		move(book, CASE_CONTAINED, now_ms);
	else if (record->below_since_ms == 0)
		move(book, CASE_RISES, now_ms);
	else if (now_ms - record->below_since_ms >= CASE_FALLING_MS)
		move(book, CASE_FALLS, now_ms);
}

void casebook_onset(struct casebook *book, const struct case_second *second, uint64_t now_ms)
{
	struct tally tally = tally_of(book, second);
	if (casebook_is_on(book) || tally.attacked == 0)
		return;
	open(book, tally.onset_ms, tally.by_packets, now_ms);
	for (size_t i = 0; i < second->count; i++) {
		const struct case_sighting *s = &second->sightings[i];
		struct case_site *site = s->attacked ? site_of(book, s->site) : NULL;
		if (site == NULL)
			continue;
		site->attacked = true;
		site_is_attacked(book, site, s, now_ms);
	}
	for (size_t i = 0; i < PACKET_FLOODS; i++)
		see_packets(&book->now.packets[i], &second->packets[i], now_ms);
}

void casebook_second(struct casebook *book, const struct case_second *second, uint64_t now_ms)
{
	bool was_on = casebook_is_on(book);
	casebook_onset(book, second, now_ms);
	if (!casebook_is_on(book))
		return;
	struct tally tally = tally_of(book, second);
	for (size_t i = 0; i < second->count; i++)
		if (is_taken_in(book, &second->sightings[i]))
			site_second(book, &second->sightings[i], now_ms);
	for (size_t i = 0; i < PACKET_FLOODS; i++)
		see_packets(&book->now.packets[i], &second->packets[i], now_ms);
	book->now.peak = fmax(book->now.peak, tally.rate);
	mark(&book->now, now_ms);
	if (was_on)
		move_on(book, &tally, now_ms);
	book->changed = true;
}

void casebook_places(struct casebook *book, const char *places)
{
	if (casebook_is_on(book))
		snprintf(book->now.places, sizeof(book->now.places), "%s", places);
}
