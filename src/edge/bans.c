/*
 * A prefix is banned as its pieces, neighbours of the next length that tables have; allowances lie whole in a
 * longest-prefix trie. To take an image all of it is said, each ban with a mark for its place; what is left without one
 * was an earlier watch's.
 */
#include "edge/bans.h"

#include "base/error.h"

#include <bpf/bpf.h>
#include <stdlib.h>

enum { COUNTERS_MS = 10000 }; /* from one look for mitigations that are over to the next */

/* Ends earlier rather than later; never for what ends beyond what a word can say. */
static uint32_t ticks_of(uint64_t ms)
{
	if (ms == BAN_FOR_EVER)
		return EDGE_FOR_EVER;
	uint64_t most_ms = ((uint64_t)(EDGE_FOR_EVER - 1) << EDGE_TICK_SHIFT) / 1000000;
	return ms >= most_ms ? EDGE_FOR_EVER - 1 : (uint32_t)(ms * 1000000 >> EDGE_TICK_SHIFT);
}

static struct prefix prefix_of(const struct ban_entry *entry)
{
	return (struct prefix){entry->address, entry->bits};
}

/* The pieces of a prefix: `count` neighbours of one length. */
struct pieces {
	enum edge_length length;
	uint32_t count;
};

/* 0 or EDGE_TOO_WIDE. */
static int pieces_of(const struct prefix *prefix, struct pieces *ret_pieces)
{
	enum edge_length first = prefix_is_v4(prefix) ? EDGE_V4_32 : EDGE_V6_128, length = first + 2;
	while (length > first && edge_length_bits(length) < prefix->bits)
		length--;
	unsigned wider = edge_length_bits(length) - prefix->bits;
	if (wider > EDGE_PIECE_BITS)
		return EDGE_TOO_WIDE;
	*ret_pieces = (struct pieces){length, 1u << wider};
	return 0;
}

bool edge_in_pieces(const struct prefix *prefix)
{
	struct pieces pieces;
	return pieces_of(prefix, &pieces) == 0 && pieces.count > 1;
}

static struct address piece_at(const struct prefix *prefix, const struct pieces *pieces, uint32_t i)
{
	uint64_t high = address_high(&prefix->address), low = address_low(&prefix->address);
	unsigned bits = edge_length_bits(pieces->length);
	if (bits > 64)
		low += (uint64_t)i << (128 - bits);
	else
		high += (uint64_t)i << (64 - bits);
	return address_from_words(high, low);
}

/* ---- bans ---- */

/* Marks of places, a bit each; NULL: none are kept. Whether it had one. */
static bool mark(uint64_t *marks, size_t at)
{
	uint64_t bit = (uint64_t)1 << at % 64;
	bool had = marks != NULL && (marks[at / 64] & bit) != 0;
	if (marks != NULL)
		marks[at / 64] |= bit;
	return had;
}

static bool is_stronger(uint64_t had, uint64_t word)
{
	if (edge_word_rank(had) != edge_word_rank(word))
		return edge_word_rank(had) > edge_word_rank(word);
	return ((had | word) & EDGE_PIECE) != 0 && edge_word_expires(had) > edge_word_expires(word);
}

/* With marks, what has none is of an earlier watch, and says nothing. */
static int ban_one(struct edge *edge, struct ban_place *ban, uint32_t now_ticks, uint64_t *marks)
{
	uint64_t had = ban_table_find(&edge->table, ban->length, &ban->address);
	size_t at;
	bool stronger = had != 0 && edge_word_expires(had) > now_ticks && is_stronger(had, ban->word);
	if (stronger && marks == NULL)
		return EDGE_STRONGER;
	if (ban_table_set(&edge->table, ban, now_ticks, &at) != 0)
		return EDGE_FULL;
	if (!mark(marks, at) || !stronger)
		return 0;
	ban->word = had;
	return ban_table_set(&edge->table, ban, now_ticks, NULL) == 0 ? EDGE_STRONGER : EDGE_FULL;
}

/* Those of mitigations that no ban is of any more. */
static void counters_free(struct edge *edge, uint64_t now_ms)
{
	bool used[EDGE_MITIGATIONS] = {false};
	uint32_t now_ticks = edge_ticks(now_ms * 1000000);
	struct ban_place ban;
	for (size_t at = 0; ban_table_next(&edge->table, &at, &ban); at++)
		if (edge_word_expires(ban.word) > now_ticks)
			used[edge_word_mitigation(ban.word)] = true;
	for (uint32_t i = 1; i < EDGE_MITIGATIONS; i++)
		if (!used[i])
			edge->table.control->mitigations[i] = 0;
	edge->counters_ms = now_ms;
}

/* All of the table is looked through to free some, so it is not done for each ban while all are in use. */
static uint32_t counter_of(struct edge *edge, uint32_t id, uint64_t now_ms)
{
	uint32_t counter = edge_mitigation(edge, id);
	if (counter != 0 || id == 0 || now_ms - edge->counters_ms < COUNTERS_MS)
		return counter;
	counters_free(edge, now_ms);
	return edge_mitigation(edge, id);
}

