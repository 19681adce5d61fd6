/*
 * The life of a witness and its turns; records are made in witness_leaves.c. Events of the time before this watch wait
 * until the log is open and tells what it has of them. Later ones go to the tally, the ledger and the pairing, which
 * say what is to be told.
 */
#include "watch/witness.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/vector.h"
#include "evidence/file_digest.h"
#include "evidence/journal.h"
#include "evidence/timestamp.h"
#include "watch/witness_inside.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	EARLY_MOST = 1 << 18,
	OPEN_LOOKS = 750,
	OPEN_LOOK_MS = 20,
	LOST_SECONDS = 5, /* for so long after a loss events are compared with counters */
	STAMP_EVERY_MS = 60 * 1000,
};

static const char key_name[] = "key.pem";

/* ---- beginning and end ---- */

/* The log's name is the machine's, as far as a name may have it. */
static void name_make(char out[HOST_NAME_MAX + 1])
{
	if (gethostname(out, HOST_NAME_MAX) != 0 || out[0] == '\0')
		snprintf(out, HOST_NAME_MAX, "localhost");
	out[HOST_NAME_MAX] = '\0';
	for (char *at = out; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~' || *at == '+')
			*at = '-';
}

static int writer_begin(struct witness *witness, const struct witness_options *options)
{
	char name[HOST_NAME_MAX + 1], key[PATH_MAX];
	name_make(name);
	if (snprintf(key, sizeof(key), "%s/%s", options->folder, key_name) >= (int)sizeof(key))
		return -ENAMETOOLONG;
	const struct log_config config = {
		options->folder, name, key, &disk_kernel, options->authority, STAMP_EVERY_MS, JOURNAL_HALF_BYTES};
	return writer_create(&config, WRITER_QUEUE_BYTES, &witness->writer);
}

static void tell_digests(struct witness *witness, const struct witness_options *options)
{
	struct merkle_hash build;
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	if (file_digest("/proc/self/exe", &build) == 0)
		witness_digest_put(witness, SLICE("program"), slice_from_string(path), build.bytes);
	for (size_t i = 0; i < options->digest_count; i++)
		witness_digest_put(witness, options->digests[i].of, options->digests[i].name,
				   options->digests[i].sha256);
}

int witness_begin(const struct witness_options *options, uint64_t now_ns, struct witness **ret_witness)
{
	*ret_witness = NULL;
	if (options->folder == NULL)
		return 0;
	struct witness *witness = calloc(1, sizeof(*witness));
	if (witness == NULL)
		return -ENOMEM;
	*witness = (struct witness){
		.folder = strdup(options->folder), .has_authority = options->authority != NULL, .began_ns = now_ns};
	witness->certificate = options->certificate != NULL ? strdup(options->certificate) : NULL;
	int r = witness->folder == NULL || (options->certificate != NULL && witness->certificate == NULL)
			? -ENOMEM
			: tally_create(&witness->tally);
	r = r != 0 ? r : pairing_create(witness_event_alone, witness, &witness->pairing);
	r = r != 0 ? r : hit_ledger_create(&witness->hits);
	r = r != 0 ? r : writer_begin(witness, options);
	r = r != 0 ? r : custodian_begin(witness->folder, witness->writer, &options->retention, &witness->custodian);
	if (r != 0) {
		witness_end(witness);
		return r;
	}
	tell_digests(witness, options);
	*ret_witness = witness;
	return 0;
}

/* ---- events ---- */

static void rule_text(const struct tally_line *line, char out[64])
{
	const char *reason = event_reason_name(line->reason);
	const char *detected = line->verdict == EVENT_WOULD_BLOCK ? ", only detected" : "";
	if (!line->by_rule)
		snprintf(out, 64, "%s%s, events lost", reason, detected);
	else if (line->rule != 0)
		snprintf(out, 64, "%s %" PRIu64 "%s", reason, line->rule, detected);
	else
		snprintf(out, 64, "%s%s", reason, detected);
}

/* Of a second in which another watch was, the log may have its part; what only counters know is of our own time. */
static void refused(void *context, const struct tally_line *line)
{
	struct witness *witness = context;
	const char *site = witness_site_name(witness, line->site);
	uint64_t total = line->total;
	char rule[64];
	rule_text(line, rule);
	if (line->by_rule && witness->recent != NULL)
		total = recent_untold(witness->recent, slice_from_string(witness_name_of(site)),
				      slice_from_string(rule), line->second, total);
	if (total > 0)
		witness_refusals_put(witness, site, rule, line->second, total);
}

static void take(struct witness *witness, const struct pairing_event *told)
{
	tally_add(witness->tally, told->site, &told->event, true, refused, witness);
	hit_ledger_event(witness->hits, &told->event);
	if (told->event.end.reason == EVENT_BY_RULE)
		pairing_event(witness->pairing, told);
}

/* Of requests that stand for others it is not known which: those after the latest that is told of are new. */
static bool is_unrecorded(const struct recent *recent, const struct pairing_event *told)
{
	const struct event *event = &told->event;
	return event->end.reason == EVENT_BY_RULE && event->wall_ms > recent->sampled_ms &&
	       !recent_has(recent, told->box, event->request, event->port);
}

static void take_one_early(struct witness *witness, const struct pairing_event *told)
{
	if (told->event.wall_ms / CLOCK_MS_PER_S * CLOCK_MS_PER_S < witness->recent->from_ms)
		return;
	tally_add(witness->tally, told->site, &told->event, false, refused, witness);
	if (is_unrecorded(witness->recent, told))
		witness_event_alone(witness, told);
}

/* Those that the log lacks: `recent` is what it has. */
static void take_early(struct witness *witness, struct recent *recent)
{
	witness->recent = recent;
	for (size_t i = 0; i < witness->early_count; i++)
		take_one_early(witness, &witness->early[i]);
	if (witness->early_lost > 0)
		witness_loss_put(witness, "events before this watch", witness->early_lost);
	free(witness->early);
	witness->early = NULL;
	witness->early_count = witness->early_room = 0;
}

static void keep_early(struct witness *witness, const struct pairing_event *told)
{
	if (witness->early_count == EARLY_MOST || vector_grow((void **)&witness->early, &witness->early_room,
							      witness->early_count, sizeof(*witness->early)) != 0)
		witness->early_lost++;
	else
		witness->early[witness->early_count++] = *told;
}

void witness_events(struct witness *witness, const struct sites *sites, unsigned box, const struct event *events,
		    size_t count)
{
	if (witness == NULL)
		return;
	witness->sites = sites;
	for (size_t i = 0; i < count; i++) {
		const struct event *event = &events[i];
		if (event->kind != EVENT_END || event->end.reason == EVENT_NO_REASON)
			continue;
		const struct pairing_event told = {box, sites_number(sites, box, event->site), *event};
		if (event->at_ns >= witness->began_ns)
			take(witness, &told);
		else if (witness->recent == NULL)
			keep_early(witness, &told);
		else
			take_one_early(witness, &told);
	}
}

void witness_step(struct witness *witness)
{
	if (witness == NULL)
		return;
	pairing_round(witness->pairing);
	if (witness->recent != NULL)
		return;
	/* At once: should we be killed, the next to come looks for what its predecessors told of lately. */
	struct writer_state state = writer_state(witness->writer);
	if (state.open)
		take_early(witness, state.beginning.recent);
}

/* A log that is about to be opened is waited for. */
static struct recent *recent_at_end(struct witness *witness)
{
	struct writer_state state = writer_state(witness->writer);
	for (unsigned i = 0; i < OPEN_LOOKS && !state.open && state.fault == 0; i++) {
		usleep(OPEN_LOOK_MS * 1000);
		state = writer_state(witness->writer);
	}
	return state.open ? state.beginning.recent : &witness->nothing;
}

void witness_end(struct witness *witness)
{
	if (witness == NULL)
		return;
	if (witness->writer != NULL) {
		if (witness->recent == NULL)
			take_early(witness, recent_at_end(witness));
		pairing_end(witness->pairing);
		tally_tell(witness->tally, UINT64_MAX, refused, witness);
	}
	body_store_end(witness->bodies);
	custodian_end(witness->custodian);
	writer_end(witness->writer);
	pairing_free(witness->pairing);
	buffer_free(&witness->packets);
	tally_free(witness->tally);
	hit_ledger_free(witness->hits);
	free(witness->folder);
	free(witness->certificate);
	free(witness);
}

/* ---- each second ---- */

static void say_opened(struct witness *witness, const struct writer_state *state)
{
	char fingerprint[FINGERPRINT_TEXT_BYTES];
	const struct log_beginning *beginning = &state->beginning;
	public_key_fingerprint(&state->key, fingerprint);
	if (beginning->why != NULL && beginning->epoch == 1)
		fprintf(stderr,
			"guia: watch: %s: a new evidence log; for the log book, the fingerprint of its key: %s\n",
			witness->folder, fingerprint);
	else if (beginning->why != NULL)
		fprintf(stderr,
			"guia: watch: %s: %s; evidence goes on in epoch %u; for the log book, the fingerprint of its "
			"key: %s\n",
			witness->folder, beginning->why, beginning->epoch, fingerprint);
	if (beginning->key_is_shown)
		fprintf(stderr, "guia: watch: %s/%s: others may read it; only who writes the log should\n",
			witness->folder, key_name);
}

/* What changed of how it goes, a line each. */
static void say_changes(struct witness *witness)
{
	struct writer_state state = writer_state(witness->writer);
	if (state.open && !witness->open_told)
		say_opened(witness, &state);
	witness->open_told = state.open;
	if (state.fault != 0 && state.fault != witness->fault_told)
		fprintf(stderr, "guia: watch: %s: no evidence can be kept: %s; it is tried on\n", witness->folder,
			log_fault_text(state.fault));
	witness->fault_told = state.fault;
	if (state.error != 0 && state.error != witness->error_told)
		fprintf(stderr, "guia: watch: %s: evidence waits: %s\n", witness->folder, strerror(-state.error));
	witness->error_told = state.error;
	if (state.lost > witness->lost_told)
		fprintf(stderr, "guia: watch: %s: %" PRIu64 " records had no room; the log will say so\n",
			witness->folder, state.lost - witness->lost_told);
	witness->lost_told = state.lost;
	if (state.stamp_error != 0 && state.stamp_error != witness->stamp_told)
		fprintf(stderr, "guia: watch: %s: no timestamp: %s; checkpoints wait\n", witness->folder,
			timestamp_fault_text(state.stamp_error));
	witness->stamp_told = state.stamp_error;
}

/* Beside the log, and so once that is there. */
static void open_bodies(struct witness *witness)
{
	char path[PATH_MAX];
	if (witness->certificate == NULL || witness->bodies != NULL || !witness->open_told)
		return;
	snprintf(path, sizeof(path), "%s/" BODY_FOLDER, witness->folder);
	int r = body_store_create(&disk_kernel, path, witness->certificate, &witness->bodies);
	if (r != 0 && r != witness->bodies_told)
		fprintf(stderr, "guia: watch: no messages are kept: %s: %s\n", witness->certificate,
			r == ENVELOPE_BAD ? "no certificate of a curve" : strerror(-r));
	witness->bodies_told = r;
}

static void see_losses(struct witness *witness, const struct intake *intake)
{
	struct intake_sums sums = intake_sums(intake);
	const struct {
		const char *ring;
		uint64_t now, *before;
	} rings[] = {{"events", sums.events_lost, &witness->events_lost},
		     {"heads", sums.heads_lost, &witness->heads_lost},
		     {"findings", sums.findings_lost, &witness->findings_lost},
		     {"unreadable", sums.broken, &witness->broken}};
	for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
		if (rings[i].now > *rings[i].before) {
			witness_loss_put(witness, rings[i].ring, rings[i].now - *rings[i].before);
			witness->lost_seconds = LOST_SECONDS;
		}
		*rings[i].before = rings[i].now;
	}
}

