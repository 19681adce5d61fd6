/*
 * A hash table by prefix and rank, with linear probing, in which nothing is ever taken out: a sweep moves what still
 * counts to a second one of the same size. An address is looked up length by length, the longest first, in those that
 * have records.
 */
#include "limit/ban_book.h"

#include "base/error.h"

#include <stdlib.h>

/* In a table by prefix and rank, open addressing; taken out only when the table is laid out anew. */
struct record {
	struct ban_entry entry; /* BAN_NONE: a free place; BAN_LIFTED: to be told until the next base */
	uint64_t changed;       /* generation in which workers are told */
	uint32_t strikes;       /* automatic bans of it, as long as they are remembered */
	bool used;
};

struct ban_book {
	struct hash_key key;
	uint64_t generation; /* the last that was built */
	uint64_t base;
	size_t most;
	size_t count;
	size_t places; /* a power of two */
	struct record *records;
	struct record *spare;                          /* as many, for the next layout; all free */
	size_t *taken;                                 /* the `count` places with a record: most are free always */
	uint64_t sweep_ms;                             /* before it no automatic ban has a full book laid out anew */
	uint32_t lengths[BAN_RANKS][ADDRESS_BITS + 1]; /* records of each: most lengths have none, and need no look */
};

int ban_book_create(size_t most, const struct hash_key *key, struct ban_book **ret_book)
{
	struct ban_book *book = calloc(1, sizeof(*book));
	if (book == NULL)
		return -ENOMEM;
	*book = (struct ban_book){.key = *key, .most = most, .places = 64};
	while (book->places < most * 2)
		book->places *= 2;
	book->records = calloc(book->places, sizeof(*book->records));
	book->spare = calloc(book->places, sizeof(*book->spare));
	book->taken = calloc(most + 1, sizeof(*book->taken));
	if (book->records == NULL || book->spare == NULL || book->taken == NULL) {
		ban_book_free(book);
		return -ENOMEM;
	}
	*ret_book = book;
	return 0;
}

void ban_book_free(struct ban_book *book)
{
	if (book == NULL)
		return;
	free(book->records);
	free(book->spare);
	free(book->taken);
	free(book);
}

/* Whether it may be allowed or banned without force. */
static bool prefix_is_narrow(const struct prefix *prefix)
{
	return prefix->bits >= (prefix_is_v4(prefix) ? ADDRESS_V4_BITS + 16 : 32);
}

/* ---- the table ---- */

static uint64_t hash_of(const struct ban_book *book, const struct prefix *prefix, unsigned salt)
{
	const struct hash_key key = {book->key.k0 ^ salt, book->key.k1 + prefix->bits};
	return hash_words(&key, address_high(&prefix->address), address_low(&prefix->address));
}

static bool is_of(const struct record *record, const struct prefix *prefix, unsigned rank)
{
	return record->entry.rank == rank && record->entry.bits == prefix->bits &&
	       address_equal(&record->entry.address, &prefix->address);
}

/* Where it is, or the place that it would take. */
static struct record *record_at(const struct ban_book *book, const struct prefix *prefix, unsigned rank)
{
	size_t at = hash_of(book, prefix, rank) & (book->places - 1);
	while (book->records[at].used && !is_of(&book->records[at], prefix, rank))
		at = (at + 1) & (book->places - 1);
	return &book->records[at];
}

static bool in_force(const struct record *record, uint64_t now_ms)
{
	return record->used && (record->entry.kind == BAN_REFUSE || record->entry.kind == BAN_ALLOW) &&
	       record->entry.expires_ms > now_ms;
}

static bool remembered(const struct record *record, uint64_t now_ms)
{
	return record->used && record->strikes > 0 && record->entry.kind != BAN_LIFTED &&
	       now_ms < record->entry.expires_ms + BAN_REMEMBERED_MS;
}

/* Whether anybody must still be told of it. */
static bool untold(const struct ban_book *book, const struct record *record)
{
	return record->used && record->changed > book->base;
}

/* Into a free place of the table. */
static void put(struct ban_book *book, struct record *place, const struct record *record)
{
	*place = *record;
	book->taken[book->count++] = (size_t)(place - book->records);
	book->lengths[record->entry.rank][record->entry.bits]++;
}

/* Lays the table out anew without what is over: what is remembered only, if `all`, goes too. */
static void sweep(struct ban_book *book, uint64_t now_ms, bool all)
{
	struct record *old = book->records;
	size_t count = book->count;
	book->records = book->spare;
	book->spare = old;
	memset(book->lengths, 0, sizeof(book->lengths));
	book->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct record record = old[book->taken[i]];
		old[book->taken[i]] = (struct record){0};
		if (!in_force(&record, now_ms) && !untold(book, &record) && (all || !remembered(&record, now_ms)))
			continue;
		const struct prefix prefix = {record.entry.address, record.entry.bits};
		put(book, record_at(book, &prefix, record.entry.rank), &record);
	}
}

