#include "watch/watch.h"

#include "base/control.h"
#include "base/error.h"
#include "base/service.h"
#include "base/user.h"
#include "codec/question.h"
#include "codec/text.h"
#include "locate/locations.h"
#include "mitigate/edge_bans.h"
#include "watch/cases.h"
#include "watch/defender.h"
#include "watch/orders.h"
#include "watch/report.h"

#include <inttypes.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum {
	TICK_MS = 25,                     /* from one look at the rings to the next, where there is little in them */
	HURRY_EVENTS = OUTBOX_EVENTS / 4, /* with so many in one ring there is no pause */
	LOOK_MS = 1000,                   /* from one look at the directory and the counters to the next */
	CONNECTIONS_MS = 100,             /* from one look at connections to the next, as often as workers look */
	TOP_COUNT = 10,
};

struct watch {
	struct intake intake;
	struct sites sites;
	struct ranking ranking;
	struct places places;
	struct homes homes;
	struct control control;
	struct control inner; /* for the screen, which is of the user that we became */
	struct defender defender;
	struct cases *cases;
	struct witness *witness;     /* NULL: no evidence is kept */
	struct upstream *upstream;   /* NULL: no operator is asked */
	struct ban_register *bans;   /* NULL: none */
	struct mode_register *modes; /* NULL likewise */
	struct edge_bans edge;
	int bans_told; /* what went wrong with them, as last said */
	struct probe *probes;
	size_t probe_count;
	struct pollfd *waits; /* room for all */
	SSL_CTX *tls;
	int signals;
	uint64_t began_ns;
	uint64_t now_ns;
	uint64_t look_ns;
	uint64_t connections_ns;
	int64_t watchdog_ms;
	uint64_t watchdog_ns;
	uint64_t lost_told; /* events lost, as last said */
	int error_told;
};

static uint64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void events_taken(void *context, unsigned box, const struct event *events, size_t count)
{
	struct watch *w = context;
	ranking_events(&w->ranking, &w->sites, box, events, count);
	defender_events(&w->defender, &w->sites, box, events, count);
	upstream_events(w->upstream, events, count);
	witness_events(w->witness, &w->sites, box, events, count);
}

static void heads_taken(void *context, unsigned box, const struct head *heads, size_t count)
{
	struct watch *w = context;
	(void)box;
	ranking_heads(&w->ranking, heads, count);
}

static void finding_taken(void *context, unsigned box, const struct finding *finding)
{
	struct watch *w = context;
	witness_finding(w->witness, &w->sites, box, finding);
}

static size_t number_in(struct slice text)
{
	size_t value = 0;
	for (size_t i = 0; i < text.len && byte_is_digit(text.ptr[i]) && value < 1000; i++)
		value = value * 10 + (size_t)(text.ptr[i] - '0');
	return value;
}

static struct ban_times times(const struct watch *w)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (struct ban_times){w->now_ns / 1000000, (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000};
}

static uint64_t hits_of(const void *context, uint32_t id)
{
	const struct watch *w = context;
	return intake_hits(&w->intake, id) + edge_bans_hits(&w->edge, id);
}

static const char *edge_of(const void *context, const struct prefix *prefix, enum ban_kind kind)
{
	const struct watch *w = context;
	return edge_bans_standing(&w->edge, prefix, kind);
}

/* Workers tell of all their sites when they begin. */
static bool serves(const void *context, struct slice site)
{
	const struct watch *w = context;
	for (size_t i = 0; i < w->sites.count; i++)
		if (slice_equal(slice_from_string(w->sites.views[i].name), site))
			return true;
	return false;
}

/* Requests a second that nothing refused. */
static double visitors(const struct watch *w)
{
	double sum = 0;
	for (size_t i = 0; i < w->sites.count; i++)
		sum += sites_rate(&w->sites, site_verdict(&w->sites.views[i].now, EVENT_PASSED),
				  site_verdict(sites_oldest(&w->sites, &w->sites.views[i]), EVENT_PASSED));
	return sum;
}

static struct upstream_sight upstream_sight(const struct watch *w)
{
	return (struct upstream_sight){times(w), visitors(w), w->bans, hits_of, w};
}

static void decided(void *context, const char *line)
{
	struct watch *w = context;
	cases_note(w->cases, CASE_ENTRY_ACTION, line, times(w).wall_ms);
}

