/* The table of shuffles, which the compiler works out from the bits of each row's number. */
#include "codec/byte_squeeze.h"

#if defined(__x86_64__)

/* The place of a byte that stays goes behind those of the ones before it. */
#define PLACE(kept, i)                                                                                                 \
	((uint64_t)((kept) >> (i)&1) * (uint64_t)(i) << 8 * __builtin_popcount((kept) & ((1u << (i)) - 1)))
#define PLACES(kept)                                                                                                   \
	(PLACE(kept, 1) | PLACE(kept, 2) | PLACE(kept, 3) | PLACE(kept, 4) | PLACE(kept, 5) | PLACE(kept, 6) |         \
	 PLACE(kept, 7))
#define PLACES_4(kept)  PLACES(kept), PLACES((kept) + 1u), PLACES((kept) + 2u), PLACES((kept) + 3u)
#define PLACES_16(kept) PLACES_4(kept), PLACES_4((kept) + 4u), PLACES_4((kept) + 8u), PLACES_4((kept) + 12u)
#define PLACES_64(kept) PLACES_16(kept), PLACES_16((kept) + 16u), PLACES_16((kept) + 32u), PLACES_16((kept) + 48u)

const uint64_t byte_squeeze_places[256] = {PLACES_64(0u), PLACES_64(64u), PLACES_64(128u), PLACES_64(192u)};

#endif