static int refuse(struct edge *edge, const struct ban_entry *entry, uint64_t now_ms, uint64_t *marks)
{
	uint32_t now_ticks = edge_ticks(now_ms * 1000000);
	const struct prefix prefix = prefix_of(entry);
	struct pieces pieces;
	int outcome = pieces_of(&prefix, &pieces);
	if (outcome != 0)
		return outcome;
	uint64_t word = edge_word(ticks_of(entry->expires_ms), counter_of(edge, entry->id, now_ms), entry->rank, 0);
	word |= pieces.count > 1 ? EDGE_PIECE : 0;
	for (uint32_t i = 0; i < pieces.count; i++) {
		struct ban_place ban = {pieces.length, piece_at(&prefix, &pieces, i), word};
		int one = ban_one(edge, &ban, now_ticks, marks);
		outcome = one != 0 ? one : outcome;
	}
	return outcome;
}

/* What another rank said stays. */
static int lift_ban(struct edge *edge, const struct ban_entry *entry)
{
	const struct prefix prefix = prefix_of(entry);
	struct pieces pieces;
	int outcome = EDGE_ABSENT;
	if (pieces_of(&prefix, &pieces) != 0)
		return EDGE_ABSENT;
	for (uint32_t i = 0; i < pieces.count; i++) {
		struct address address = piece_at(&prefix, &pieces, i);
		uint64_t had = ban_table_find(&edge->table, pieces.length, &address);
		if (had != 0 && edge_word_rank(had) == entry->rank &&
		    ban_table_lift(&edge->table, pieces.length, &address) == 0)
			outcome = 0;
	}
	return outcome;
}

/* ---- allowances ---- */

static struct edge_allow_key allow_key(const struct ban_entry *entry)
{
	struct edge_allow_key key = {.bits = entry->bits};
	memcpy(key.address, entry->address.bytes, sizeof(key.address));
	return key;
}

static void count_allows(struct edge *edge, int change)
{
	uint32_t *count = &edge->table.control->allows;
	__atomic_store_n(count, (uint32_t)((int64_t)*count + change), __ATOMIC_RELEASE);
}

static int allow(struct edge *edge, const struct ban_entry *entry, uint32_t now_ticks, bool anew)
{
	struct edge_allow_key key = allow_key(entry);
	struct edge_allow had, value = {ticks_of(entry->expires_ms), entry->rank, entry->bits, {0}};
	bool fresh = bpf_map_lookup_elem(edge->fds[EDGE_MAP_allows], &key, &had) != 0 || had.bits != entry->bits;
	if (!fresh && !anew && had.rank > entry->rank && had.expires > now_ticks)
		return EDGE_STRONGER;
	if (bpf_map_update_elem(edge->fds[EDGE_MAP_allows], &key, &value, BPF_ANY) != 0)
		return errno == ENOSPC ? EDGE_FULL : -errno;
	if (fresh)
		count_allows(edge, 1);
	return 0;
}

static int allow_forget(struct edge *edge, const struct edge_allow_key *key)
{
	if (bpf_map_delete_elem(edge->fds[EDGE_MAP_allows], key) != 0)
		return errno == ENOENT ? EDGE_ABSENT : -errno;
	count_allows(edge, -1);
	return 0;
}

/* A look-up gives the longest prefix, which need not be the one that is meant. */
static int lift_allow(struct edge *edge, const struct ban_entry *entry)
{
	struct edge_allow_key key = allow_key(entry);
	struct edge_allow had;
	if (bpf_map_lookup_elem(edge->fds[EDGE_MAP_allows], &key, &had) != 0)
		return errno == ENOENT ? EDGE_ABSENT : -errno;
	return had.bits == entry->bits && had.rank == entry->rank ? allow_forget(edge, &key) : EDGE_ABSENT;
}

static int say(struct edge *edge, const struct ban_entry *entry, uint64_t now_ms, uint64_t *marks)
{
	uint32_t now_ticks = edge_ticks(now_ms * 1000000);
	if (entry->kind != BAN_LIFTED && ticks_of(entry->expires_ms) > now_ticks)
		return entry->kind == BAN_ALLOW ? allow(edge, entry, now_ticks, marks != NULL)
						: refuse(edge, entry, now_ms, marks);
	int ban = lift_ban(edge, entry), allowance = lift_allow(edge, entry);
	return allowance < 0 ? allowance : ban == 0 ? 0 : allowance;
}

int edge_say(struct edge *edge, const struct ban_entry *entry, uint64_t now_ms)
{
	return say(edge, entry, now_ms, NULL);
}

