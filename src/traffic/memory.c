/*
 * A header, a record for each site with its quiet requests behind it, then the regulars. Lengths, checksum, key and
 * records are checked before anything is taken; what is of sites that nobody took is written again as it was.
 */
#include "traffic/memory.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>

enum { MEMORY_VERSION = 3, ROUNDS = 4 };

struct header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t site_bytes; /* of a record: of another form, it has another size */
	uint64_t length;     /* of all */
	uint64_t checksum;   /* over all that follows it */
	uint64_t key;        /* tells whether the key is the same, and nothing else of it */
	uint32_t sample_bytes;
	uint32_t zero;
	uint64_t sites;
	uint64_t regular_bytes;
};

/* Requests follow it. */
struct record {
	uint64_t site;
	uint64_t requests;
	double seen;
	uint64_t faded_hour;
	struct baseline_hour hours[BASELINE_HOURS];
};

static const uint8_t MAGIC[8] = {'G', 'u', 'i', 'a', 'L', 'e', 'a', 'r'};

static uint64_t checksum_of(struct slice bytes)
{
	static const struct hash_key plain = {0x6d656d6f72792121, 0x636865636b73756d};
	return hash_quick(&plain, slice_after(bytes, offsetof(struct header, key)));
}

static uint64_t key_name(const struct hash_key *key)
{
	return hash_bytes(key, SLICE("which key this is"));
}

/*
 * An address as another that only the key leads back from: a Feistel network of four rounds, which is a pseudorandom
 * permutation where its rounds are pseudorandom (Luby and Rackoff 1988).
 */
static struct address enciphered(const struct hash_key *key, const struct address *address, bool back)
{
	uint64_t half[2] = {address_high(address), address_low(address)};
	for (uint64_t i = 0; i < ROUNDS; i++) {
		uint64_t round = back ? ROUNDS - 1 - i : i;
		half[round % 2] ^= hash_words(key, half[1 - round % 2], round);
	}
	return address_from_words(half[0], half[1]);
}

const char *traffic_memory_fault_text(enum traffic_memory_fault fault)
{
	static const char *const texts[TRAFFIC_MEMORY_FAULTS] = {
		[TRAFFIC_MEMORY_GOOD] = "good",
		[TRAFFIC_MEMORY_SHORT] = "cut short, or longer than it says",
		[TRAFFIC_MEMORY_STRANGE] = "no baselines",
		[TRAFFIC_MEMORY_VERSION] = "made by another version",
		[TRAFFIC_MEMORY_CHECKSUM] = "damaged: the checksum does not hold",
		[TRAFFIC_MEMORY_KEY] = "made with another key: its hashes mean nothing here",
		[TRAFFIC_MEMORY_CONTENT] = "malformed, though its checksum holds",
	};
	return fault < TRAFFIC_MEMORY_FAULTS ? texts[fault] : "unknown";
}

/* ---- reading ---- */

static enum traffic_memory_fault check_header(struct slice bytes, const struct hash_key *key, struct header *header)
{
	if (bytes.len < sizeof(*header))
		return TRAFFIC_MEMORY_SHORT;
	memcpy(header, bytes.ptr, sizeof(*header));
	if (memcmp(header->magic, MAGIC, sizeof(MAGIC)) != 0)
		return TRAFFIC_MEMORY_STRANGE;
	if (header->version != MEMORY_VERSION || header->site_bytes != sizeof(struct record) ||
	    header->sample_bytes != sizeof(struct sampled))
		return TRAFFIC_MEMORY_VERSION;
	if (header->length != bytes.len)
		return TRAFFIC_MEMORY_SHORT;
	if (header->checksum != checksum_of(bytes))
		return TRAFFIC_MEMORY_CHECKSUM;
	if (header->key != key_name(key))
		return TRAFFIC_MEMORY_KEY;
	return TRAFFIC_MEMORY_GOOD;
}

/* The bytes of the record that begins there, requests included; 0: it cannot be one. */
static size_t record_bytes(struct slice bytes)
{
	struct record record;
	if (bytes.len < sizeof(record))
		return 0;
	memcpy(&record, bytes.ptr, sizeof(record));
	if (record.requests > (bytes.len - sizeof(record)) / sizeof(struct sampled) ||
	    !baseline_hours_possible(record.hours) || !(record.seen >= 0 && record.seen < 1e15))
		return 0;
	return sizeof(record) + record.requests * sizeof(struct sampled);
}

enum traffic_memory_fault traffic_memory_open(struct buffer *bytes, const struct hash_key *key,
					      struct traffic_memory *ret_memory)
{
	struct header header;
	struct slice all = buffer_slice(bytes);
	enum traffic_memory_fault fault = check_header(all, key, &header);
	if (fault != TRAFFIC_MEMORY_GOOD)
		return fault;
	size_t at = sizeof(header), at_of[TRAFFIC_MEMORY_SITES];
	if (header.sites > TRAFFIC_MEMORY_SITES)
		return TRAFFIC_MEMORY_CONTENT;
	for (size_t i = 0; i < header.sites; i++) {
		size_t one = record_bytes(slice_after(all, at));
		if (one == 0)
			return TRAFFIC_MEMORY_CONTENT;
		at_of[i] = at;
		at += one;
	}
	if (header.regular_bytes != all.len - at)
		return TRAFFIC_MEMORY_CONTENT;
	*ret_memory = (struct traffic_memory){.bytes = *bytes, .key = *key, .sites = header.sites, .regulars_at = at};
	memcpy(ret_memory->at, at_of, header.sites * sizeof(at_of[0]));
	*bytes = buffer_make(NULL);
	return TRAFFIC_MEMORY_GOOD;
}

