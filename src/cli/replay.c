/* guia replay: recorded events through the same decisions. */
#include "cli/command.h"

#include "base/error.h"
#include "codec/text.h"
#include "incident/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct replay {
	bool json;
	size_t lines;
};

static void say(void *context, struct defence_time now, const struct defence_news *news)
{
	struct replay *replay = context;
	char when[32];
	struct tm parts;
	struct buffer text = buffer_make(NULL), line = buffer_make(NULL);
	time_t seconds = (time_t)(now.wall_ms / 1000);
	replay->lines++;
	if (gmtime_r(&seconds, &parts) == NULL || strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &parts) == 0)
		when[0] = '\0';
	text_add_json(&line, slice_from_string(news->line));
	if (replay->json)
		text_add_terminal_json(&text, buffer_slice(&line));
	else
		text_add_terminal(&text, slice_from_string(news->line));
	printf(replay->json ? "{\"time\":\"%s.%03uZ\",\"text\":%.*s}\n" : "%s.%03uZ  %.*s\n", when,
	       (unsigned)(now.wall_ms % 1000), SLICE_ARG(buffer_slice(&text)));
	buffer_free(&text);
	buffer_free(&line);
}

enum read { READ_END, READ_CHUNK, READ_CUT /* the end, in the midst of a chunk */ };

/* One of these, RECORDING_BAD as a negative, or -errno. */
static int chunk_read(FILE *file, struct recording_chunk *chunk, struct buffer *bytes)
{
	buffer_clear(bytes);
	size_t got = fread(chunk, 1, sizeof(*chunk), file);
	if (got != sizeof(*chunk))
		return ferror(file) ? -EIO : got == 0 ? READ_END : READ_CUT;
	if (chunk->bytes > RECORDING_CHUNK_MOST)
		return -EBADMSG;
	if (buffer_reserve(bytes, chunk->bytes + 1u) != 0)
		return -ENOMEM;
	if (fread(bytes->ptr, 1, chunk->bytes, file) != chunk->bytes)
		return ferror(file) ? -EIO : READ_CUT;
	bytes->len = chunk->bytes;
	return READ_CHUNK;
}

/* READ_END, READ_CUT, or -errno. */
static int play_all(FILE *file, struct recording_player *player)
{
	struct recording_head head;
	struct recording_chunk chunk;
	struct buffer bytes = buffer_make(NULL);
	bool whole = fread(&head, sizeof(head), 1, file) == 1;
	int r = whole && recording_is_ours(&head) ? READ_CHUNK : ferror(file) ? -errno : -EBADMSG;
	while (r == READ_CHUNK && (r = chunk_read(file, &chunk, &bytes)) == READ_CHUNK) {
		int played = recording_play(player, chunk.kind, buffer_slice(&bytes));
		r = played == 0 ? READ_CHUNK : played == RECORDING_BAD ? -EBADMSG : played;
	}
	buffer_free(&bytes);
	return r;
}

static int run(const struct cli_arguments *arguments)
{
	const char *path = arguments->words[0];
	struct replay replay = {.json = cli_flag(arguments, "json")};
	struct recording_player player = {.say = say, .context = &replay};
	FILE *file = fopen(path, "rbe");
	if (file == NULL)
		return cli_unreadable(path, -errno);
	int r = play_all(file, &player);
	fclose(file);
	recording_player_end(&player);
	if (r == -EBADMSG)
		return cli_fail(CLI_USER, "%s: is no recording of `guia watch --record` of this version", path);
	if (r < 0)
		return cli_unreadable(path, r);
	if (r == READ_CUT)
		fprintf(stderr, "guia: %s: was cut short: taken as far as it is whole\n", path);
	if (fflush(stdout) != 0)
		return cli_fail(CLI_ENVIRONMENT, "cannot write");
	if (replay.lines == 0)
		fprintf(stderr, "guia: nothing would have been done\n");
	return CLI_FINE;
}

static const struct cli_option options[] = {
	{"json", 0, NULL, "a line of JSON for each: time, text"},
};

const struct command replay_command = {
	.name = "replay",
	.summary = "tells what would have been done about recorded events",
	.examples = "guia watch --run-dir /run/guia --record today.events\n"
		    "guia replay today.events\n",
	.synopsis = "EVENTS [--json]",
	.description = "Takes what `guia watch --record FILE` wrote through the same decisions, as fast as it can, and "
		       "prints a line\n"
		       "for each: when an incident began, which signature was tried, put in force or withdrawn, and "
		       "why, who was\n"
		       "banned. Nothing is done: what was refused then stays refused, and nothing else is. A recording "
		       "begins\n"
		       "with what the watch had learned; one that was cut short is taken as far as it is whole.",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