/* A million records take a second, and a flood may ask for a thousand bans a second that all find no place. */
static void sweep_for(struct ban_book *book, unsigned rank, uint64_t now_ms)
{
	if (rank == BAN_AUTOMATIC && now_ms < book->sweep_ms)
		return;
	if (rank == BAN_AUTOMATIC)
		book->sweep_ms = now_ms + BAN_SWEEP_MS;
	sweep(book, now_ms, true);
}

/* The place for an entry; NULL: the book is full. A sixteenth of it no automatic ban takes. */
static struct record *record_for(struct ban_book *book, const struct prefix *prefix, unsigned rank, uint64_t now_ms)
{
	size_t most = rank == BAN_AUTOMATIC ? book->most - book->most / 16 : book->most;
	struct record *record = record_at(book, prefix, rank);
	if (record->used)
		return record;
	if (book->count >= most)
		sweep_for(book, rank, now_ms);
	if (book->count >= most)
		return NULL;
	record = record_at(book, prefix, rank);
	const struct ban_entry entry = {.address = prefix->address, .bits = prefix->bits, .rank = (uint8_t)rank};
	put(book, record, &(const struct record){.used = true, .entry = entry});
	return record;
}

/* ---- what is asked ---- */

struct ban_answer ban_book_lookup(const struct ban_book *book, const struct address *address, uint64_t now_ms)
{
	struct ban_answer answer = {0};
	unsigned least = address_is_v4(address) ? ADDRESS_V4_BITS : 0;
	for (unsigned bits = ADDRESS_BITS + 1; bits-- > least;) {
		struct prefix prefix = address_prefix(address, bits);
		for (unsigned rank = BAN_RANKS; rank-- > 0;) {
			if (book->lengths[rank][bits] == 0)
				continue;
			const struct record *record = record_at(book, &prefix, rank);
			if (!in_force(record, now_ms) || (answer.kind != BAN_NONE && rank <= answer.rank))
				continue;
			answer = (struct ban_answer){record->entry.kind, rank, record->entry.id, (uint8_t)bits,
						     record->entry.expires_ms};
		}
	}
	return answer;
}

bool ban_book_entry(const struct ban_book *book, const struct prefix *prefix, enum ban_rank rank, uint64_t now_ms,
		    struct ban_entry *ret_entry)
{
	const struct record *record = record_at(book, prefix, rank);
	if (!in_force(record, now_ms))
		return false;
	*ret_entry = record->entry;
	return true;
}

size_t ban_book_changed(const struct ban_book *book)
{
	size_t changed = 0;
	for (size_t i = 0; i < book->count; i++)
		changed += untold(book, &book->records[book->taken[i]]);
	return changed;
}

size_t ban_book_count(const struct ban_book *book, uint64_t now_ms)
{
	size_t count = 0;
	for (size_t i = 0; i < book->count; i++)
		count += in_force(&book->records[book->taken[i]], now_ms);
	return count;
}

/* ---- what is said ---- */

static bool is_allowed(const struct ban_book *book, const struct prefix *prefix, uint64_t now_ms)
{
	unsigned least = prefix_is_v4(prefix) ? ADDRESS_V4_BITS : 0;
	for (unsigned bits = prefix->bits + 1u; bits-- > least;) {
		struct prefix wider = address_prefix(&prefix->address, bits);
		for (unsigned rank = BAN_LISTED; rank < BAN_RANKS; rank++) {
			if (book->lengths[rank][bits] == 0)
				continue;
			const struct record *record = record_at(book, &wider, rank);
			if (in_force(record, now_ms) && record->entry.kind == BAN_ALLOW)
				return true;
		}
	}
	return false;
}

static uint64_t duration_ms(const struct ban_book *book, const struct prefix *prefix, uint32_t strikes)
{
	uint64_t ms = BAN_FIRST_MS;
	for (uint32_t i = 1; i < strikes && ms < BAN_LONGEST_MS; i++)
		ms *= 2;
	ms = ms < BAN_LONGEST_MS ? ms : BAN_LONGEST_MS;
	return ms + hash_of(book, prefix, 1000 + strikes) % (ms / 8);
}

int ban_book_punish(struct ban_book *book, const struct prefix *prefix, uint32_t id, uint64_t now_ms,
		    uint64_t *ret_expires_ms)
{
	if (!prefix_is_narrow(prefix))
		return BAN_BOOK_TOO_WIDE;
	if (is_allowed(book, prefix, now_ms))
		return BAN_BOOK_ALLOWED;
	struct record *record = record_for(book, prefix, BAN_AUTOMATIC, now_ms);
	if (record == NULL)
		return BAN_BOOK_FULL;
	if (!in_force(record, now_ms)) {
		record->strikes = remembered(record, now_ms) ? record->strikes + 1 : 1;
		record->entry.kind = BAN_REFUSE;
		record->entry.id = id;
		record->entry.expires_ms = now_ms + duration_ms(book, prefix, record->strikes);
		record->changed = book->generation + 1;
	}
	*ret_expires_ms = record->entry.expires_ms;
	return 0;
}

