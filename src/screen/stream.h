/*
 * Pages kept up to date by server-sent events (HTML, 9.2): each event is named after a part of the page and holds its
 * content. A stream has one answer under way at most: whoever reads slowly gets fewer of them, and whoever does not
 * read at all is left by the server when its patience is over.
 */
#ifndef GUIA_SCREEN_STREAM_H
#define GUIA_SCREEN_STREAM_H

#include "screen/guests.h"
#include "screen/scene.h"

struct MHD_Connection;
struct MHD_Response;

enum { STREAMS_MAX = 48, STREAMS_OF_SESSION = 16 };

struct stream {
	struct streams *all; /* NULL: free */
	struct MHD_Connection *connection;
	struct guest *guest;
	struct scene *scene;
	const struct session *session;
	char cookie[SECRET_BYTES + 1]; /* the session's: it ends with that */
	uint32_t versions[PAGE_PARTS]; /* as sent */
	struct buffer text;
	size_t sent;
	uint64_t told_ms;
	bool waits; /* suspended until there is something to say */
	bool ends;
};

struct streams {
	struct stream streams[STREAMS_MAX];
	struct scenes scenes;
	struct guests *guests;
	uint64_t now_ms;
};

/* What goes on to a page's viewer. NULL: there are too many, or no memory. */
struct MHD_Response *streams_open(struct streams *streams, struct MHD_Connection *connection, struct guest *guest,
				  const struct session *session, uint64_t incident, enum language language,
				  bool chosen);

/* Renders what is due, and has those sent to whom it is new. */
void streams_step(struct streams *streams, const struct sight *sight);

/* All end, so that the server can. */
void streams_end(struct streams *streams);

#endif
