/*
 * A section for each family and length, a hash table with linear probing; it says how far the farthest entry lies from
 * its home, so that a look-up ends whatever the bytes are. Beside the checksum only sections are checked at first: what
 * an entry says is checked when it is read.
 */
#include "limit/ban_image.h"

#include "base/error.h"
#include "base/hash.h"

enum {
	BAN_IMAGE_FORM = 2,
	IMAGE_ALIGNMENT = 64,
	/* IPv4's lengths and IPv6's, each from the longest: they are apart, for ::/0 has no IPv4 address in it. */
	V4_SECTIONS = 33,
	SECTIONS = V4_SECTIONS + ADDRESS_BITS + 1,
	ENTRIES_MOST = 1 << 28,
};

struct ban_section {
	uint32_t slots; /* 0: none of this length; else there are more than entries */
	uint32_t reach; /* no entry is farther from where its hash puts it */
	uint64_t first; /* number of its first slot */
};

struct ban_header {
	struct image_head head;
	struct hash_key key;
	uint64_t entries;
	uint64_t slots;
	struct ban_section sections[SECTIONS];
};

_Static_assert(sizeof(struct ban_header) % IMAGE_ALIGNMENT == 0, "entries do not cross cache lines");
_Static_assert(SECTIONS <= BAN_SECTION_WORDS * 64, "a bit each");

static const struct image_head EXPECTED = {
	.magic = {'G', 'u', 'i', 'a', 'B', 'a', 'n', 's'},
	.form = BAN_IMAGE_FORM,
	.record_bytes = sizeof(struct ban_entry),
};

static unsigned section_of(bool v4, unsigned bits)
{
	return v4 ? ADDRESS_BITS - bits : V4_SECTIONS + ADDRESS_BITS - bits;
}

static unsigned bits_of(unsigned section)
{
	return ADDRESS_BITS - (section < V4_SECTIONS ? section : section - V4_SECTIONS);
}

static const struct ban_entry *slots_of(const struct ban_header *header)
{
	return (const struct ban_entry *)(header + 1);
}

static uint32_t home_of(const struct ban_header *header, const struct ban_section *section,
			const struct address *prefix)
{
	uint64_t hash = hash_words(&header->key, address_high(prefix), address_low(prefix));
	return (uint32_t)((unsigned __int128)hash * section->slots >> 64);
}

/* ---- building ---- */

static bool entry_possible(const struct ban_entry *entry)
{
	if (entry->bits > ADDRESS_BITS || entry->kind == BAN_NONE || entry->kind >= BAN_KINDS ||
	    entry->rank >= BAN_RANKS || entry->zero != 0)
		return false;
	struct prefix prefix = address_prefix(&entry->address, entry->bits);
	return address_equal(&prefix.address, &entry->address);
}

static unsigned entry_section(const struct ban_entry *entry)
{
	const struct prefix prefix = {entry->address, entry->bits};
	return section_of(prefix_is_v4(&prefix), entry->bits);
}

/* A third of the slots stays free. */
static int lay_out(const struct ban_entry *entries, size_t count, struct ban_header *header)
{
	if (count > ENTRIES_MOST)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		if (!entry_possible(&entries[i]))
			return -EINVAL;
		header->sections[entry_section(&entries[i])].slots++;
	}
	for (unsigned i = 0; i < SECTIONS; i++) {
		struct ban_section *section = &header->sections[i];
		section->first = header->slots;
		if (section->slots != 0)
			section->slots += section->slots / 2 + 1;
		header->slots += section->slots;
	}
	header->entries = count;
	header->head.length = sizeof(*header) + header->slots * sizeof(struct ban_entry);
	return 0;
}

static void put(struct ban_header *header, struct ban_entry *slots, const struct ban_entry *entry)
{
	struct ban_section *section = &header->sections[entry_section(entry)];
	uint32_t at = home_of(header, section, &entry->address), distance = 0;
	for (; slots[section->first + at].kind != BAN_NONE; distance++)
		at = at + 1 == section->slots ? 0 : at + 1;
	slots[section->first + at] = *entry;
	section->reach = distance > section->reach ? distance : section->reach;
}

int ban_image_build(const struct ban_entry *entries, size_t count, const struct image_version *version,
		    struct buffer *out)
{
	struct ban_header plan = {.head = EXPECTED, .key = hash_key_random()};
	plan.head.version = *version;
	int r = lay_out(entries, count, &plan);
	if (r == 0)
		r = buffer_reserve(out, plan.head.length);
	if (r != 0)
		return r;
	uint8_t *image = out->ptr;
	struct ban_entry *slots = (struct ban_entry *)(image + sizeof(plan));
	memset(slots, 0, plan.head.length - sizeof(plan));
	for (size_t i = 0; i < count; i++)
		put(&plan, slots, &entries[i]);
	memcpy(image, &plan, sizeof(plan));
	image_seal(image, plan.head.length);
	out->len = plan.head.length;
	return 0;
}

