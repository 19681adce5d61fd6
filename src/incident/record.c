/*
 * What is decided, as bytes for the next watch: an image (limit/image.h) of a record for each site that has an
 * episode, or had one of late, and behind them the image of the signatures in force.
 */
#include "incident/inside.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>

enum { FORM = 5, LASTS_MS = 30 * 1000 /* what was written before that is over: the gate's rules are too */ };

struct mitigation_record {
	uint32_t id;
	uint32_t kind;
	uint64_t since_ms, low_since_ms, seen, hits;
	double peak;
};

struct site_record {
	char name[DEFENCE_NAME_BYTES];
	struct episode episode;
	double normal, allowed_share;
	uint64_t hold_ms, attack_ms, lifted_ms, bans;
	uint64_t cautious;
	struct mitigation_record mitigations[DEFENCE_MITIGATIONS];
};

/* Of a flood of packets, with what is to be gone on with. */
struct packet_record {
	uint32_t id;
	uint32_t on;
	uint64_t onset_ms, detected_ms, held_ms, over_ms, hold_ms, packets;
	double peak;
};

struct record_header {
	struct image_head head;
	struct packet_record packets[PACKET_FLOODS];
	uint64_t key; /* tells whether hashes are under the same */
	uint64_t written_ms;
	uint64_t sites;
};

static uint64_t key_name(const struct hash_key *key)
{
	return hash_bytes(key, SLICE("which key signatures are under"));
}

/* Records of sites that have not come yet. */
struct kept {
	size_t count;
	struct site_record *records;
	struct signature_image *image;
};

static const struct image_head HEAD = {
	.magic = {'G', 'u', 'i', 'a', 'E', 'p', 'i', 's'}, .form = FORM, .record_bytes = sizeof(struct site_record)};

/* ---- writing ---- */

static struct site_record record_of(const struct site *site)
{
	struct site_record record = {.episode = site->episode,
				     .normal = site->normal,
				     .allowed_share = site->allowed_share,
				     .hold_ms = site->hold_ms,
				     .attack_ms = site->attack_ms,
				     .lifted_ms = site->lifted_ms,
				     .bans = site->bans,
				     .cautious = site->cautious};
	memcpy(record.name, site->name, sizeof(record.name));
	for (size_t i = 0; i < DEFENCE_MITIGATIONS; i++) {
		const struct mitigation *m = &site->mitigations[i];
		if (m->stage == MITIGATION_IN_FORCE)
			record.mitigations[i] = (struct mitigation_record){
				m->id, m->kind, m->since_ms, m->low_since_ms, m->seen, m->hits, m->peak};
	}
	return record;
}

/* Signatures only: the rest of a rule is for the gate. */
static int add_signatures(const struct defence *d, const struct image_version *version, struct buffer *out)
{
	struct plan_rule plan[SIGNATURE_RULES_MOST];
	struct signature_rule rules[SIGNATURE_RULES_MOST];
	struct signature_content content = {.rules = rules};
	struct buffer image = buffer_make(NULL);
	content.rule_count = defence_plan(d, plan, SIGNATURE_RULES_MOST);
	for (size_t i = 0; i < content.rule_count; i++)
		rules[i] = (struct signature_rule){
			.id = plan[i].id, .expires_ms = d->now.now_ms, .signature = *plan[i].signature};
	int r = signature_image_build(&content, version, &image);
	if (r == 0)
		buffer_add(out, buffer_slice(&image));
	buffer_free(&image);
	return r;
}

static struct packet_record packet_record_of(const struct packet_flood *flood)
{
	return (struct packet_record){.id = flood->id,
				      .on = flood->on,
				      .onset_ms = flood->onset_ms,
				      .detected_ms = flood->detected_ms,
				      .held_ms = flood->held_ms,
				      .over_ms = flood->over_ms,
				      .hold_ms = flood->hold_ms,
				      .packets = flood->packets,
				      .peak = flood->peak};
}

int defence_keep(const struct defence *defence, const uint8_t boot[IMAGE_BOOT_BYTES], struct buffer *out)
{
	struct record_header header = {.head = HEAD, .key = key_name(&defence->key), .written_ms = defence->now.now_ms};
	header.head.version.generation = 1;
	memcpy(header.head.version.boot, boot, IMAGE_BOOT_BYTES);
	for (size_t i = 0; i < PACKET_FLOODS; i++)
		header.packets[i] = packet_record_of(&defence->packets[i]);
	buffer_add(out, slice_make(&header, sizeof(header)));
	for (size_t i = 0; i < defence->count; i++) {
		if (defence->sites[i]->episode.id == 0)
			continue;
		struct site_record record = record_of(defence->sites[i]);
		buffer_add(out, slice_make(&record, sizeof(record)));
		header.sites++;
	}
	int r = add_signatures(defence, &header.head.version, out);
	if (r != 0 || out->error != 0)
		return r != 0 ? r : out->error;
	header.head.length = out->len;
	memcpy(out->ptr, &header, sizeof(header));
	image_seal(out->ptr, out->len);
	return 0;
}