/* What a person ordered; of what was done the incident tells. */
static void ordered(struct watch *w, uid_t who, struct slice question, struct slice answer)
{
	static const char *const verbs[] = {"ban ", "unban ", "allow ", "mode "};
	char text[CASE_TEXT_BYTES];
	bool is_order = false;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		is_order = is_order || slice_starts_with(question, slice_from_string(verbs[i]));
	if (is_order)
		witness_ordered(w->witness, who, question, answer);
	if (!is_order || slice_starts_with(answer, SLICE("{\"fault\"")))
		return;
	snprintf(text, sizeof(text), "user %u: %.*s", (unsigned)who, SLICE_ARG(question));
	cases_note(w->cases, CASE_ENTRY_ORDER, text, times(w).wall_ms);
}

static struct cases_sight cases_sight(const struct watch *w)
{
	return (struct cases_sight){.sites = &w->sites,
				    .defender = &w->defender,
				    .ranking = &w->ranking,
				    .places = &w->places,
				    .probes = w->probes,
				    .probe_count = w->probe_count,
				    .now_ns = w->now_ns,
				    .now = times(w)};
}

static void history_answer(const struct watch *w, struct buffer *out)
{
	buffer_text(out, "{\"path\":");
	text_add_json(out, slice_from_string(cases_path(w->cases)));
	buffer_text(out, "}\n");
}

/* "for USER QUESTION": whoever may ask at all may pass on what another user wants, who is then named as its author. */
static struct slice on_behalf(struct slice question, uid_t *who)
{
	struct slice rest = question;
	uint64_t user;
	if (!slice_equal(question_word(&rest), SLICE("for")) ||
	    !question_number(question_word(&rest), UINT32_MAX, &user))
		return question;
	*who = (uid_t)user;
	return rest;
}

static void answer(void *context, uid_t who, struct slice question, struct buffer *out)
{
	struct watch *w = context;
	question = on_behalf(question, &who);
	const struct orders orders = {.bans = w->bans,
				      .modes = w->modes,
				      .homes = &w->homes,
				      .now = times(w),
				      .by = who,
				      .hits = hits_of,
				      .edge = edge_of,
				      .serves = serves,
				      .context = w};
	const struct report report = {
		.intake = &w->intake,
		.sites = &w->sites,
		.ranking = &w->ranking,
		.places = &w->places,
		.defender = &w->defender,
		.edge = &w->edge,
		.upstream = w->upstream,
		.witness = w->witness,
		.modes = w->modes,
		.hits = hits_of,
		.context = w,
		.probes = w->probes,
		.probe_count = w->probe_count,
		.began_ns = w->began_ns,
		.now_ns = w->now_ns,
	};
	const struct upstream_sight sight = upstream_sight(w);
	struct slice verb, rest = slice_cut(question, ' ', &verb);
	if (slice_equal(verb, SLICE("status")))
		report_status(&report, out);
	else if (slice_equal(verb, SLICE("top")))
		report_top(&report, rest.len > 0 ? number_in(rest) : TOP_COUNT, out);
	else if (slice_equal(verb, SLICE("history")))
		history_answer(w, out);
	else if (slice_equal(verb, SLICE("upstream")))
		upstream_report(w->upstream, &sight, out);
	else if (witness_answer(w->witness, who, question, out))
		;
	else if (!orders_answer(&orders, question, out))
		buffer_text(out, "{\"fault\":\"no such question\"}\n");
	else
		ordered(w, who, question, buffer_slice(out));
}

/* ---- beginning ---- */

static int signals_open(struct watch *w)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	w->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return w->signals < 0 ? -errno : 0;
}

static int probes_begin(struct watch *w, const struct watch_options *options)
{
	w->probes = calloc(options->target_count + 1, sizeof(*w->probes));
	w->waits = calloc(1 + 1 + 2 * (1 + CONTROL_CLIENTS) + options->target_count, sizeof(*w->waits));
	if (w->probes == NULL || w->waits == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < options->target_count; i++) {
		probe_init(&w->probes[i], &options->targets[i]);
		if (options->targets[i].tls && w->tls == NULL)
			w->tls = SSL_CTX_new(TLS_client_method());
	}
	w->probe_count = options->target_count;
	return 0;
}

