/*
 * A request's are nginx's list. Of a response nginx keeps some beside the list (Server, Date, Content-Type,
 * Content-Length, Last-Modified) and writes them only when it sends: these are told first.
 */
#include "headers.h"

int gate_request_headers_give(const ngx_http_request_t *request, struct guia_transaction *transaction)
{
	const ngx_list_part_t *part = &request->headers_in.headers.part;
	int r = 0;

	for (; part != NULL && r == 0; part = part->next) {
		const ngx_table_elt_t *header = part->elts;
		for (ngx_uint_t i = 0; i < part->nelts && r == 0; i++)
			r = guia_request_header(transaction, gate_slice(header[i].key), gate_slice(header[i].value));
	}
	return r;
}

static int own_each(gate_header_fn *each, void *context, const char *name, ngx_str_t value)
{
	struct guia_slice key = {(const uint8_t *)name, strlen(name)};

	return value.len == 0 ? 0 : each(context, key, gate_slice(value));
}

static u_char *digits_write(u_char *at, ngx_uint_t number, size_t count)
{
	for (size_t i = count; i-- > 0; number /= 10)
		at[i] = (u_char)('0' + number % 10);
	return at + count;
}

/* As ngx_http_time() writes it, which takes its format apart for each response. */
static size_t date_write(u_char *date, time_t when)
{
	static const char days[] = "Sun, Mon, Tue, Wed, Thu, Fri, Sat, ";
	static const char months[] = " Jan  Feb  Mar  Apr  May  Jun  Jul  Aug  Sep  Oct  Nov  Dec ";
	ngx_tm_t tm;

	ngx_gmtime(when, &tm);
	u_char *p = ngx_cpymem(date, days + (size_t)tm.ngx_tm_wday * 5, 5);
	p = digits_write(p, (ngx_uint_t)tm.ngx_tm_mday, 2);
	p = ngx_cpymem(p, months + (size_t)(tm.ngx_tm_mon - 1) * 5, 5);
	p = digits_write(p, (ngx_uint_t)tm.ngx_tm_year, 4);
	*p++ = ' ';
	p = digits_write(p, (ngx_uint_t)tm.ngx_tm_hour, 2);
	*p++ = ':';
	p = digits_write(p, (ngx_uint_t)tm.ngx_tm_min, 2);
	*p++ = ':';
	p = digits_write(p, (ngx_uint_t)tm.ngx_tm_sec, 2);
	return (size_t)(ngx_cpymem(p, " GMT", 4) - date);
}

/* What nginx keeps outside of its list and adds when it sends. */
static int own_headers_each(const ngx_http_headers_out_t *out, gate_header_fn *each, void *context)
{
	u_char number[NGX_OFF_T_LEN], date[sizeof("Mon, 28 Sep 1970 06:00:00 GMT")];
	int r = 0;

	if (out->server == NULL)
		r = own_each(each, context, "Server", (ngx_str_t)ngx_string("nginx"));
	if (r == 0 && out->date == NULL)
		r = own_each(each, context, "Date", (ngx_str_t){ngx_cached_http_time.len, ngx_cached_http_time.data});
	if (r == 0)
		r = own_each(each, context, "Content-Type", out->content_type);
	if (r == 0 && out->content_length == NULL && out->content_length_n >= 0)
		r = own_each(each, context, "Content-Length",
			     (ngx_str_t){(size_t)(ngx_sprintf(number, "%O", out->content_length_n) - number), number});
	if (r == 0 && out->last_modified == NULL && out->last_modified_time != -1)
		r = own_each(each, context, "Last-Modified",
			     (ngx_str_t){date_write(date, out->last_modified_time), date});
	return r;
}

int gate_response_headers_each(const ngx_http_request_t *request, gate_header_fn *each, void *context)
{
	const ngx_list_part_t *part = &request->headers_out.headers.part;
	int r = own_headers_each(&request->headers_out, each, context);

	for (; part != NULL && r == 0; part = part->next) {
		const ngx_table_elt_t *header = part->elts;
		for (ngx_uint_t i = 0; i < part->nelts && r == 0; i++) {
			if (header[i].hash != 0)
				r = each(context, gate_slice(header[i].key), gate_slice(header[i].value));
		}
	}
	return r;
}

static int header_give(void *context, struct guia_slice name, struct guia_slice value)
{
	return guia_response_header(context, name, value);
}

int gate_response_headers_give(const ngx_http_request_t *request, struct guia_transaction *transaction)
{
	return gate_response_headers_each(request, header_give, transaction);
}
