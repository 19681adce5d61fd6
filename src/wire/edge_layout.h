/*
 * The layout of the edge's maps, shared by the XDP program (edge/) and its user side (src/edge/): numbers only, no
 * libc, so that both compilers take it.
 *
 *   control    what the maps are, budgets, what there is of each kind; one element, mapped by both sides
 *   v4_32      exact bans of IPv4 addresses: buckets of one cache line, eight words
 *   v4_24      the same of IPv4 networks /24
 *   v4_16      a word for each IPv4 network /16
 *   v4_some    a filter of the bans of IPv4: of what it does not have no table need be asked
 *   v6_128     bans of IPv6 addresses, two a line
 *   v6_net     bans of IPv6 networks /64 and /48, five a line
 *   v6_some    the same of IPv6
 *   seen       two generations of a filter of who was here before, by IPv4 address and IPv6 /64
 *   allows     prefixes of any length that are allowed; asked only when a ban was found
 *   processor  per processor: counters of reasons, total budgets, the clock
 *   slots      per processor: budgets of destinations
 *   hits       per processor: packets that each mitigation dropped
 *   samples    heads of packets, a ring buffer
 *
 * A key of an IPv4 table is mixed by a bijection of its bits, seeded at attachment; its upper bits name the bucket and
 * only the rest is stored, so that a word of eight bytes holds an exact key, and is changed by one store. A ban whose
 * bucket is full lies in the spill behind the buckets, in the two buckets that the lower bits of its own name; they are
 * asked only when a bucket is full, so user space leaves no place free in a bucket that has spilled.
 *
 * IPv6's entries have a key beside their word, whole in v6_128, and in v6_net what neither bucket nor spill tells of a
 * mixed one: the word is cleared first and written last. Who reads while one entry takes another's place may see parts
 * of both, or neither: in this moment who has the one key of 2^64 or more that they make is dropped, or one who is
 * banned passes.
 *
 * IPv6's spills are named by the upper bits of a hash as the buckets are, and the first of their buckets lie side by
 * side, then all the second, and so on. Of v6_net four places of five are taken and a tenth spills, so that the first
 * bucket of a spill is asked at once with a key's own: whether one must go on to it a processor would guess wrong too
 * often, and wait for one line after the other. Each of the others is asked only when one of the last two places of
 * that before it is taken: user space fills a hole with the last ban behind it that may lie there, so there is one at
 * most.
 */
#ifndef GUIA_WIRE_EDGE_LAYOUT_H
#define GUIA_WIRE_EDGE_LAYOUT_H

#include <stdint.h>

#define EDGE_MAGIC "guiaEDG" /* eight bytes with the NUL */

enum {
	EDGE_VERSION = 10,

	EDGE_MITIGATION_BITS = 11,
	EDGE_MITIGATIONS = 1 << EDGE_MITIGATION_BITS, /* counted apart; 0 has all the rest */
	EDGE_REST_BITS = 20,
	EDGE_PIECE_BITS = 8,  /* a prefix is 2^8 pieces at most */
	EDGE_TICK_SHIFT = 28, /* ends of bans are in ticks of 2^28 ns, a quarter of a second */
	EDGE_BUCKET_WORDS = 8,
	EDGE_128_ENTRIES = 2,
	EDGE_NET_ENTRIES = 5,
	EDGE_SPILL_BUCKETS = 2,
	EDGE_NET_SPILL_BUCKETS = 8,
	EDGE_NET_LOW_BITS = 32,                  /* of a mixed key, beside its word */
	EDGE_NET_HIGH_BITS = EDGE_REST_BITS - 1, /* above those, in its word, with a bit for its kind */
	EDGE_NET_NAMED_BITS = 64 - EDGE_NET_LOW_BITS - EDGE_NET_HIGH_BITS, /* not stored: bucket or spill tell them */
	EDGE_ALLOWS = 1 << 16,
	EDGE_SOME_BITS = 3,  /* of a ban, in its word of a filter */
	EDGE_SOME_MOST = 22, /* a filter has 2^22 words at most */
	EDGE_SEEN_BITS = 17, /* a generation of `seen` has 2^17 words: eight sources each are a million */
	EDGE_GENERATIONS = 2,
	EDGE_STRANGERS_ROOM_NS = 20000000, /* strangers' SYNs may come so far ahead of their time */

	EDGE_SLOTS = 1 << 14, /* a processor's, of destinations and ports by hash */
	EDGE_SAMPLE_BYTES = 128,
	EDGE_RING_BYTES = 1 << 18,
};

