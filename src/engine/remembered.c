/*
 * A cache of four ways in each of four sizes, in which an entry that was not found again goes first. Tags of hashes lie
 * apart from entries. Values of up to 16 bytes are looked for in a direct-mapped table first.
 */
#include "engine/remembered.h"

#include "base/region.h"
#include "base/word.h"
#include "engine/remembered_long.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { WAYS = 4, SIZES = 4, SEEN_AGAIN = 1 };

enum { LINE_BYTES = 64 };

/* Entries of four sizes, so that most are found in one or two lines of the cache, where they begin. */
static const struct {
	size_t entry_bytes;
	size_t rows;
} sizes[SIZES] = {{LINE_BYTES, 2048}, {3 * LINE_BYTES, 2048}, {8 * LINE_BYTES, 512}, {16 * LINE_BYTES, 512}};

struct entry {
	uint32_t number; /* 0: empty */
	uint16_t first_len;
	uint16_t second_len;
	union {
		struct remembered_answer answer;
		uint16_t note_len; /* the note is behind the key */
	};
	uint8_t bytes[];
};

_Static_assert(1024 - sizeof(struct entry) >= REMEMBERED_BYTES, "the longest fits");

/*
 * A row's tags lie together: what a hash has in common with the one looked for is known before any entry is touched.
 * The lowest bit tells that the entry was found again since it came.
 */
struct shelf {
	uint32_t (*tags)[WAYS];
	uint8_t *entries; /* where a line begins */
	size_t entry_bytes;
	size_t rows;
};

/*
 * The shortest values, which are the most frequent: a number or a flag is compared as two words, without a hash that
 * nobody can foresee. Each stands in the one place that is its own, and in the shelves too.
 */
struct tiny {
	uint32_t number;
	uint32_t len;
	uint64_t words[2];
	struct remembered_answer answer;
};

enum { TINY_BYTES = 16, TINIES = 512 };

enum { NUMBERS = 1024 /* others share with these */, VAIN_MOST = 64, VAIN_TRIED = 8 };

struct remembered {
	struct region region; /* where all of this is, but for long values */
	struct hash_key key;
	uint64_t drawn;        /* a random number, of which the next is made */
	uint8_t vain[NUMBERS]; /* how often nothing was found since something was, VAIN_MOST at most */
	struct tiny tinies[TINIES];
	struct shelf shelves[SIZES];
	struct remembered_long *long_values;
};

static size_t lines(size_t bytes)
{
	return (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
}

/*
 * Hardly two looks touch the same page, so the pages are large where the system has such: with small ones each look
 * waits for the tables of pages, too, and in a virtual machine for those of two systems.
 */
static int reserve(struct region *ret_region)
{
	size_t bytes = lines(sizeof(struct remembered));
	for (size_t i = 0; i < SIZES; i++)
		bytes += lines(sizes[i].rows * sizeof(uint32_t[WAYS])) + sizes[i].rows * WAYS * sizes[i].entry_bytes;
	return region_map_large(bytes, ret_region);
}

int remembered_create(struct remembered **ret_remembered)
{
	struct region region;
	if (reserve(&region) != 0)
		return -ENOMEM;
	struct remembered *remembered = (struct remembered *)(void *)region.ptr;
	uint8_t *at = region.ptr + lines(sizeof(*remembered));
	remembered->region = region;
	remembered->key = hash_key_random();
	for (size_t i = 0; i < SIZES; i++) {
		uint8_t *entries = at + lines(sizes[i].rows * sizeof(uint32_t[WAYS]));
		remembered->shelves[i] = (struct shelf){
			.tags = (uint32_t(*)[WAYS])(void *)at,
			.entries = entries,
			.entry_bytes = sizes[i].entry_bytes,
			.rows = sizes[i].rows,
		};
		at = entries + sizes[i].rows * WAYS * sizes[i].entry_bytes;
	}
	if (remembered_long_create(&remembered->long_values) != 0) {
		remembered_free(remembered);
		return -ENOMEM;
	}
	*ret_remembered = remembered;
	return 0;
}

void remembered_free(struct remembered *remembered)
{
	if (remembered == NULL)
		return;
	struct region region = remembered->region;
	remembered_long_free(remembered->long_values);
	region_unmap(&region);
}

uint32_t remembered_new_number(void)
{
	static atomic_uint numbers;
	return atomic_fetch_add_explicit(&numbers, 1, memory_order_relaxed) + 1;
}

static struct shelf *shelf_of(struct remembered *remembered, const struct remembered_key *key, size_t note_room)
{
	size_t bytes = key->first.len + key->second.len + note_room + sizeof(struct entry);
	struct shelf *shelf = remembered->shelves;
	while (shelf->entry_bytes < bytes)
		shelf++;
	return shelf;
}

static bool is_too_long(const struct remembered_key *key)
{
	return key->first.len > REMEMBERED_BYTES || key->second.len > REMEMBERED_BYTES - key->first.len;
}

static struct entry *entry_at(const struct shelf *shelf, size_t row, size_t way)
{
	return (struct entry *)(void *)(shelf->entries + (row * WAYS + way) * shelf->entry_bytes);
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) & ~(uint32_t)SEEN_AGAIN;
}