void traffic_memory_close(struct traffic_memory *memory)
{
	buffer_free(&memory->bytes);
	*memory = (struct traffic_memory){0};
}

bool traffic_memory_regulars(const struct traffic_memory *memory, struct regulars *regulars, uint64_t wall_s)
{
	return memory->bytes.ptr != NULL &&
	       regulars_load(regulars, slice_after(buffer_slice(&memory->bytes), memory->regulars_at), wall_s);
}

/* Of more than there is room for, every so many. */
static void take_requests(const struct traffic_memory *memory, const uint8_t *from, size_t requests,
			  struct quiet_sample *quiet)
{
	size_t room = quiet->most < requests ? quiet->most : requests;
	struct sampled *items = room > 0 ? malloc(room * sizeof(*items)) : NULL;
	if (items == NULL)
		return;
	for (size_t i = 0; i < room; i++) {
		memcpy(&items[i], from + i * requests / room * sizeof(*items), sizeof(*items));
		items[i].source = enciphered(&memory->key, &items[i].source, true);
	}
	free(quiet->items);
	quiet->items = items;
	quiet->count = quiet->room = room;
}

bool traffic_memory_take(struct traffic_memory *memory, struct slice site, struct baseline *baseline,
			 struct quiet_sample *quiet)
{
	uint64_t hash = hash_bytes(&memory->key, site);
	for (size_t i = 0; i < memory->sites; i++) {
		struct record record;
		const uint8_t *from = memory->bytes.ptr + memory->at[i];
		memcpy(&record, from, sizeof(record));
		if (record.site != hash || memory->taken[i])
			continue;
		memory->taken[i] = true;
		memcpy(baseline->hours, record.hours, sizeof(baseline->hours));
		take_requests(memory, from + sizeof(record), record.requests, quiet);
		quiet->seen = fmax(record.seen, (double)quiet->count);
		quiet->faded_hour = record.faded_hour;
		return true;
	}
	return false;
}

/* ---- writing ---- */

static void add_site(const struct traffic_memory_site *site, const struct hash_key *key, struct buffer *out)
{
	struct record record = {.site = hash_bytes(key, site->name),
				.requests = site->quiet->count,
				.seen = site->quiet->seen,
				.faded_hour = site->quiet->faded_hour};
	memcpy(record.hours, site->baseline->hours, sizeof(record.hours));
	buffer_add(out, slice_make(&record, sizeof(record)));
	for (size_t i = 0; i < site->quiet->count; i++) {
		struct sampled one = site->quiet->items[i];
		one.source = enciphered(key, &one.source, false);
		buffer_add(out, slice_make(&one, sizeof(one)));
	}
}

static uint64_t add_older(const struct traffic_memory *older, uint64_t room, struct buffer *out)
{
	uint64_t count = 0;
	for (size_t i = 0; i < older->sites && count < room; i++) {
		if (older->taken[i])
			continue;
		struct slice record = slice_after(buffer_slice(&older->bytes), older->at[i]);
		buffer_add(out, slice_make(record.ptr, record_bytes(record)));
		count++;
	}
	return count;
}

int traffic_memory_write(const struct traffic_memory_site *sites, size_t count, const struct traffic_memory *older,
			 const struct regulars *regulars, const struct hash_key *key, struct buffer *out)
{
	struct slice table = regulars_bytes(regulars);
	struct header header = {.version = MEMORY_VERSION,
				.site_bytes = sizeof(struct record),
				.sample_bytes = sizeof(struct sampled),
				.key = key_name(key),
				.sites = count,
				.regular_bytes = table.len};
	memcpy(header.magic, MAGIC, sizeof(MAGIC));
	size_t bytes = sizeof(header) + count * sizeof(struct record) + table.len;
	for (size_t i = 0; i < count; i++)
		bytes += sites[i].quiet->count * sizeof(struct sampled);
	if (buffer_reserve(out, bytes) != 0)
		return -ENOMEM;
	buffer_add(out, slice_make(&header, sizeof(header)));
	for (size_t i = 0; i < count; i++)
		add_site(&sites[i], key, out);
	header.sites += add_older(older, TRAFFIC_MEMORY_SITES - count, out);
	buffer_add(out, table);
	if (out->error != 0)
		return out->error;
	header.length = out->len;
	memcpy(out->ptr, &header, sizeof(header));
	traffic_memory_seal(out);
	return 0;
}

void traffic_memory_seal(struct buffer *bytes)
{
	uint64_t checksum = checksum_of(buffer_slice(bytes));
	memcpy(bytes->ptr + offsetof(struct header, checksum), &checksum, sizeof(checksum));
}
