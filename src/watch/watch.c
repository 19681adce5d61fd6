/*
 * Beginning, end and the loop; watch_answer.c answers. A turn: what is due each second and each tenth of one, then the
 * rings, then probes and questions, and at the end what was decided is carried out.
 */
#include "watch/watch.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/service.h"
#include "base/user.h"
#include "locate/locations.h"
#include "watch/watch_state.h"

#include <inttypes.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	TICK_MS = 25,                     /* from one look at the rings to the next, where there is little in them */
	HURRY_EVENTS = OUTBOX_EVENTS / 4, /* with so many in one ring there is no pause */
	LOOK_MS = 1000,                   /* from one look at the directory and the counters to the next */
	CONNECTIONS_MS = 100,             /* from one look at connections to the next, as often as workers look */
};

static uint64_t boot_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_BOOTTIME);
}

/* For the edge, which has them come first when not all can (edge/stranger.h); whom a header names came by another. */
static void visitors_meet(struct watch *w, const struct event *events, size_t count)
{
	if (edge_bans_edge(&w->edge) == NULL || !defender_is_calm(&w->defender))
		return;
	for (size_t i = 0; i < count; i++) {
		const struct address source = address_from_v6(events[i].source);
		if (events[i].kind == EVENT_ARRIVAL && (events[i].flags & EVENT_FROM_HEADER) == 0)
			edge_bans_meet(&w->edge, &source, watch_times(w));
	}
}

static void events_taken(void *context, unsigned box, const struct event *events, size_t count)
{
	struct watch *w = context;
	ranking_events(&w->ranking, &w->sites, box, events, count);
	defender_events(&w->defender, &w->sites, box, events, count);
	visitors_meet(w, events, count);
	upstream_events(w->upstream, events, count);
	witness_events(w->witness, &w->sites, box, events, count);
	cases_events(w->cases, &w->sites, box, events, count, watch_times(w).wall_ms);
}

static void heads_taken(void *context, unsigned box, const struct head *heads, size_t count)
{
	struct watch *w = context;
	ranking_heads(&w->ranking, heads, count);
	cases_heads(w->cases, box, heads, count);
}

static void finding_taken(void *context, unsigned box, const struct finding *finding)
{
	struct watch *w = context;
	uint64_t incident = cases_finding(w->cases, &w->sites, box, finding, watch_times(w).wall_ms);
	witness_finding(w->witness, &w->sites, box, finding, incident);
}

struct ban_times watch_times(const struct watch *w)
{
	return (struct ban_times){w->now_ns / CLOCK_NS_PER_MS, clock_now_ms()};
}

uint64_t watch_hits(const void *context, uint32_t id)
{
	const struct watch *w = context;
	return intake_hits(&w->intake, id) + edge_bans_hits(&w->edge, id);
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

struct upstream_sight watch_upstream_sight(const struct watch *w)
{
	return (struct upstream_sight){watch_times(w), visitors(w), w->bans, watch_hits, w};
}

static void decided(void *context, const char *line)
{
	struct watch *w = context;
	cases_note(w->cases, CASE_ENTRY_ACTION, line, watch_times(w).wall_ms);
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
				    .now = watch_times(w)};
}

static void sampled(void *context, const struct edge_sample *sample)
{
	struct watch *w = context;
	witness_packet(w->witness, sample);
	packets_sampled(&w->packets, sample);
}