static bool is_same(const struct entry *entry, const struct remembered_key *key)
{
	return entry->number == key->number && entry->first_len == key->first.len &&
	       entry->second_len == key->second.len &&
	       slice_equal(slice_make(entry->bytes, entry->first_len), key->first) &&
	       slice_equal(slice_make(entry->bytes + entry->first_len, entry->second_len), key->second);
}

/* The first that was not found again since it came; if all were, the one that comes first. */
static size_t victim(const uint32_t *tags, uint64_t hash)
{
	size_t from = hash >> 24 & (WAYS - 1);
	for (size_t i = 0; i < WAYS; i++)
		if ((tags[(from + i) % WAYS] & SEEN_AGAIN) == 0)
			return (from + i) % WAYS;
	return from;
}

/* Where all were found again they are to be so anew. */
static void let_age(uint32_t *tags)
{
	bool all = true;
	for (size_t i = 0; i < WAYS; i++)
		all &= (tags[i] & SEEN_AGAIN) != 0;
	for (size_t i = 0; i < WAYS && all; i++)
		tags[i] &= ~(uint32_t)SEEN_AGAIN;
}

/* What is not known is mostly kept once it is: its place comes from memory while the value is asked. */
static void fetch_place(const struct shelf *shelf, const struct entry *entry)
{
	__builtin_prefetch(entry, 1);
	if (shelf->entry_bytes > LINE_BYTES)
		__builtin_prefetch((const uint8_t *)entry + LINE_BYTES, 1);
}

static struct entry *find(struct remembered *remembered, struct remembered_key *key, size_t note_room)
{
	struct hash_key seed = {remembered->key.k0 ^ key->number, remembered->key.k1};
	key->hash = hash_quick(&seed, key->first);
	if (key->second.len > 0) {
		seed.k0 ^= key->hash;
		key->hash = hash_quick(&seed, key->second);
	}
	struct shelf *shelf = shelf_of(remembered, key, note_room);
	size_t row = key->hash & (shelf->rows - 1);
	uint32_t tag = tag_of(key->hash);
	for (size_t i = 0; i < WAYS; i++) {
		if ((shelf->tags[row][i] & ~(uint32_t)SEEN_AGAIN) != tag || !is_same(entry_at(shelf, row, i), key))
			continue;
		shelf->tags[row][i] |= SEEN_AGAIN;
		return entry_at(shelf, row, i);
	}
	fetch_place(shelf, entry_at(shelf, row, victim(shelf->tags[row], key->hash)));
	return NULL;
}

/* The bytes as two words, which may overlap: with the length they tell all of them. */
static struct tiny tiny_of(const struct remembered_key *key)
{
	const uint8_t *ptr = key->first.ptr;
	size_t len = key->first.len;
	struct tiny tiny = {.number = key->number, .len = (uint32_t)len};
	if (len >= 8) {
		tiny.words[0] = word_load8(ptr);
		tiny.words[1] = word_load8(ptr + len - 8);
	} else if (len >= 4) {
		tiny.words[0] = word_load4(ptr);
		tiny.words[1] = word_load4(ptr + len - 4);
	} else if (len > 0) {
		tiny.words[0] = (uint64_t)ptr[0] << 16 | (uint64_t)ptr[len / 2] << 8 | ptr[len - 1];
	}
	return tiny;
}

static struct tiny *tiny_place(struct remembered *remembered, const struct tiny *tiny)
{
	uint64_t mixed = (tiny->words[0] ^ tiny->words[1] << 7 ^ tiny->number) * HASH_SPREAD;
	return &remembered->tinies[mixed >> 32 & (TINIES - 1)];
}

static bool is_tiny(const struct remembered_key *key)
{
	return key->first.len <= TINY_BYTES && key->second.len == 0;
}

/* The shelves are asked where the place holds another. */
static const struct remembered_answer *find_tiny(struct remembered *remembered, struct remembered_key *key)
{
	struct tiny tiny = tiny_of(key);
	struct tiny *place = tiny_place(remembered, &tiny);
	if (place->number == tiny.number && place->len == tiny.len && place->words[0] == tiny.words[0] &&
	    place->words[1] == tiny.words[1])
		return &place->answer;
	struct entry *entry = find(remembered, key, 0);
	if (entry == NULL)
		return NULL;
	tiny.answer = entry->answer;
	*place = tiny;
	return &place->answer;
}