/* As the user that we have become: whoever comes after us must be able to write there. */
static int bans_begin(struct watch *w, const struct watch_options *options, const char **ret_what)
{
	const char *said;
	if (options->bans == NULL)
		return 0;
	w->now_ns = clock_ns();
	int r = ban_register_open(options->bans, times(w), &w->bans, ret_what, &said);
	if (r == 0 && said[0] != '\0')
		fprintf(stderr, "guia: watch: %s\n", said);
	if (r != 0)
		return r;
	r = homes_gather(&options->homes, &w->places, &w->homes);
	if (r == 0 && w->homes.said[0] != '\0')
		fprintf(stderr, "guia: watch: home countries are not known: %s: %s; only home networks are at home\n",
			w->places.file, w->homes.said);
	r = r != 0 ? r
		   : mode_register_open(options->bans, w->homes.networks, w->homes.count, times(w), &w->modes, ret_what,
					&said);
	if (r == 0 && said[0] != '\0')
		fprintf(stderr, "guia: watch: %s\n", said);
	return r;
}

/* Whoever became another user answers that one too, in a folder that he can reach. */
static int inner_begin(struct watch *w, const struct watch_options *options, const char **ret_what)
{
	char path[PATH_MAX];
	if (options->user == NULL || options->bans == NULL)
		return 0;
	*ret_what = options->bans;
	if (snprintf(path, sizeof(path), "%s/" WATCH_INNER_CONTROL, options->bans) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	int r = control_open(&w->inner, path, CONTROL_FOR_USER);
	return r == -EADDRINUSE ? WATCH_BUSY : r;
}

static int begin(struct watch *w, const struct watch_options *options, const char **ret_what)
{
	*ret_what = "memory";
	int r = intake_init(&w->intake, options->events);
	r = r != 0 ? r : sites_init(&w->sites);
	r = r != 0 ? r : ranking_init(&w->ranking);
	r = r != 0 ? r : probes_begin(w, options);
	r = r != 0 ? r : signals_open(w);
	if (r != 0)
		return r;
	*ret_what = options->control;
	r = control_open(&w->control, options->control, CONTROL_FOR_USER);
	if (r != 0)
		return r == -EADDRINUSE ? WATCH_BUSY : r;
	*ret_what = options->user;
	r = options->user != NULL ? user_become(options->user) : 0;
	if (r == 0)
		places_begin(&w->places, options->locations != NULL ? options->locations : LOCATIONS_FILE);
	r = r != 0 ? r : bans_begin(w, options, ret_what);
	r = r != 0 ? r : inner_begin(w, options, ret_what);
	r = r != 0 ? r : upstream_begin(&options->upstream, options->edge, &w->upstream);
	if (r != 0)
		return r;
	*ret_what = options->evidence.folder;
	r = witness_begin(&options->evidence, clock_ns(), &w->witness);
	if (r != 0)
		return r;
	edge_bans_begin(&w->edge, options->edge, options->proxies, options->proxy_count, w->bans);
	r = defender_begin(&w->defender, options->bans, options->record, w->bans, &w->intake, ret_what);
	r = r != 0 ? r : cases_begin(options->bans, &w->cases);
	witness_incident_known(w->witness, cases_latest(w->cases));
	w->defender.witness = w->witness;
	w->defender.said = decided;
	w->defender.said_context = w;
	w->defender.edge = &w->edge;
	w->defender.modes = w->modes;
	w->defender.upstream = w->upstream;
	return r;
}

static void end(struct watch *w)
{
	control_close(&w->control);
	control_close(&w->inner);
	defender_end(&w->defender);
	cases_end(w->cases);
	witness_end(w->witness);
	edge_bans_end(&w->edge);
	upstream_end(w->upstream);
	ban_register_close(w->bans);
	mode_register_close(w->modes);
	for (size_t i = 0; i < w->probe_count; i++)
		probe_release(&w->probes[i]);
	free(w->probes);
	free(w->waits);
	SSL_CTX_free(w->tls);
	places_end(&w->places);
	homes_release(&w->homes);
	ranking_release(&w->ranking);
	sites_release(&w->sites);
	intake_release(&w->intake);
	if (w->signals >= 0)
		close(w->signals);
}

/* ---- the loop ---- */

static void say_changes(struct watch *w)
{
	struct intake_sums sums = intake_sums(&w->intake);
	if (w->intake.error != w->error_told) {
		if (w->intake.error != 0)
			fprintf(stderr, "guia: watch: %s: %s; nothing is known until the gate makes it\n",
				w->intake.path, strerror(-w->intake.error));
		else
			fprintf(stderr, "guia: watch: reading %s\n", w->intake.path);
	}
	w->error_told = w->intake.error;
	if (sums.events_lost > w->lost_told)
		fprintf(stderr,
			"guia: watch: %" PRIu64 " events were overwritten before they were read; sums are exact\n",
			sums.events_lost - w->lost_told);
	w->lost_told = sums.events_lost;
}

static void look(struct watch *w)
{
	intake_look(&w->intake);
	sites_take(&w->sites, &w->intake, w->now_ns);
	w->ranking.places = places_image(&w->places);
	defender_look(&w->defender, &w->sites, times(w));
	const char *said = edge_bans_look(&w->edge, times(w));
	if (said != NULL)
		fprintf(stderr, "guia: watch: %s: %s\n", w->edge.directory, said);
	const struct upstream_sight sight = upstream_sight(w);
	upstream_second(w->upstream, &sight);
	const struct cases_sight seen = cases_sight(w);
	cases_second(w->cases, &seen);
	const struct witness_sight witnessed = {.intake = &w->intake,
						.sites = &w->sites,
						.edge = &w->edge,
						.places = &w->places,
						.incident = cases_latest(w->cases),
						.wall_ms = times(w).wall_ms};
	witness_second(w->witness, &witnessed);
	say_changes(w);
	w->look_ns = w->now_ns + (uint64_t)LOOK_MS * 1000000;
}

static void look_at_connections(struct watch *w)
{
	sites_take_connections(&w->sites, &w->intake);
	defender_connections(&w->defender, &w->sites);
	w->connections_ns = w->now_ns + (uint64_t)CONNECTIONS_MS * 1000000;
}

static void bans_tick(struct watch *w)
{
	if (w->bans == NULL)
		return;
	edge_bans_tick(&w->edge, times(w));
	int r = ban_register_tick(w->bans, times(w));
	if (r != w->bans_told && r != 0)
		fprintf(stderr, "guia: watch: bans cannot be written: %s; what the gate has holds\n", strerror(-r));
	w->bans_told = r;
}

static void watchdog_tell(struct watch *w)
{
	if (w->watchdog_ms == 0 || w->now_ns < w->watchdog_ns)
		return;
	service_notify("WATCHDOG=1");
	w->watchdog_ns = w->now_ns + (uint64_t)w->watchdog_ms * 1000000;
}

/* False: it is time to end. */
static bool signals_take(struct watch *w)
{
	struct signalfd_siginfo info;
	while (read(w->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo != SIGHUP)
			return false;
		w->look_ns = 0;
	}
	return true;
}

static void wait_a_tick(struct watch *w, bool hurry)
{
	size_t count = 0;
	w->waits[count++] = (struct pollfd){.fd = w->signals, .events = POLLIN};
	w->waits[count++] = upstream_waits(w->upstream);
	count += control_waits(&w->control, w->waits + count);
	count += control_waits(&w->inner, w->waits + count);
	for (size_t i = 0; i < w->probe_count; i++)
		w->waits[count++] = probe_waits(&w->probes[i]);
	(void)poll(w->waits, count, hurry ? 0 : TICK_MS);
}

static void run(struct watch *w)
{
	const struct intake_sink sink = {w, events_taken, heads_taken, finding_taken};
	bool hurry = false;
	do {
		wait_a_tick(w, hurry);
		w->now_ns = clock_ns();
		if (w->now_ns >= w->look_ns)
			look(w);
		if (w->now_ns >= w->connections_ns)
			look_at_connections(w);
		ranking_tick(&w->ranking, w->now_ns);
		defender_tick(&w->defender, times(w));
		hurry = intake_drain(&w->intake, &sink) >= HURRY_EVENTS;
		witness_step(w->witness);
		for (size_t i = 0; i < w->probe_count; i++)
			probe_step(&w->probes[i], w->tls, w->now_ns);
		control_step(&w->control, w->now_ns, answer, w);
		control_step(&w->inner, w->now_ns, answer, w);
		upstream_step(w->upstream, w->now_ns / 1000000);
		defender_carry_out(&w->defender, times(w));
		bans_tick(w);
		const struct cases_sight seen = cases_sight(w);
		cases_step(w->cases, &seen);
		watchdog_tell(w);
	} while (signals_take(w));
}

int watch_run(const struct watch_options *options, const char **ret_what)
{
	struct watch *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	w->signals = w->intake.directory = -1;
	control_init(&w->control);
	control_init(&w->inner);
	int r = begin(w, options, ret_what);
	if (r == 0) {
		w->began_ns = w->now_ns = clock_ns();
		w->watchdog_ms = service_watchdog_ms();
		look(w);
		service_notify("READY=1");
		run(w);
		say_changes(w);
		service_notify("STOPPING=1");
	}
	if (r == 0)
		(void)unlink(options->control);
	end(w);
	free(w);
	return r;
}