static void upstream_told(void *context, const struct upstream_news *news)
{
	const struct watch *w = context;
	witness_upstream(w->witness, news);
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
	/* For signals and the keeper; two control sockets with their clients; the probes. */
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

static bool is_spared(const struct watch *w, const struct address *address)
{
	for (size_t i = 0; i < w->spared_count; i++)
		if (prefix_has(&w->spared[i], address))
			return true;
	return false;
}

/* This machine, from where sites are fetched: to an address of its own it comes from that same one; and proxies. */
static int spared_make(struct watch *w, const struct watch_options *options)
{
	static const struct address loopback[] = {{{[10] = 0xff, 0xff, 127, 0, 0, 1}}, {{[15] = 1}}};
	enum { LOOPBACKS = sizeof(loopback) / sizeof(loopback[0]) };
	w->spared = calloc(LOOPBACKS + options->proxy_count + options->target_count, sizeof(*w->spared));
	if (w->spared == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < LOOPBACKS; i++)
		w->spared[w->spared_count++] = (struct prefix){loopback[i], ADDRESS_BITS};
	for (size_t i = 0; i < options->proxy_count; i++)
		w->spared[w->spared_count++] = options->proxies[i];
	for (size_t i = 0; i < options->target_count; i++) {
		struct address own = probe_target_address(&options->targets[i]);
		if (!is_spared(w, &own))
			w->spared[w->spared_count++] = (struct prefix){own, ADDRESS_BITS};
	}
	return 0;
}

/* As the user that we have become: whoever comes after us must be able to write there. */
static int bans_begin(struct watch *w, const struct watch_options *options, const char **ret_what)
{
	const char *said;
	if (options->bans == NULL)
		return 0;
	w->now_ns = boot_ns();
	int r = ban_register_open(options->bans, watch_times(w), &w->bans, ret_what, &said);
	if (r == 0 && said[0] != '\0')
		fprintf(stderr, "guia: watch: %s\n", said);
	if (r != 0)
		return r == -EBUSY ? WATCH_BUSY : r;
	r = homes_gather(&options->homes, &w->places, &w->homes);
	if (r == 0 && w->homes.said[0] != '\0')
		fprintf(stderr, "guia: watch: home countries are not known: %s: %s; only home networks are at home\n",
			w->places.file, w->homes.said);
	r = r != 0 ? r
		   : mode_register_open(options->bans, w->homes.networks, w->homes.count, watch_times(w), &w->modes,
					ret_what, &said);
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
	r = r != 0 ? r : spared_make(w, options);
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
	r = r != 0 ? r : upstream_begin(&options->upstream, &w->upstream);
	if (r != 0)
		return r;
	*ret_what = options->evidence.folder;
	r = witness_begin(&options->evidence, boot_ns(), &w->witness);
	if (r != 0)
		return r;
	edge_bans_begin(&w->edge, options->edge, options->proxies, options->proxy_count, w->bans);
	r = defender_begin(&w->defender, options->bans, options->record, w->bans, &w->intake, ret_what);
	r = r != 0 ? r : cases_begin(options->bans, &w->cases);
	witness_cases(w->witness, w->cases);
	upstream_on_sample(w->upstream, sampled, w);
	upstream_on_news(w->upstream, upstream_told, w);
	w->defender.spared = w->spared;
	w->defender.spared_count = w->spared_count;
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
	witness_end(w->witness);
	cases_end(w->cases);
	edge_bans_end(&w->edge);
	upstream_end(w->upstream);
	ban_register_close(w->bans);
	mode_register_close(w->modes);
	for (size_t i = 0; i < w->probe_count; i++)
		probe_release(&w->probes[i]);
	free(w->probes);
	free(w->spared);
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
	defender_look(&w->defender, &w->sites, watch_times(w));
	const char *said = edge_bans_look(&w->edge, watch_times(w));
	if (said != NULL)
		fprintf(stderr, "guia: watch: %s: %s\n", w->edge.directory, said);
	upstream_edge(w->upstream, edge_bans_edge(&w->edge));
	const struct upstream_sight sight = watch_upstream_sight(w);
	upstream_second(w->upstream, &sight);
	const struct cases_sight seen = cases_sight(w);
	cases_second(w->cases, &seen);
	const struct witness_sight witnessed = {.intake = &w->intake,
						.sites = &w->sites,
						.edge = &w->edge,
						.places = &w->places,
						.wall_ms = watch_times(w).wall_ms};
	witness_second(w->witness, &witnessed);
	say_changes(w);
	w->look_ns = w->now_ns + (uint64_t)LOOK_MS * CLOCK_NS_PER_MS;
}

static void look_at_connections(struct watch *w)
{
	sites_take_connections(&w->sites, &w->intake);
	sites_take_load(&w->sites, &w->intake);
	defender_connections(&w->defender, &w->sites);
	uint64_t now_ms = w->now_ns / CLOCK_NS_PER_MS;
	const struct upstream_link link = upstream_link(w->upstream, now_ms);
	defender_packets(&w->defender,
			 packets_look(&w->packets, edge_bans_edge(&w->edge), &link, &w->sites.connections, now_ms));
	const struct strangers_told told = {w->sites.connections.shed[SHED_TURNED_AWAY],
					    w->sites.connections.kept_waiting};
	edge_bans_strangers(&w->edge, defender_is_calm(&w->defender), told, watch_times(w));
	w->connections_ns = w->now_ns + (uint64_t)CONNECTIONS_MS * CLOCK_NS_PER_MS;
}

static void bans_tick(struct watch *w)
{
	if (w->bans == NULL)
		return;
	edge_bans_tick(&w->edge, watch_times(w));
	int r = ban_register_tick(w->bans, watch_times(w));
	if (r != w->bans_told && r != 0)
		fprintf(stderr, "guia: watch: bans cannot be written: %s; what the gate has holds\n", strerror(-r));
	w->bans_told = r;
}

static void watchdog_tell(struct watch *w)
{
	if (w->watchdog_ms == 0 || w->now_ns < w->watchdog_ns)
		return;
	service_notify("WATCHDOG=1");
	w->watchdog_ns = w->now_ns + (uint64_t)w->watchdog_ms * CLOCK_NS_PER_MS;
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
		w->now_ns = boot_ns();
		if (w->now_ns >= w->look_ns)
			look(w);
		if (w->now_ns >= w->connections_ns)
			look_at_connections(w);
		ranking_tick(&w->ranking, w->now_ns);
		/* All that has come first: a watch that was kept from working knows what came, if not when. */
		hurry = intake_drain(&w->intake, &sink) >= HURRY_EVENTS;
		defender_tick(&w->defender, watch_times(w));
		witness_step(w->witness);
		for (size_t i = 0; i < w->probe_count; i++)
			probe_step(&w->probes[i], w->tls, w->now_ns);
		w->now_ns = boot_ns(); /* reading may have taken long: an order lasts from when it is given */
		control_step(&w->control, w->now_ns, watch_answer, w);
		control_step(&w->inner, w->now_ns, watch_answer, w);
		upstream_step(w->upstream, w->now_ns / CLOCK_NS_PER_MS);
		defender_carry_out(&w->defender, watch_times(w));
		bans_tick(w);
		const struct cases_sight seen = cases_sight(w);
		cases_step(w->cases, &seen);
		watchdog_tell(w);
	} while (signals_take(w));
	/* What came before the word to end. */
	(void)intake_drain(&w->intake, &sink);
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
		w->began_ns = w->now_ns = boot_ns();
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