/* The maps by name, under which they are pinned too. */
#define EDGE_MAPS(X)                                                                                                   \
	X(control)                                                                                                     \
	X(v4_32)                                                                                                       \
	X(v4_24)                                                                                                       \
	X(v4_16) X(v4_some) X(v6_128) X(v6_net) X(v6_some) X(seen) X(processor) X(slots) X(hits) X(allows) X(samples)

/* Why a packet went the way it went: the symbol, and its text. What is done with it follows from the table it is in. */
#define EDGE_PASSING(X)                                                                                                \
	X(EDGE_OTHER, "not IP")                                                                                        \
	X(EDGE_CLEAN, "passed")                                                                                        \
	X(EDGE_ALLOWED, "allowed in spite of a ban")                                                                   \
	X(EDGE_SYN_LEFT, "SYN above the budget, left to the kernel")
#define EDGE_DROPPING(X)                                                                                               \
	X(EDGE_BANNED, "banned")                                                                                       \
	X(EDGE_MALFORMED, "malformed")                                                                                 \
	X(EDGE_UDP_OVER, "UDP above the budget")                                                                       \
	X(EDGE_FRAGMENT_OVER, "fragment above the budget")                                                             \
	X(EDGE_STRANGER_OVER, "stranger's SYN, more than the gate can begin with")
#define EDGE_ANSWERING(X) X(EDGE_SYN_ANSWERED, "SYN above the budget, answered with a cookie")

#define EDGE_SYMBOL(symbol, text) symbol,
enum edge_reason {
	EDGE_PASSING(EDGE_SYMBOL) EDGE_DROPPING(EDGE_SYMBOL) EDGE_ANSWERING(EDGE_SYMBOL) EDGE_REASONS,
	EDGE_FIRST_DROP = EDGE_BANNED,
	EDGE_FIRST_ANSWER = EDGE_SYN_ANSWERED,
};

/* The lengths of prefixes that have a table. */
enum edge_length {
	EDGE_V4_32,
	EDGE_V4_24,
	EDGE_V4_16,
	EDGE_V6_128,
	EDGE_V6_64,
	EDGE_V6_48,
	EDGE_LENGTHS,
};

/*
 * A ban's word; 0 is a free place.
 *     bits 0 to 29    when it ends, in ticks of CLOCK_BOOTTIME; EDGE_FOR_EVER: never
 *          30 to 40   whose hits it counts
 *          41         EDGE_PIECE: one of the pieces of a prefix that is up to EDGE_PIECE_BITS shorter
 *          42, 43     rank: an allowance of a higher rank, or of the same and not shorter, is stronger
 *          44 to 63   of the rest of the key; in v6_net the highest says whether it is a /48; in v6_128 zeroes
 */
#define EDGE_FOR_EVER 0x3fffffffu
#define EDGE_PIECE    ((uint64_t)1 << 41)

/* A time in ticks: never as late as what never ends. */
static inline uint32_t edge_ticks(uint64_t now_ns)
{
	uint64_t ticks = now_ns >> EDGE_TICK_SHIFT;
	return ticks < EDGE_FOR_EVER ? (uint32_t)ticks : EDGE_FOR_EVER - 1;
}

static inline uint64_t edge_word(uint32_t expires, uint32_t mitigation, uint32_t rank, uint32_t rest)
{
	return expires | (uint64_t)mitigation << 30 | (uint64_t)rank << 42 | (uint64_t)rest << 44;
}

static inline uint32_t edge_word_expires(uint64_t word)
{
	return (uint32_t)word & EDGE_FOR_EVER;
}

static inline uint32_t edge_word_mitigation(uint64_t word)
{
	return (uint32_t)(word >> 30) & (EDGE_MITIGATIONS - 1);
}

static inline uint32_t edge_word_rank(uint64_t word)
{
	return (uint32_t)(word >> 42) & 3;
}

static inline uint32_t edge_word_rest(uint64_t word)
{
	return (uint32_t)(word >> 44);
}

struct edge_bucket {
	uint64_t words[EDGE_BUCKET_WORDS];
};

struct edge_128 {
	uint64_t high, low, word;
};

struct edge_128_bucket {
	struct edge_128 entries[EDGE_128_ENTRIES];
	uint64_t zero[2];
};

struct edge_net_bucket {
	uint64_t words[EDGE_NET_ENTRIES];
	uint32_t lows[EDGE_NET_ENTRIES]; /* EDGE_NET_LOW_BITS of the mixed key of the word of the same number */
	uint32_t zero;
};

