/*
 * Writes requests to a file for `replay`: each a length of 4 bytes in this machine's order and the request as it goes
 * over the wire.
 *
 *   traffic ROW life|new|new-attack COUNT SEED FILE
 */
#include "request.h"

#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 64 << 20 };

static void add_wire(struct buffer *out, const struct sample *s)
{
	buffer_clear(out);
	buffer_add(out, s->method);
	buffer_byte(out, ' ');
	buffer_add(out, s->uri);
	buffer_text(out, " HTTP/1.1\r\n");
	for (size_t i = 0; i < s->header_count; i++) {
		buffer_add(out, s->headers[i].name);
		buffer_text(out, ": ");
		buffer_add(out, s->headers[i].value);
		buffer_text(out, "\r\n");
	}
	buffer_text(out, "\r\n");
	buffer_add(out, s->body);
}

static int write_all(struct request_maker *maker, const struct request_row *row, enum request_kind kind, size_t count,
		     FILE *file)
{
	struct arena arena;
	struct buffer wire = buffer_make(NULL);
	int r = 0;
	arena_init(&arena, ARENA_BYTES, ARENA_BYTES);
	for (size_t i = 0; i < count && r == 0; i++) {
		struct sample sample;
		arena_reset(&arena);
		r = request_make(maker, row, kind, &arena, &sample);
		add_wire(&wire, &sample);
		uint32_t length = (uint32_t)wire.len;
		if (r == 0 && (wire.error != 0 || fwrite(&length, sizeof(length), 1, file) != 1 ||
			       fwrite(wire.ptr, 1, wire.len, file) != wire.len))
			r = -1;
	}
	buffer_free(&wire);
	arena_destroy(&arena);
	return r;
}

static bool kind_read(const char *word, const struct request_row *row, enum request_kind *ret_kind)
{
	static const char *const words[] = {
		[REQUEST_LIFE] = "life", [REQUEST_NEW] = "new", [REQUEST_NEW_ATTACK] = "new-attack"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0) {
			*ret_kind = (enum request_kind)i;
			return i != REQUEST_NEW_ATTACK || row->attack;
		}
	return false;
}

int main(int argc, char **argv)
{
	const struct request_row *row = argc == 6 ? request_row_find(argv[1]) : NULL;
	enum request_kind kind;
	if (row == NULL || !kind_read(argv[2], row, &kind)) {
		fprintf(stderr, "usage: traffic ROW life|new|new-attack COUNT SEED FILE\n");
		return 2;
	}
	struct request_maker *maker = request_maker_new(BENCH_ROOT "/bench/data", strtoull(argv[4], NULL, 10));
	FILE *file = fopen(argv[5], "wb");
	int r = maker == NULL || file == NULL ? -1 : write_all(maker, row, kind, strtoul(argv[3], NULL, 10), file);
	if (file != NULL && fclose(file) != 0)
		r = -1;
	request_maker_free(maker);
	if (r != 0)
		perror(argv[5]);
	return r == 0 ? 0 : 1;
}
