/* What whoever makes an attack's packets and the programs that send them (volley.bpf.c) share. */
#ifndef GUIA_DRILL_VOLLEY_FRAME_H
#define GUIA_DRILL_VOLLEY_FRAME_H

#include <stdint.h>

enum {
	VOLLEY_FROM = 1, /* a network's first interface, loopback: what is sent has come from there, to the program */
	VOLLEY_FRAMES = 1 << 13, /* a power of two; each is sent in its turn */
	VOLLEY_HEAD_WORDS = 10,
	VOLLEY_HEAD_BYTES = VOLLEY_HEAD_WORDS * 8,
	VOLLEY_BYTES_MOST = 1514,
	VOLLEY_WAITING_MOST =
		1024, /* of visitors' packets; so many wait in a moment only where nobody sends any more */
};

/* A frame's first bytes, with its headers; all behind them are zeros. */
struct volley_frame {
	uint64_t head[VOLLEY_HEAD_WORDS];
	uint32_t bytes; /* of all of it */
	/* Where the transport's header is, if the port that it is from is drawn anew each time, else 0; and its
	 * checksum. */
	uint32_t ports_at;
	uint32_t sum_at;
};

#endif