int edge_says(const struct edge *edge, const struct ban_entry *entry)
{
	const struct prefix prefix = prefix_of(entry);
	struct edge_allow_key key = allow_key(entry);
	struct edge_allow had;
	struct pieces pieces;
	if (entry->kind == BAN_ALLOW)
		return bpf_map_lookup_elem(edge->fds[EDGE_MAP_allows], &key, &had) == 0 && had.bits == entry->bits
			       ? 0
			       : EDGE_ABSENT;
	if (pieces_of(&prefix, &pieces) != 0)
		return EDGE_TOO_WIDE;
	for (uint32_t i = 0; i < pieces.count; i++) {
		struct address address = piece_at(&prefix, &pieces, i);
		if (ban_table_find(&edge->table, pieces.length, &address) == 0)
			return EDGE_ABSENT;
	}
	return 0;
}

void edge_expire(struct edge *edge, size_t *at, size_t places, uint64_t now_ms)
{
	uint32_t now_ticks = edge_ticks(now_ms * 1000000);
	size_t end = *at + places;
	struct ban_place ban;
	for (; ban_table_next(&edge->table, at, &ban) && *at < end; (*at)++)
		if (edge_word_expires(ban.word) <= now_ticks)
			ban_table_lift(&edge->table, ban.length, &ban.address);
	*at = end;
	if (end >= ban_table_places(&edge->table))
		*at = 0;
}

/* ---- all of it ---- */

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct edge_allow_key));
}

/* Forgets the allowances that are not among those `said`, which are sorted. */
static int allows_sweep(struct edge *edge, const struct edge_allow_key *said, size_t count)
{
	struct edge_allow_key at, next;
	int fd = edge->fds[EDGE_MAP_allows], outcome = 0;
	uint32_t left = 0;
	bool more = bpf_map_get_next_key(fd, NULL, &next) == 0;
	while (more && outcome == 0) {
		at = next;
		more = bpf_map_get_next_key(fd, &at, &next) == 0;
		if (count > 0 && bsearch(&at, said, count, sizeof(at), compare_keys) != NULL)
			left++;
		else
			outcome = allow_forget(edge, &at);
	}
	if (outcome == 0)
		__atomic_store_n(&edge->table.control->allows, left, __ATOMIC_RELEASE);
	return outcome == EDGE_ABSENT ? 0 : outcome;
}

/* A lift may move another ban to a place that has no mark, so all that goes is noted before the first does. */
static int bans_sweep(struct edge *edge, const uint64_t *marks)
{
	struct ban_place ban, *gone;
	size_t count = 0, noted = 0;
	for (size_t at = 0; ban_table_next(&edge->table, &at, &ban); at++)
		count += (marks[at / 64] >> at % 64 & 1) == 0;
	gone = calloc(count + 1, sizeof(*gone));
	if (gone == NULL)
		return -ENOMEM;
	for (size_t at = 0; noted < count && ban_table_next(&edge->table, &at, &ban); at++)
		if ((marks[at / 64] >> at % 64 & 1) == 0)
			gone[noted++] = ban;
	for (size_t i = 0; i < noted; i++)
		ban_table_lift(&edge->table, gone[i].length, &gone[i].address);
	free(gone);
	return 0;
}

/* What an image says, rank by rank so that the highest stands; how many entries the gate alone has. */
static int say_all(struct edge *edge, const struct ban_image *base, uint64_t now_ms, uint64_t *marks,
		   struct edge_allow_key *keys, size_t *ret_keys, size_t *ret_refused)
{
	size_t count = 0, refused = 0;
	for (unsigned rank = 0; rank < BAN_RANKS; rank++) {
		struct ban_entry entry;
		for (uint64_t cursor = 0; ban_image_next(base, &cursor, &entry);) {
			if (entry.rank != rank || entry.kind == BAN_LIFTED || entry.expires_ms <= now_ms)
				continue;
			int outcome = say(edge, &entry, now_ms, marks);
			if (outcome < 0)
				return outcome;
			refused += outcome == EDGE_TOO_WIDE || outcome == EDGE_FULL;
			if (entry.kind == BAN_ALLOW)
				keys[count++] = allow_key(&entry);
		}
	}
	*ret_keys = count;
	*ret_refused = refused;
	return 0;
}

int edge_take(struct edge *edge, const struct ban_image *base, uint64_t now_ms, size_t *ret_refused)
{
	uint64_t *marks = calloc(ban_table_places(&edge->table) / 64 + 1, sizeof(*marks));
	struct edge_allow_key *keys = calloc(base->entries + 1, sizeof(*keys));
	size_t count = 0, refused = 0;
	int outcome =
		marks == NULL || keys == NULL ? -ENOMEM : say_all(edge, base, now_ms, marks, keys, &count, &refused);
	if (outcome == 0) {
		qsort(keys, count, sizeof(*keys), compare_keys);
		outcome = allows_sweep(edge, keys, count);
	}
	outcome = outcome == 0 ? bans_sweep(edge, marks) : outcome;
	free(marks);
	free(keys);
	if (outcome != 0)
		return outcome;
	counters_free(edge, now_ms);
	*ret_refused = refused;
	return 0;
}