/* The generator of Knuth's MMIX: one multiplication a number, of which the upper half is good. */
#define DRAW_FACTOR UINT64_C(6364136223846793005)
#define DRAW_STEP   UINT64_C(1442695040888963407)

/* At random: what comes in turns would always be passed over otherwise. */
static bool is_worth_a_try(struct remembered *remembered, uint8_t vain)
{
	if (vain < VAIN_MOST)
		return true;
	remembered->drawn = remembered->drawn * DRAW_FACTOR + DRAW_STEP;
	return (remembered->drawn >> 33) % VAIN_TRIED == 0;
}

static uint8_t *vain_of(struct remembered *remembered, const struct remembered_key *key)
{
	return &remembered->vain[key->number % NUMBERS];
}

static bool begin_try(struct remembered *remembered, struct remembered_key *key)
{
	key->untried = !is_worth_a_try(remembered, *vain_of(remembered, key));
	return !key->untried;
}

static void end_try(struct remembered *remembered, const struct remembered_key *key, bool found)
{
	uint8_t *vain = vain_of(remembered, key);
	*vain = found ? 0 : (uint8_t)(*vain + (*vain < VAIN_MOST));
}

static const struct remembered_answer *find_short(struct remembered *remembered, struct remembered_key *key)
{
	if (is_tiny(key))
		return find_tiny(remembered, key);
	struct entry *entry = find(remembered, key, 0);
	return entry == NULL ? NULL : &entry->answer;
}

const struct remembered_answer *remembered_find(struct remembered *remembered, struct remembered_key *key)
{
	if (is_too_long(key))
		return key->second.len > 0 ? NULL
					   : remembered_long_find(remembered->long_values, key->number, key->first);
	if (!begin_try(remembered, key))
		return NULL;
	const struct remembered_answer *answer = find_short(remembered, key);
	end_try(remembered, key, answer != NULL);
	return answer;
}

/* A place that is filled but for what is remembered. */
static struct entry *put(struct remembered *remembered, const struct remembered_key *key, size_t note_room)
{
	struct shelf *shelf = shelf_of(remembered, key, note_room);
	size_t row = key->hash & (shelf->rows - 1);
	size_t way = victim(shelf->tags[row], key->hash);
	struct entry *entry = entry_at(shelf, row, way);
	let_age(shelf->tags[row]);
	shelf->tags[row][way] = tag_of(key->hash);
	entry->number = key->number;
	entry->first_len = (uint16_t)key->first.len;
	entry->second_len = (uint16_t)key->second.len;
	if (key->first.len > 0)
		memcpy(entry->bytes, key->first.ptr, key->first.len);
	if (key->second.len > 0)
		memcpy(entry->bytes + key->first.len, key->second.ptr, key->second.len);
	return entry;
}

void remembered_add(struct remembered *remembered, const struct remembered_key *key, uint16_t name,
		    const uint16_t *steps, size_t step_count)
{
	struct remembered_answer answer = {.name = name, .step_count = (uint16_t)step_count};
	if (step_count > REMEMBERED_STEPS || key->untried)
		return;
	if (step_count > 0)
		memcpy(answer.steps, steps, step_count * sizeof(*steps));
	if (!is_too_long(key))
		put(remembered, key, 0)->answer = answer;
	else if (key->second.len == 0)
		remembered_long_add(remembered->long_values, key->number, key->first, &answer);
}

bool remembered_find_note(struct remembered *remembered, struct remembered_key *key, struct slice *ret_note)
{
	if (key->first.len > REMEMBERED_BYTES - REMEMBERED_NOTE || !begin_try(remembered, key))
		return false;
	struct entry *entry = find(remembered, key, REMEMBERED_NOTE);
	end_try(remembered, key, entry != NULL);
	if (entry != NULL)
		*ret_note = slice_make(entry->bytes + entry->first_len, entry->note_len);
	return entry != NULL;
}

void remembered_add_note(struct remembered *remembered, const struct remembered_key *key, struct slice note)
{
	if (key->first.len > REMEMBERED_BYTES - REMEMBERED_NOTE || note.len > REMEMBERED_NOTE || key->untried)
		return;
	struct entry *entry = put(remembered, key, REMEMBERED_NOTE);
	entry->note_len = (uint16_t)note.len;
	if (note.len > 0)
		memcpy(entry->bytes + entry->first_len, note.ptr, note.len);
}