/* ---- checking ---- */

static bool sections_hold(const struct ban_header *header)
{
	uint64_t slots = 0;
	for (unsigned i = 0; i < SECTIONS; i++) {
		const struct ban_section *section = &header->sections[i];
		if (section->first != slots || (section->slots != 0 && section->reach >= section->slots))
			return false;
		slots += section->slots;
	}
	return slots == header->slots && header->slots <= UINT64_MAX / 2 / sizeof(struct ban_entry) &&
	       header->head.length == sizeof(*header) + header->slots * sizeof(struct ban_entry);
}

enum image_fault ban_image_check(struct slice bytes, const uint8_t boot[IMAGE_BOOT_BYTES], struct ban_image *ret_image)
{
	const struct ban_header *header = (const struct ban_header *)bytes.ptr;
	enum image_fault fault = image_check(bytes, &EXPECTED, boot);
	if (fault != IMAGE_GOOD)
		return fault;
	if (bytes.len < sizeof(*header) || !sections_hold(header))
		return IMAGE_MALFORMED;
	struct ban_image image = {header, header->head.version, header->entries, {0}};
	for (unsigned i = 0; i < SECTIONS; i++)
		if (header->sections[i].slots != 0)
			image.sections[i / 64] |= (uint64_t)1 << i % 64;
	*ret_image = image;
	return IMAGE_GOOD;
}

/* ---- lookup ---- */

static bool has_section(const struct ban_image *image, unsigned number)
{
	return (image->sections[number / 64] >> number % 64 & 1) != 0;
}

/* The first section from `number` on, before `end`, in which either says something; `end`: none. */
static unsigned section_next(const struct ban_image *base, const struct ban_image *delta, unsigned number, unsigned end)
{
	while (number < end) {
		uint64_t rest = (base->sections[number / 64] | delta->sections[number / 64]) >> number % 64;
		if (rest != 0) {
			number += (unsigned)__builtin_ctzll(rest);
			return number < end ? number : end;
		}
		number += 64 - number % 64;
	}
	return end;
}

/* What a section says of a prefix, by rank; of a rank of which something was said before, that stays. */
static void ask_section(const struct ban_image *image, unsigned number, const struct address *prefix,
			const struct ban_entry *ret_found[BAN_RANKS])
{
	if (!has_section(image, number))
		return;
	const struct ban_section *section = &image->header->sections[number];
	const struct ban_entry *slots = slots_of(image->header) + section->first;
	uint32_t at = home_of(image->header, section, prefix);
	for (uint32_t i = 0; i <= section->reach && slots[at].kind != BAN_NONE; i++) {
		const struct ban_entry *entry = &slots[at];
		if (entry->rank < BAN_RANKS && ret_found[entry->rank] == NULL && address_equal(&entry->address, prefix))
			ret_found[entry->rank] = entry;
		at = at + 1 == section->slots ? 0 : at + 1;
	}
}

/* Of one length: the delta's word before the base's, the highest rank that still says something. */
static const struct ban_entry *ask_length(const struct ban_image *base, const struct ban_image *delta, unsigned number,
					  const struct address *address, uint64_t now_ms)
{
	const struct ban_entry *found[BAN_RANKS] = {NULL};
	struct prefix prefix = address_prefix(address, bits_of(number));
	ask_section(delta, number, &prefix.address, found);
	ask_section(base, number, &prefix.address, found);
	for (unsigned rank = BAN_RANKS; rank-- > 0;)
		if (found[rank] != NULL && found[rank]->expires_ms > now_ms &&
		    (found[rank]->kind == BAN_REFUSE || found[rank]->kind == BAN_ALLOW))
			return found[rank];
	return NULL;
}

bool ban_image_next(const struct ban_image *image, uint64_t *cursor, struct ban_entry *ret_entry)
{
	while (image->header != NULL && *cursor < image->header->slots) {
		const struct ban_entry *entry = &slots_of(image->header)[(*cursor)++];
		if (entry_possible(entry)) {
			*ret_entry = *entry;
			return true;
		}
	}
	return false;
}

struct ban_answer ban_lookup(const struct ban_image *base, const struct ban_image *delta, const struct address *address,
			     uint64_t now_ms)
{
	bool v4 = address_is_v4(address);
	unsigned end = v4 ? V4_SECTIONS : SECTIONS;
	struct ban_answer answer = {0};
	for (unsigned number = v4 ? 0 : V4_SECTIONS; (number = section_next(base, delta, number, end)) < end;
	     number++) {
		const struct ban_entry *entry = ask_length(base, delta, number, address, now_ms);
		if (entry == NULL || (answer.kind != BAN_NONE && entry->rank <= answer.rank))
			continue;
		answer = (struct ban_answer){entry->kind, entry->rank, entry->id, (uint8_t)bits_of(number),
					     entry->expires_ms};
		if (answer.rank == BAN_BY_PERSON)
			break;
	}
	return answer;
}
