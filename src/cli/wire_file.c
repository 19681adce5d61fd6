/* Requests are only read here, and parsed by whom they are for; answers are parsed too (http/response.h). */
#include "cli/wire_file.h"

#include "base/error.h"
#include "base/file.h"
#include "cli/command.h"
#include "http/response.h"

int wire_file_read(const char *path, struct arena *arena, struct slice *ret_bytes)
{
	struct buffer bytes = buffer_make(arena);
	int r = file_read(path, WIRE_FILE_BYTES_MOST, &bytes);
	if (r != 0)
		return cli_unreadable(path, r);
	*ret_bytes = buffer_slice(&bytes);
	return CLI_FINE;
}

int wire_file_answer(const char *path, struct arena *arena, struct ftw_answer *ret_answer)
{
	struct slice bytes;
	struct response response;
	int code = wire_file_read(path, arena, &bytes);
	if (code != CLI_FINE)
		return code;
	int r = response_parse(bytes, arena, &response);
	if (r == RESPONSE_MALFORMED)
		return cli_fail(CLI_USER,
				"%s: not a raw HTTP response (HTTP/1.1 200 OK, headers, an empty line, a body)", path);
	if (r != 0)
		return cli_fail(CLI_ENVIRONMENT, "%s: %s", path, strerror(-r));
	*ret_answer = (struct ftw_answer){response.status, response.headers, response.body};
	return CLI_FINE;
}

int wire_file_origin(void *answer, const struct request *request, struct arena *arena, struct ftw_answer *ret_answer)
{
	(void)request;
	(void)arena;
	*ret_answer = *(const struct ftw_answer *)answer;
	return 0;
}
