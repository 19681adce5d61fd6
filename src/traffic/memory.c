#include "traffic/memory.h"

#include "base/error.h"

enum { MEMORY_VERSION = 1, SITES_MOST = 100000 };

struct header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t site_bytes; /* of one record: of another form, it has another size */
	uint64_t length;     /* of all */
	uint64_t checksum;   /* over all that follows it */
	uint64_t key;        /* tells whether the key is the same, and nothing else of it */
	uint64_t sites;
	uint64_t regular_bytes;
};

struct record {
	uint64_t site;
	struct baseline_hour hours[BASELINE_HOURS];
};

static const uint8_t MAGIC[8] = {'G', 'u', 'i', 'a', 'L', 'e', 'a', 'r'};

static uint64_t checksum_of(struct slice bytes)
{
	static const struct hash_key plain = {8, 9};
	return hash_quick(&plain, slice_after(bytes, offsetof(struct header, key)));
}

static uint64_t key_name(const struct hash_key *key)
{
	return hash_bytes(key, SLICE("which key this is"));
}

int traffic_memory_write(const struct traffic_memory_site *sites, size_t count, const struct regulars *regulars,
			 const struct hash_key *key, struct buffer *out)
{
	struct slice table = regulars_bytes(regulars);
	size_t start = out->len;
	struct header header = {.version = MEMORY_VERSION,
				.site_bytes = sizeof(struct record),
				.length = sizeof(header) + count * sizeof(struct record) + table.len,
				.key = key_name(key),
				.sites = count,
				.regular_bytes = table.len};
	memcpy(header.magic, MAGIC, sizeof(MAGIC));
	if (buffer_reserve(out, header.length) != 0)
		return -ENOMEM;
	buffer_add(out, slice_make(&header, sizeof(header)));
	for (size_t i = 0; i < count; i++) {
		buffer_add(out, slice_make(&sites[i].site, sizeof(sites[i].site)));
		buffer_add(out, slice_make(sites[i].baseline->hours, sizeof(sites[i].baseline->hours)));
	}
	buffer_add(out, table);
	header.checksum = checksum_of(slice_make(out->ptr + start, header.length));
	memcpy(out->ptr + start, &header, sizeof(header));
	return 0;
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

static enum traffic_memory_fault check_header(struct slice bytes, const struct hash_key *key, struct header *header)
{
	if (bytes.len < sizeof(*header))
		return TRAFFIC_MEMORY_SHORT;
	memcpy(header, bytes.ptr, sizeof(*header));
	if (memcmp(header->magic, MAGIC, sizeof(MAGIC)) != 0)
		return TRAFFIC_MEMORY_STRANGE;
	if (header->version != MEMORY_VERSION || header->site_bytes != sizeof(struct record))
		return TRAFFIC_MEMORY_VERSION;
	if (header->length != bytes.len)
		return TRAFFIC_MEMORY_SHORT;
	if (header->checksum != checksum_of(bytes))
		return TRAFFIC_MEMORY_CHECKSUM;
	if (header->key != key_name(key))
		return TRAFFIC_MEMORY_KEY;
	size_t left = bytes.len - sizeof(*header);
	if (header->sites > SITES_MOST || header->sites * sizeof(struct record) > left ||
	    header->regular_bytes != left - header->sites * sizeof(struct record))
		return TRAFFIC_MEMORY_CONTENT;
	return TRAFFIC_MEMORY_GOOD;
}

static const uint8_t *record_at(struct slice bytes, size_t number)
{
	return bytes.ptr + sizeof(struct header) + number * sizeof(struct record);
}

static bool records_possible(struct slice bytes, size_t count)
{
	struct baseline_hour hours[BASELINE_HOURS];
	for (size_t i = 0; i < count; i++) {
		memcpy(hours, record_at(bytes, i) + offsetof(struct record, hours), sizeof(hours));
		if (!baseline_hours_possible(hours))
			return false;
	}
	return true;
}

static void fill_in(const uint8_t *record, const struct traffic_memory_site *sites, size_t count)
{
	uint64_t site;
	memcpy(&site, record, sizeof(site));
	for (size_t i = 0; i < count; i++)
		if (sites[i].site == site)
			memcpy(sites[i].baseline->hours, record + offsetof(struct record, hours),
			       sizeof(sites[i].baseline->hours));
}

enum traffic_memory_fault traffic_memory_read(struct slice bytes, const struct hash_key *key, uint64_t wall_s,
					      const struct traffic_memory_site *sites, size_t count,
					      struct regulars *regulars)
{
	struct header header;
	enum traffic_memory_fault fault = check_header(bytes, key, &header);
	if (fault == TRAFFIC_MEMORY_GOOD && !records_possible(bytes, header.sites))
		fault = TRAFFIC_MEMORY_CONTENT;
	if (fault != TRAFFIC_MEMORY_GOOD)
		return fault;
	for (size_t i = 0; i < header.sites; i++)
		fill_in(record_at(bytes, i), sites, count);
	(void)regulars_load(regulars, slice_after(bytes, bytes.len - header.regular_bytes), wall_s);
	return TRAFFIC_MEMORY_GOOD;
}
