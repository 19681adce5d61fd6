/*
 * Reads records from stdin, "flags length\n" and that many bytes of a raw request, and writes what request_parse()
 * makes of each as a line of JSON. Flags: 'd' nginx's defaults, 'o' the other options.
 */
#include "base/buffer.h"
#include "http/request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void put_string(struct slice s)
{
	putchar('"');
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void put_member(const char *name, struct slice value)
{
	printf(",\"%s\":", name);
	put_string(value);
}

static void put_request(const struct request *request)
{
	printf("{\"status\":%u", request->refused_status == 0 ? 200 : request->refused_status);
	if (request->refused_status == 0) {
		put_member("method", request->method);
		put_member("request_uri", request->unparsed_uri);
		put_member("uri", request->uri);
		put_member("args", request->arguments);
		put_member("protocol", request->protocol);
		put_member("request", request->line);
		put_member("host", request->host);
		put_member("body", request->body);
		printf(",\"headers\":[");
		for (size_t i = 0; i < request->headers.count; i++) {
			printf("%s[", i == 0 ? "" : ",");
			put_string(request->headers.items[i].name);
			putchar(',');
			put_string(request->headers.items[i].value);
			putchar(']');
		}
		putchar(']');
	}
	puts("}");
}

int main(void)
{
	struct arena arena;
	arena_init(&arena, 64 << 20, 1 << 20);
	char flag;
	size_t length;
	while (scanf(" %c %zu", &flag, &length) == 2 && getchar() == '\n') {
		arena_reset(&arena);
		/* The input ends where the heap block does, for the sanitizers' sake. */
		uint8_t *bytes = malloc(length + (length == 0));
		if (bytes == NULL || fread(bytes, 1, length, stdin) != length)
			return 1;
		struct request_parser_options options = request_parser_defaults();
		options.underscores_in_headers = flag == 'o';
		options.ignore_invalid_headers = flag != 'o';
		options.merge_slashes = flag != 'o';
		struct request request;
		if (request_parse(slice_make(bytes, length), &options, &arena, &request) < 0)
			return 1;
		put_request(&request);
		free(bytes);
	}
	return 0;
}
