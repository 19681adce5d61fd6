/*
 * What an event costs the watch: read from a worker's ring, and counted in all rankings. A million sources, each
 * request from the next of them in no order, half a million paths and agents among them; every arrival has its end, as
 * in life. The writer fills its ring outside of what is timed, so that what is measured is the reader's CPU time alone.
 *
 *     intake [--json] [--quick] [--attack]
 */
#include "base/random.h"
#include "incident/defence.h"
#include "locate/locations.h"
#include "watch/intake.h"
#include "watch/ranking.h"
#include "watch/sites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SOURCES = 1000 * 1000, EVENTS = 8 * 1000 * 1000, QUICK_EVENTS = 200 * 1000, BATCH = OUTBOX_EVENTS / 2 };

struct bench {
	char folder[64];
	struct outbox outbox;
	struct intake intake;
	struct sites sites;
	struct ranking ranking;
	struct defence *defence;
	bool attack;
	uint64_t counted;
	struct buffer places_bytes;
	struct place_image places;
};

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void event_write(struct bench *b, uint64_t number)
{
	uint64_t request = number / 2, source = random_mix(request % SOURCES);
	struct event *event = ring_begin(&b->outbox.events);
	event->request = request;
	memset(event->source, 0, sizeof(event->source));
	event->source[10] = event->source[11] = 0xff;
	memcpy(event->source + 12, &source, 4);
	event->site = 1;
	event->kind = number % 2 == 0 ? EVENT_ARRIVAL : EVENT_END;
	event->flags = 0;
	event->path = random_mix(request % (SOURCES / 2)) | 1;
	event->agent = random_mix(request % (SOURCES / 2) + 7) | 1;
	event->shape = source % 100;
	event->at_ns = clock_ns(CLOCK_BOOTTIME);
	if (event->kind == EVENT_END)
		event->end = (struct event_end){
			.rule = request % 3 == 0 ? 949110 : 0, .status = b->attack ? 503 : 200, .origin_us = 20000};
	else
		event->arrival = (struct event_arrival){.query = source % 50, .accept = source % 9, .headers = 9};
	ring_commit(&b->outbox.events);
}

static void events_taken(void *context, unsigned box, const struct event *events, size_t count)
{
	struct bench *b = context;
	ranking_events(&b->ranking, &b->sites, box, events, count);
	defence_events(b->defence, b->sites.map[box], events, count);
	b->counted += count;
}

static void heads_taken(void *context, unsigned box, const struct head *heads, size_t count)
{
	struct bench *b = context;
	(void)box;
	ranking_heads(&b->ranking, heads, count);
}

/* Countries and operators are looked up, where the data is installed. */
static int places_read(struct bench *b)
{
	static const struct image_version version = {.generation = 1};
	int r = locations_image(LOCATIONS_FILE, &version, &b->places_bytes);
	if (r == LOCATIONS_NONE) {
		fprintf(stderr, "without countries: %s is absent\n", LOCATIONS_FILE);
		return 0;
	}
	if (r != 0 || place_image_check(buffer_slice(&b->places_bytes), version.boot, &b->places) != IMAGE_GOOD)
		return -1;
	b->ranking.places = &b->places;
	return 0;
}

static struct defence_time now(void)
{
	return (struct defence_time){clock_ns(CLOCK_BOOTTIME) / 1000000, clock_ns(CLOCK_REALTIME) / 1000000};
}

static int prepare(struct bench *b)
{
	static const struct outbox_sizes sizes = {OUTBOX_EVENTS, OUTBOX_HEADS, OUTBOX_FINDINGS};
	snprintf(b->folder, sizeof(b->folder), "%s/guia-intake-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(b->folder) == NULL || outbox_open(b->folder, &sizes, (struct outbox_names){0}, 1, &b->outbox) != 0)
		return -1;
	(void)outbox_site(&b->outbox, SLICE("www.example.mo"));
	if (intake_init(&b->intake, b->folder) != 0 || sites_init(&b->sites) != 0 || ranking_init(&b->ranking) != 0)
		return -1;
	intake_look(&b->intake);
	sites_take(&b->sites, &b->intake, 1);
	if (defence_new(&b->outbox.key, now(), &b->defence) != 0)
		return -1;
	for (size_t i = 0; i < b->sites.count; i++)
		if (defence_site(b->defence, (uint16_t)i, b->sites.views[i].name) != 0)
			return -1;
	return places_read(b);
}

static void clear_up(struct bench *b)
{
	static const char *const names[] = {"worker-0", "key"};
	char path[128];
	outbox_close(&b->outbox);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", b->folder, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(b->folder);
	defence_free(b->defence);
	ranking_release(&b->ranking);
	buffer_free(&b->places_bytes);
	sites_release(&b->sites);
	intake_release(&b->intake);
}

int main(int argc, char **argv)
{
	bool json = false, quick = false, attack = false;
	struct bench *b = calloc(1, sizeof(*b));
	for (int i = 1; i < argc; i++) {
		json = json || strcmp(argv[i], "--json") == 0;
		quick = quick || strcmp(argv[i], "--quick") == 0;
		attack = attack || strcmp(argv[i], "--attack") == 0;
	}
	if (b != NULL)
		b->attack = attack;
	if (b == NULL || prepare(b) != 0) {
		fprintf(stderr, "no events directory can be made\n");
		return 3;
	}
	const struct intake_sink sink = {b, events_taken, heads_taken, NULL};
	uint64_t spent_ns = 0, number = 0, all = quick ? QUICK_EVENTS : EVENTS;
	while (number < all) {
		for (size_t i = 0; i < BATCH; i++)
			event_write(b, number++);
		uint64_t from_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		ranking_tick(&b->ranking, clock_ns(CLOCK_BOOTTIME));
		defence_tick(b->defence, now());
		(void)intake_drain(&b->intake, &sink);
		spent_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - from_ns;
	}
	uint64_t lost = number - b->counted;
	double ns = (double)spent_ns / (double)b->counted;
	if (json)
		printf("{\"figure\": \"intake\", \"row\": \"a million sources%s\", \"ns\": %.1f, \"lost\": %llu}\n",
		       attack ? ", attack" : "", ns, (unsigned long long)lost);
	else
		printf("%.1f ns an event, %.2f million events a second on one core, %llu lost\n", ns, 1e3 / ns,
		       (unsigned long long)lost);
	clear_up(b);
	free(b);
	return lost != 0;
}