/* ---- reading ---- */

static bool episode_is_possible(const struct episode *episode, uint64_t now_ms)
{
	if (episode->state >= EPISODE_STATES || episode->nature >= TRAFFIC_NATURES || episode->id == 0 ||
	    episode->change_count > EPISODE_CHANGES || episode->onset_ms > now_ms || episode->detected_ms > now_ms ||
	    episode->found_ms > now_ms || episode->mitigated_ms > now_ms || episode->over_ms > now_ms)
		return false;
	for (size_t i = 0; i < episode->change_count; i++) {
		const struct episode_change *change = &episode->changes[i];
		if (change->at_ms > now_ms || change->from >= EPISODE_STATES || change->to >= EPISODE_STATES ||
		    change->cause >= EPISODE_CAUSES)
			return false;
	}
	return true;
}

static bool record_is_possible(const struct site_record *record, uint64_t now_ms)
{
	bool good = memchr(record->name, '\0', sizeof(record->name)) != NULL &&
		    episode_is_possible(&record->episode, now_ms) && record->normal >= -1 && record->normal < 1e12 &&
		    record->allowed_share >= 0 && record->allowed_share <= 1 &&
		    record->hold_ms <= MITIGATION_HOLD_MOST_MS && record->attack_ms <= now_ms &&
		    record->lifted_ms <= now_ms;
	for (size_t i = 0; i < DEFENCE_MITIGATIONS && good; i++) {
		const struct mitigation_record *m = &record->mitigations[i];
		good = m->kind < MITIGATION_KINDS && m->since_ms <= now_ms && m->low_since_ms <= now_ms &&
		       m->peak >= 0 && m->peak < 1e12;
	}
	return good;
}

static bool packet_record_is_possible(const struct packet_record *record, uint64_t now_ms)
{
	return (record->id != 0 || record->on == 0) && record->onset_ms <= now_ms && record->detected_ms <= now_ms &&
	       record->held_ms <= now_ms && record->over_ms <= now_ms && record->hold_ms <= PACKET_FLOOD_HOLD_MOST_MS &&
	       record->peak >= 0 && record->peak < 1e12;
}

/* They go on at once: they belong to no site that would have to come first. */
static bool packets_restore(struct defence *d, const struct packet_record records[PACKET_FLOODS])
{
	for (size_t i = 0; i < PACKET_FLOODS; i++)
		if (!packet_record_is_possible(&records[i], d->now.now_ms))
			return false;
	for (size_t i = 0; i < PACKET_FLOODS; i++) {
		const struct packet_record *record = &records[i];
		d->packets[i] = (struct packet_flood){.id = record->id,
						      .on = record->on != 0,
						      .held = record->on != 0 && record->held_ms != 0,
						      .onset_ms = record->onset_ms,
						      .detected_ms = record->detected_ms,
						      .held_ms = record->held_ms,
						      .over_ms = record->over_ms,
						      .hold_ms = record->hold_ms,
						      .low_since_ms = d->now.now_ms,
						      .packets = record->packets,
						      .peak = record->peak};
		d->last_id = record->id > d->last_id ? record->id : d->last_id;
		if (record->on)
			defence_tell_packets(d, &d->packets[i], "goes on", "goes on from the watch before");
	}
	return true;
}

static enum image_fault open_signatures(struct slice bytes, const uint8_t boot[IMAGE_BOOT_BYTES],
					struct signature_image **ret_image)
{
	struct buffer copy = buffer_make(NULL);
	enum image_fault fault = IMAGE_MALFORMED;
	buffer_add(&copy, bytes);
	int r = signature_image_open(&copy, boot, ret_image, &fault);
	buffer_free(&copy);
	return r == 0 ? IMAGE_GOOD : fault == IMAGE_GOOD ? IMAGE_MALFORMED : fault;
}

static enum image_fault take(struct defence *d, struct slice bytes, const uint8_t boot[IMAGE_BOOT_BYTES],
			     struct kept *kept)
{
	struct record_header header;
	memcpy(&header, bytes.ptr, sizeof(header));
	size_t left = bytes.len - sizeof(header);
	if (header.sites > DEFENCE_SITES || header.sites > left / sizeof(struct site_record))
		return IMAGE_MALFORMED;
	/* Of other hashes; too old, or of a clock that went back. */
	if (header.key != key_name(&d->key) || header.written_ms > d->now.now_ms ||
	    d->now.now_ms - header.written_ms > LASTS_MS)
		return IMAGE_GOOD;
	size_t records_bytes = header.sites * sizeof(struct site_record);
	kept->records = malloc(records_bytes + 1);
	if (kept->records == NULL)
		return IMAGE_MALFORMED;
	memcpy(kept->records, bytes.ptr + sizeof(header), records_bytes);
	for (size_t i = 0; i < header.sites; i++)
		if (!record_is_possible(&kept->records[i], d->now.now_ms))
			return IMAGE_MALFORMED;
	kept->count = header.sites;
	enum image_fault fault =
		open_signatures(slice_after(bytes, sizeof(header) + records_bytes), boot, &kept->image);
	return fault == IMAGE_GOOD && !packets_restore(d, header.packets) ? IMAGE_MALFORMED : fault;
}

