/*
 * The same headers for all, but for the policy of a report, whose styles stand in the page. What is of the program is
 * there compressed already; a page is compressed as it goes out.
 */
#include "screen/send.h"

#include "screen/assets.h"

#include <string.h>
#include <zlib.h>

enum { COMPRESSED_FROM_BYTES = 512, GZIP_WINDOW_BITS = 15 + 16, GZIP_MEMORY_LEVEL = 8, GZIP_LEVEL = 5 };

/* Of the report, which is one file that needs nothing else, styles stand in the page. */
static const char own_policy[] =
	"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
static const char report_policy[] =
	"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static bool takes_gzip(const struct visit *visit)
{
	struct slice rest = slice_from_string(visit_header(visit, "Accept-Encoding")), coding, name;
	while (rest.len > 0) {
		rest = slice_cut(rest, ',', &coding);
		struct slice weight = slice_trim(slice_cut(coding, ';', &name));
		if (slice_equal_nocase(slice_trim(name), SLICE("gzip")))
			return !slice_equal(weight, SLICE("q=0")) && !slice_starts_with(weight, SLICE("q=0.0"));
	}
	return false;
}

/* False: it goes out as it is. */
static bool compress_into(struct slice text, struct buffer *out)
{
	z_stream z = {0};
	if (text.len < COMPRESSED_FROM_BYTES || text.len > UINT32_MAX ||
	    deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW_BITS, GZIP_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	size_t most = deflateBound(&z, text.len);
	bool good = buffer_reserve(out, most) == 0;
	if (good) {
		z.next_in = (Bytef *)(uintptr_t)text.ptr;
		z.avail_in = (uInt)text.len;
		z.next_out = out->ptr;
		z.avail_out = (uInt)most;
		good = deflate(&z, Z_FINISH) == Z_STREAM_END;
		out->len = z.total_out;
	}
	deflateEnd(&z);
	return good;
}

static void add_headers(struct MHD_Response *response, const struct reply *reply)
{
	const char *type = reply->asset != NULL  ? reply->asset->type
			   : reply->type != NULL ? reply->type
						 : "text/html; charset=utf-8";
	const struct {
		const char *name, *value;
	} headers[] = {
		{"Content-Type", type},
		{"Content-Security-Policy", reply->inline_style ? report_policy : own_policy},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
		{"Referrer-Policy", "same-origin"}, /* with none at all our own forms come with "Origin: null" */
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Cache-Control", "no-store"},
		{"Vary", "Accept-Language, Accept-Encoding, Cookie"},
	};
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		(void)MHD_add_response_header(response, headers[i].name, headers[i].value);
	if (reply->location[0] != '\0')
		(void)MHD_add_response_header(response, "Location", reply->location);
	if (reply->cookie[0] != '\0')
		(void)MHD_add_response_header(response, "Set-Cookie", reply->cookie);
	/* What a refused request sends on is not waited for. */
	if (reply->status >= MHD_HTTP_BAD_REQUEST)
		(void)MHD_add_response_header(response, "Connection", "close");
}

static struct MHD_Response *as_gzip(struct MHD_Response *response)
{
	if (response != NULL)
		(void)MHD_add_response_header(response, "Content-Encoding", "gzip");
	return response;
}

static struct MHD_Response *of_program(const struct visit *visit, const struct asset *asset)
{
	bool small = takes_gzip(visit);
	const unsigned char *bytes = small ? asset->small : asset->bytes;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		small ? asset->small_len : asset->len, (void *)(uintptr_t)bytes, MHD_RESPMEM_PERSISTENT);
	return small ? as_gzip(response) : response;
}

static struct MHD_Response *whole(const struct visit *visit, const struct reply *reply)
{
	struct slice text = buffer_slice(&reply->body);
	struct buffer small = buffer_make(NULL);
	bool is_small = takes_gzip(visit) && compress_into(text, &small);
	struct slice sent = is_small ? buffer_slice(&small) : text;
	struct MHD_Response *response =
		MHD_create_response_from_buffer(sent.len, (void *)(uintptr_t)sent.ptr, MHD_RESPMEM_MUST_COPY);
	buffer_free(&small);
	return is_small ? as_gzip(response) : response;
}

enum MHD_Result send_reply(const struct visit *visit, const struct reply *reply, struct MHD_Response *stream)
{
	struct MHD_Response *response = stream != NULL         ? stream
					: reply->asset != NULL ? of_program(visit, reply->asset)
							       : whole(visit, reply);
	if (response == NULL)
		return MHD_NO;
	add_headers(response, reply);
	enum MHD_Result result = MHD_queue_response(visit->connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}
