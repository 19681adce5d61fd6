/*
 * Keeps an evidence log for the tests: COUNT records, then waits for a line on its input, and ends. What became of it
 * is printed as JSON. Usage: keeper LOG KEY COUNT [AUTHORITY EVERY_MS]
 */
#include "evidence/journal.h"
#include "evidence/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { AHEAD = 5000, MANY = 10000 };

static void print(struct writer *writer)
{
	struct writer_state state = writer_state(writer);
	printf("{\"sealed\": %lu, \"signed\": %lu, \"lost\": %lu, \"stamped\": %lu, \"backlog\": %lu, \"stamp_error\": "
	       "%d}\n",
	       (unsigned long)state.sizes.sealed, (unsigned long)state.sizes.is_signed, (unsigned long)state.lost,
	       (unsigned long)state.stamped, (unsigned long)state.stamp_backlog, state.stamp_error);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	if (argc != 4 && argc != 6)
		return 2;
	const struct log_config config = {argv[1],
					  "test.example/log",
					  argv[2],
					  &disk_kernel,
					  argc == 6 ? argv[4] : NULL,
					  argc == 6 ? (unsigned)atoi(argv[5]) : 0,
					  atoi(argv[3]) > MANY ? JOURNAL_HALF_BYTES / 8 : JOURNAL_HALF_BYTES_LEAST};
	struct writer *writer;
	char line[16];
	int r = writer_create(&config, WRITER_QUEUE_BYTES, &writer);
	if (r != 0) {
		fprintf(stderr, "%d\n", r);
		return 3;
	}
	for (int i = 0; i < atoi(argv[3]); i++) {
		const struct leaf_value values[LEAF_FIELDS_MOST] = {
			leaf_text(SLICE("a.test")), leaf_number((uint64_t)i), leaf_text(SLICE("shown"))};
		(void)writer_put(writer, LEAF_DECISION, values);
		while (i % 100 == 0 && (uint64_t)i > writer_state(writer).sizes.sealed + AHEAD)
			usleep(1000);
	}
	/* A line asks what became of it so far; the end of the input ends it. */
	while (fgets(line, sizeof(line), stdin) != NULL)
		print(writer);
	writer_end(writer);
	return 0;
}