static void closed(void *context, uint32_t id, uint64_t connections)
{
	char rule[64];
	snprintf(rule, sizeof(rule), "connections by %" PRIu32, id);
	witness_refusals_put(context, "", rule, (uint64_t)(clock_now_us() / CLOCK_US_PER_S), connections);
}

static void see_hits(struct witness *witness, const struct intake *intake)
{
	struct hit hits[HIT_SLOTS];
	hit_ledger_second(witness->hits);
	for (unsigned box = 0; box < OUTBOX_FILES; box++)
		if (intake_has(intake, box) && inbox_read_hits(&intake->boxes[box], hits) == 0)
			hit_ledger_table(witness->hits, hits, HIT_SLOTS);
	hit_ledger_tell(witness->hits, closed, witness);
}

/* Sums that have grown by something that belongs to no site. */
static void see_sum(struct witness *witness, const char *what, const char *kind, uint64_t now, uint64_t *before,
		    uint64_t second)
{
	char rule[96];
	snprintf(rule, sizeof(rule), "%s: %s", what, kind);
	if (witness->counted && now > *before)
		witness_refusals_put(witness, "", rule, second, now - *before);
	*before = now;
}

/* Not before it is known what the log has of the time before us: its part of a second is counted off. */
static void see_tally(struct witness *witness, const struct witness_sight *sight, uint64_t second)
{
	bool early_taken = witness->recent != NULL, first = sight->sites->seconds == 1;
	if (early_taken)
		tally_tell(witness->tally, second, refused, witness);
	for (size_t i = 0; i < sight->sites->count && (first || (early_taken && sight->sites->seconds > 1)); i++)
		tally_compare(witness->tally, (uint16_t)i, &sight->sites->views[i].past[0],
			      early_taken && witness->lost_seconds > 0, second - 1, refused, witness);
	witness->lost_seconds -= early_taken && witness->lost_seconds > 0;
}