_Static_assert(sizeof(struct edge_128_bucket) == sizeof(struct edge_bucket) &&
		       sizeof(struct edge_net_bucket) == sizeof(struct edge_bucket),
	       "a bucket is a line");

/*
 * Of a table: 1 << bucket_bits buckets, and 1 << spill_bits spills behind, of EDGE_SPILL_BUCKETS each. Of v6_net they
 * are of EDGE_NET_SPILL_BUCKETS, and both bits are EDGE_NET_NAMED_BITS at least.
 */
struct edge_shape {
	uint32_t bucket_bits;
	uint32_t spill_bits;
};

struct edge_geometry {
	struct edge_shape v4_32, v4_24, v6_128, v6_net;
	uint32_t v4_some_bits, v6_some_bits; /* 1 << so many words */
	uint64_t seeds[2];                   /* odd */
};

/* What may pass, by GCRA: a packet costs `cost_ns` of the time until now, `room_ns` of it may be spent ahead. */
struct edge_budget {
	uint64_t cost_ns; /* 0: no bound */
	uint64_t room_ns;
};

/* Each is a processor's. */
enum edge_budget_kind {
	EDGE_BUDGET_SYN,       /* all SYNs */
	EDGE_BUDGET_SYN_PORT,  /* those to one address and port */
	EDGE_BUDGET_UDP,       /* all UDP */
	EDGE_BUDGET_UDP_PORT,  /* that to one address and port */
	EDGE_BUDGET_FRAGMENTS, /* of datagrams of any protocol */
	EDGE_BUDGETS,
};

struct edge_control {
	char magic[8];
	uint32_t version;
	uint32_t bytes; /* of this struct */
	struct edge_geometry geometry;
	uint32_t processors;
	uint32_t answers; /* whether SYNs above the budget are answered with the kernel's cookies */
	uint32_t tracks;  /* whether the host tracks connections */
	uint32_t retired; /* set when the edge is detached: whoever has it mapped lets go */
	uint32_t allows;  /* entries */
	uint64_t holder;  /* who changes the maps: a number of its own, and when it last said so */
	uint64_t held_ms; /* CLOCK_BOOTTIME */
	uint32_t bans[EDGE_LENGTHS];
	uint64_t sample_ns; /* between two samples of one kind on one processor; 0: none */
	struct edge_budget budgets[EDGE_BUDGETS];
	/*
	 * What of strangers' SYNs may pass while the gate cannot begin with all that connect; until then, in ticks, or
	 * until its holder says another time.
	 */
	struct edge_budget strangers;
	uint64_t strangers_until;
	uint32_t mitigations[EDGE_MITIGATIONS]; /* the id whose hits a counter has; 0: a free one */
};

/* The key of `allows`, an LPM trie's: IPv4 as IPv4-mapped. */
struct edge_allow_key {
	uint32_t bits;
	uint8_t address[16];
};

struct edge_allow {
	uint32_t expires; /* as in a word */
	uint8_t rank;
	uint8_t bits;
	uint8_t zero[2];
};

/* A destination's, on a processor. */
struct edge_slot {
	uint64_t spent_ns;  /* GCRA's theoretical arrival time */
	uint64_t passed_ns; /* when a SYN was last left to the kernel */
};

struct edge_processor {
	uint64_t counters[EDGE_REASONS];
	uint64_t bytes[EDGE_REASONS];
	uint64_t spent_ns[EDGE_BUDGETS]; /* GCRA's theoretical arrival times; of those kinds that have no slots */
	uint64_t strangers_ns;           /* the same of strangers */
	uint64_t sampled_ns[2];          /* when the last was taken: passed, dropped */
	uint64_t tick;                   /* of the kernel, in which `now_ns` was taken */
	uint64_t now_ns;                 /* CLOCK_BOOTTIME */
	uint64_t banned_lately;          /* of the last packets, in 65536ths */
	uint64_t answered_ns;            /* when a SYN was, last; 0: never */
};

/* A sampled packet. Its source may be forged: nothing may be banned for what is in here. */
struct edge_sample {
	uint64_t time_ns; /* CLOCK_BOOTTIME, to a clock tick */
	uint32_t interface;
	uint32_t packet_bytes;
	uint16_t head_bytes;
	uint8_t reason;
	uint8_t zero[5];
	uint8_t head[EDGE_SAMPLE_BYTES]; /* from the Ethernet header on */
};

