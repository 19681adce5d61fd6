/*
 * A stream knows the versions of parts that it has sent. give(), which libmicrohttpd reads from, writes those that
 * differ, or suspends the connection, and streams_step() resumes it when there is news. A comment now and then finds
 * out who has gone.
 */
#include "screen/stream.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

enum {
	BLOCK_BYTES = 16384,
	SIGN_OF_LIFE_MS = 5000, /* whoever has gone is noticed by it */
};

/* HTML has no carriage returns; each of its lines is one of the event. */
static void add_event(struct buffer *out, const char *name, struct slice text)
{
	struct slice line;
	buffer_printf(out, "event: %s\n", name);
	while (text.len > 0) {
		text = slice_cut(text, '\n', &line);
		buffer_text(out, "data: ");
		buffer_add(out, line);
		buffer_byte(out, '\n');
	}
	buffer_byte(out, '\n');
}

static void fill(struct stream *stream)
{
	const struct scene *scene = stream->scene;
	buffer_clear(&stream->text);
	stream->sent = 0;
	for (size_t i = 0; i < scene_part_count(scene); i++) {
		if (stream->versions[i] == scene->versions[i])
			continue;
		stream->versions[i] = scene->versions[i];
		add_event(&stream->text, scene_part_id(scene, i), buffer_slice(&scene->parts[i]));
	}
	if (stream->text.len == 0 && stream->all->now_ms - stream->told_ms >= SIGN_OF_LIFE_MS)
		buffer_text(&stream->text, ":\n\n");
	if (stream->text.error != 0)
		stream->ends = true;
}

static ssize_t give(void *context, uint64_t position, char *room, size_t most)
{
	struct stream *stream = context;
	(void)position;
	if (stream->ends)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (stream->sent == stream->text.len)
		fill(stream);
	size_t left = stream->text.len - stream->sent, count = left < most ? left : most;
	if (count == 0) {
		stream->waits = true;
		MHD_suspend_connection(stream->connection);
		return 0;
	}
	memcpy(room, stream->text.ptr + stream->sent, count);
	stream->sent += count;
	stream->told_ms = stream->all->now_ms;
	return (ssize_t)count;
}

static void release(void *context)
{
	struct stream *stream = context;
	scene_leave(stream->scene);
	buffer_free(&stream->text);
	*stream = (struct stream){0};
}

static struct stream *find_room(struct streams *streams, const struct session *session)
{
	struct stream *room = NULL;
	size_t own = 0;
	for (size_t i = 0; i < STREAMS_MAX; i++) {
		if (streams->streams[i].all == NULL)
			room = &streams->streams[i];
		else
			own += streams->streams[i].session == session;
	}
	return own < STREAMS_OF_SESSION ? room : NULL;
}

struct MHD_Response *streams_open(struct streams *streams, struct MHD_Connection *connection, struct guest *guest,
				  const struct session *session, uint64_t incident, enum language language, bool chosen)
{
	struct stream *stream = find_room(streams, session);
	struct scene *scene = stream != NULL ? scenes_join(&streams->scenes, incident, language, chosen) : NULL;
	if (scene == NULL)
		return NULL;
	*stream = (struct stream){.all = streams,
				  .connection = connection,
				  .guest = guest,
				  .scene = scene,
				  .session = session,
				  .told_ms = streams->now_ms,
				  .text = buffer_make(NULL)};
	snprintf(stream->cookie, sizeof(stream->cookie), "%s", session->cookie);
	/* Whoever comes anew to an old scene is given all of it. */
	struct MHD_Response *response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, give, stream, release);
	if (response == NULL) {
		release(stream);
		return NULL;
	}
	guest->stream = true;
	streams->guests->streams++;
	return response;
}

static bool has_news(const struct stream *stream)
{
	if (stream->ends || stream->all->now_ms - stream->told_ms >= SIGN_OF_LIFE_MS)
		return true;
	for (size_t i = 0; i < scene_part_count(stream->scene); i++)
		if (stream->versions[i] != stream->scene->versions[i])
			return true;
	return false;
}

void streams_step(struct streams *streams, const struct sight *sight)
{
	streams->now_ms = sight->now_ms;
	scenes_step(&streams->scenes, sight);
	for (size_t i = 0; i < STREAMS_MAX; i++) {
		struct stream *stream = &streams->streams[i];
		if (stream->all == NULL)
			continue;
		if (strcmp(stream->cookie, stream->session->cookie) != 0)
			stream->ends = true;
		if (!stream->waits || !has_news(stream))
			continue;
		stream->waits = false;
		MHD_resume_connection(stream->connection);
	}
}

void streams_end(struct streams *streams)
{
	for (size_t i = 0; i < STREAMS_MAX; i++) {
		struct stream *stream = &streams->streams[i];
		if (stream->all == NULL)
			continue;
		stream->ends = true;
		if (stream->waits)
			MHD_resume_connection(stream->connection);
		stream->waits = false;
	}
}