static void see_refusals(struct witness *witness, const struct witness_sight *sight)
{
	uint64_t second = sight->wall_ms / 1000;
	see_tally(witness, sight, second);
	see_hits(witness, sight->intake);
	for (unsigned kind = 0; kind < SHED_KINDS; kind++)
		see_sum(witness, "connections closed", shed_kind_name(kind), sight->sites->connections.shed[kind],
			&witness->shed[kind], second);
	for (unsigned reason = EDGE_FIRST_DROP; reason < EDGE_REASONS && sight->edge->held; reason++)
		see_sum(witness, "packets at the edge", edge_reason_texts[reason], sight->edge->counts.packets[reason],
			&witness->edge_packets[reason], second);
	witness->counted = true;
}

void witness_second(struct witness *witness, const struct witness_sight *sight)
{
	if (witness == NULL)
		return;
	witness->sites = sight->sites;
	say_changes(witness);
	open_bodies(witness);
	see_losses(witness, sight->intake);
	see_refusals(witness, sight);
	witness_incidents_second(witness);
	witness_packets_second(witness, sight->wall_ms);
	custodian_second(witness->custodian, clock_monotonic_ns(), sight->wall_ms);
	if (!witness->places_told && places_image(sight->places) != NULL) {
		witness_digest_put(witness, SLICE("location data"), slice_from_string(sight->places->file),
				   sight->places->sha256);
		witness->places_told = true;
	}
}