enum image_fault defence_restore(struct defence *defence, struct slice bytes, const uint8_t boot[IMAGE_BOOT_BYTES])
{
	enum image_fault fault =
		bytes.len < sizeof(struct record_header) ? IMAGE_SHORT : image_check(bytes, &HEAD, boot);
	struct kept *kept = calloc(1, sizeof(*kept));
	if (kept == NULL)
		return IMAGE_MALFORMED;
	fault = fault == IMAGE_GOOD ? take(defence, bytes, boot, kept) : fault;
	kept_free(defence->kept);
	defence->kept = NULL;
	if (fault == IMAGE_GOOD)
		defence->kept = kept;
	else
		kept_free(kept);
	return fault;
}

void kept_free(struct kept *kept)
{
	if (kept == NULL)
		return;
	free(kept->records);
	signature_image_free(kept->image);
	free(kept);
}

/* ---- a site comes ---- */

static bool copy_values(const struct signature_values *from, struct signature_values *to)
{
	*to = (struct signature_values){0};
	if (from->count == 0)
		return true;
	to->values = malloc(from->count * sizeof(*to->values));
	if (to->values == NULL)
		return false;
	memcpy(to->values, from->values, from->count * sizeof(*to->values));
	to->count = from->count;
	return true;
}

static bool copy_signature(const struct signature *from, struct signature *to)
{
	bool good = true;
	*to = *from;
	for (size_t i = 0; i < SIGNATURE_FIELDS; i++) {
		good = copy_values(&from->known[i], &to->known[i]) && good;
		good = copy_values(&from->listed[i], &to->listed[i]) && good;
	}
	if (!good)
		signature_free(to);
	return good;
}

static bool find_signature(const struct kept *kept, uint32_t id, struct signature *ret_signature)
{
	for (size_t i = 0; i < kept->image->rule_count; i++)
		if (kept->image->rules[i].id == id)
			return copy_signature(&kept->image->rules[i].signature, ret_signature);
	return false;
}

static void mitigation_restore(struct defence *d, const struct mitigation_record *record, struct mitigation *to)
{
	struct signature signature = {0};
	if (record->id == 0 ||
	    (record->kind == MITIGATION_SIGNATURE && !find_signature(d->kept, record->id, &signature)))
		return;
	*to = (struct mitigation){.id = record->id,
				  .kind = record->kind,
				  .stage = MITIGATION_IN_FORCE,
				  .signature = signature,
				  .since_ms = record->since_ms,
				  .low_since_ms = record->low_since_ms,
				  .seen = record->seen,
				  .seen_before = record->seen,
				  .hits = record->hits,
				  .hits_before = record->hits,
				  .peak = record->peak};
	d->last_id = record->id > d->last_id ? record->id : d->last_id;
}

static void site_restore(struct defence *d, struct site *site, const struct site_record *record)
{
	site->episode = record->episode;
	site->normal = record->normal;
	site->allowed_share = record->allowed_share;
	site->hold_ms = record->hold_ms;
	site->attack_ms = record->attack_ms;
	site->lifted_ms = record->lifted_ms;
	site->cautious = record->cautious != 0;
	site->bans = record->bans;
	site->search_pause_ms = SEARCH_PAUSE_MS;
	for (size_t i = 0; i < DEFENCE_MITIGATIONS; i++)
		mitigation_restore(d, &record->mitigations[i], &site->mitigations[i]);
	d->last_id = record->episode.id > d->last_id ? record->episode.id : d->last_id;
	d->version++;
	if (!site_has_episode(site))
		return;
	decide_need_offenders(d);
	site->knowledge = question_knowledge(d, site);
	onset_goes_on(&site->onset, &site->baseline, site->episode.onset_ms, d->now.now_ms);
	defence_tell(d, site, NULL, "goes on", "goes on from the watch before");
}

void kept_take(struct defence *d, struct site *site)
{
	for (size_t i = 0; d->kept != NULL && i < d->kept->count; i++)
		if (strcmp(d->kept->records[i].name, site->name) == 0 && site->episode.id == 0)
			site_restore(d, site, &d->kept->records[i]);
}