/* A bijection of keys of `bits` bits, 32 at most. */
static inline uint32_t edge_mix(uint32_t key, uint32_t bits, const uint64_t seeds[2])
{
	uint32_t mask = bits == 32 ? ~0u : (1u << bits) - 1, half = bits / 2;
	key = key * (uint32_t)seeds[0] & mask;
	key ^= key >> half;
	key = key * (uint32_t)seeds[1] & mask;
	return key ^ key >> half;
}

static inline uint64_t edge_hash(uint64_t high, uint64_t low, const uint64_t seeds[2])
{
	uint64_t x = (high ^ seeds[0]) * 0x9e3779b97f4a7c15u;
	x = ((x ^ x >> 32) + low) * seeds[1];
	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
	return x ^ x >> 32;
}

#define EDGE_NET_FACTOR 0xbf58476d1ce4e5b9u

/*
 * Of a network's one word, in which a /48 (`kind` 1) has its lowest bits free: with less arithmetic, for each packet of
 * who is banned waits for it. Of one kind it is a bijection, so that v6_net stores it for a key. Keys that share a
 * bucket are those whose products with an unknown odd factor do.
 */
static inline uint64_t edge_net_hash(uint64_t key, uint32_t kind, const uint64_t seeds[2])
{
	uint64_t x = ((key ^ seeds[0]) + kind) * seeds[1];
	return (x ^ x >> 32) * EDGE_NET_FACTOR;
}

/*
 * v4_some and v6_some are Bloom filters in words (Putze, Sanders and Singler, 2007): a ban has EDGE_SOME_BITS bits of
 * one word, by the hash of its prefix. They are set before the ban is, and cleared some time after it has gone; so what
 * lacks one of them is not banned, and who has them by chance is looked up in vain, no more. With eight bans a word
 * that is one of 30. IPv6's prefixes have the hash of their table, IPv4's this one; `network` has zeroes behind it.
 */
static inline uint64_t edge_some_v4(uint32_t network, enum edge_length length, const uint64_t seeds[2])
{
	return edge_net_hash((uint64_t)network << 8, length, seeds);
}

static inline uint32_t edge_some_word(uint64_t hash, uint32_t some_bits)
{
	return (uint32_t)(hash >> (64 - some_bits));
}

/* By bits below those that name a word, of which there are EDGE_SOME_MOST; the lowest of a product are mixed least. */
static inline uint64_t edge_some_mask(uint64_t hash)
{
	uint64_t mask = 0;
	for (uint32_t i = 0; i < EDGE_SOME_BITS; i++)
		mask |= (uint64_t)1 << (hash >> (64 - EDGE_SOME_MOST - 6 * (i + 1)) & 63);
	return mask;
}

/* Of who was here before: the upper half of an IPv6 address, or an IPv4 one, which no such half is. */
static inline uint64_t edge_seen_hash(uint64_t high, uint32_t v4, const uint64_t seeds[2])
{
	return edge_hash(high, high != 0 ? 1 : v4, seeds);
}

/* Where a mixed key of `bits` bits may lie, and what is stored of it there. */
struct edge_v4_place {
	uint32_t bucket, rest;
	uint32_t spill, spill_rest;
};

static inline struct edge_v4_place edge_v4_place(uint32_t mixed, uint32_t bits, uint32_t bucket_bits,
						 uint32_t spill_bits)
{
	uint32_t low_bits = bits - bucket_bits, bucket = mixed >> low_bits;
	uint32_t low = mixed & ((1u << low_bits) - 1);
	return (struct edge_v4_place){
		.bucket = bucket,
		.rest = low,
		.spill = (1u << bucket_bits) + EDGE_SPILL_BUCKETS * (bucket & ((1u << spill_bits) - 1)),
		.spill_rest = bucket >> spill_bits << low_bits | low,
	};
}

static inline uint32_t edge_v6_bucket(uint64_t hash, uint32_t bucket_bits)
{
	return (uint32_t)(hash >> (64 - bucket_bits));
}

/* The first bucket of a spill; each other is 1 << spill_bits behind that before it. */
static inline uint32_t edge_v6_spill(uint64_t hash, uint32_t bucket_bits, uint32_t spill_bits)
{
	return (1u << bucket_bits) + edge_v6_bucket(hash, spill_bits);
}

/* What a word of v6_net has beside the ban: the same in a bucket and in the spill. */
static inline uint32_t edge_net_rest(uint64_t hash, uint32_t kind)
{
	uint32_t high = (uint32_t)(hash >> EDGE_NET_LOW_BITS) & ((1u << EDGE_NET_HIGH_BITS) - 1);
	return kind << EDGE_NET_HIGH_BITS | high;
}

#endif