int ban_book_set(struct ban_book *book, const struct ban_entry *entry, bool force)
{
	const struct prefix prefix = {entry->address, entry->bits};
	if ((entry->kind != BAN_REFUSE && entry->kind != BAN_ALLOW) || entry->rank == BAN_AUTOMATIC ||
	    entry->rank >= BAN_RANKS || entry->bits > ADDRESS_BITS)
		return -EINVAL;
	if (!force && !prefix_is_narrow(&prefix))
		return BAN_BOOK_TOO_WIDE;
	struct record *record = record_for(book, &prefix, entry->rank, 0);
	if (record == NULL)
		return BAN_BOOK_FULL;
	record->entry = *entry;
	record->entry.zero = 0;
	record->changed = book->generation + 1;
	return 0;
}

int ban_book_lift(struct ban_book *book, const struct prefix *prefix, enum ban_rank rank)
{
	struct record *record = record_at(book, prefix, rank);
	if (!record->used || record->entry.kind == BAN_LIFTED)
		return BAN_BOOK_ABSENT;
	record->entry.kind = BAN_LIFTED;
	record->entry.expires_ms = BAN_FOR_EVER;
	record->strikes = 0;
	record->changed = book->generation + 1;
	return 0;
}

/* ---- images ---- */

static int build(const struct ban_book *book, const struct image_version *version, uint64_t now_ms, struct buffer *out)
{
	struct ban_entry *entries = malloc((book->count + 1) * sizeof(*entries));
	size_t count = 0;
	if (entries == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < book->count; i++) {
		const struct record *record = &book->records[book->taken[i]];
		if (version->base == 0 ? in_force(record, now_ms) : untold(book, record))
			entries[count++] = record->entry;
	}
	int r = ban_image_build(entries, count, version, out);
	free(entries);
	return r;
}

static struct image_version next_version(const struct ban_book *book, const uint8_t boot[IMAGE_BOOT_BYTES],
					 uint64_t base)
{
	struct image_version version = {.generation = book->generation + 1, .base = base};
	memcpy(version.boot, boot, IMAGE_BOOT_BYTES);
	return version;
}

int ban_book_base(struct ban_book *book, const uint8_t boot[IMAGE_BOOT_BYTES], uint64_t now_ms, struct buffer *out,
		  uint64_t *ret_generation)
{
	struct image_version version = next_version(book, boot, 0);
	int r = build(book, &version, now_ms, out);
	if (r != 0)
		return r;
	*ret_generation = book->generation = book->base = version.generation;
	sweep(book, now_ms, false);
	return 0;
}

int ban_book_delta(struct ban_book *book, const uint8_t boot[IMAGE_BOOT_BYTES], struct buffer *out,
		   uint64_t *ret_generation)
{
	struct image_version version = next_version(book, boot, book->base);
	int r = build(book, &version, 0, out);
	if (r != 0)
		return r;
	*ret_generation = book->generation = version.generation;
	return 0;
}

int ban_book_image(const struct ban_book *book, const uint8_t boot[IMAGE_BOOT_BYTES], uint64_t now_ms,
		   struct buffer *out)
{
	struct image_version version = next_version(book, boot, 0);
	return build(book, &version, now_ms, out);
}

static int take_over(struct ban_book *book, const struct ban_image *image, uint64_t now_ms)
{
	struct ban_entry entry;
	for (uint64_t cursor = 0; ban_image_next(image, &cursor, &entry);) {
		const struct prefix prefix = {entry.address, entry.bits};
		/* What is over is taken only to displace what an older image said. */
		if (entry.expires_ms <= now_ms && !record_at(book, &prefix, entry.rank)->used)
			continue;
		struct record *record = record_for(book, &prefix, entry.rank, now_ms);
		if (record == NULL)
			return BAN_BOOK_FULL;
		record->entry = entry;
		record->changed = book->generation + 1;
		record->strikes = entry.rank == BAN_AUTOMATIC && entry.kind == BAN_REFUSE;
	}
	return 0;
}

void ban_book_go_on_from(struct ban_book *book, uint64_t generation)
{
	book->generation = generation > book->generation ? generation : book->generation;
}

int ban_book_restore(struct ban_book *book, const struct ban_image *base, const struct ban_image *delta,
		     uint64_t now_ms)
{
	ban_book_go_on_from(book, base->version.generation);
	ban_book_go_on_from(book, delta->version.generation);
	int r = take_over(book, base, now_ms);
	return r == 0 ? take_over(book, delta, now_ms) : r;
}
