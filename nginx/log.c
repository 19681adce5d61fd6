/*
 * Two things. The gate's own lines and audit records of a request go to writer.c together. And nginx's log handler of
 * each request is replaced, so that what it adds to messages is redacted first.
 */
#include "log.h"

#include "context.h"
#include "transaction.h"
#include "writer.h"

enum { LINE_BYTES = NGX_MAX_ERROR_STR - 160 }; /* beside nginx's own beginning of a line */

static ngx_http_log_handler_pt nginx_handler;

/* Without a transaction nobody knows which names are secret: the path as it was sent, without what follows. */
static u_char *plain_write(ngx_http_request_t *r, u_char *buf, size_t len)
{
	ngx_http_core_srv_conf_t *server = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
	ngx_str_t path = r->unparsed_uri;

	for (size_t i = 0; i < path.len; i++) {
		if (path.data[i] == '?' || path.data[i] == ';')
			path.len = i;
	}
	return ngx_snprintf(buf, len, ", server: %V, request: \"%V %V\"", &server->server_name, &r->method_name, &path);
}

/* What nginx adds to each of its messages: the request line, the origin's URL and the referrer among it. */
static u_char *context_write(ngx_http_request_t *r, ngx_http_request_t *sr, u_char *buf, size_t len)
{
	struct gate_context *context = gate_context_find(r);
	struct gate_location *location = ngx_http_get_module_loc_conf(r, ngx_http_guia_module);

	if (context != NULL && context->location != NULL)
		location = context->location;
	if (location == NULL || !location->enabled)
		return nginx_handler(r, sr, buf, len);
	if (context == NULL || context->transaction == NULL)
		return plain_write(r, buf, len);
	u_char *end = nginx_handler(r, sr, buf, len);
	struct guia_slice text =
		guia_transaction_redact(context->transaction, (struct guia_slice){buf, (size_t)(end - buf)});
	if (text.len == 0)
		return plain_write(r, buf, len);
	end = ngx_cpymem(buf, text.ptr, ngx_min(text.len, len));
	for (u_char *p = buf; p < end; p++) {
		if (*p < ' ' || *p == 0x7f)
			*p = '?';
	}
	return end;
}

ngx_int_t gate_log_watch(ngx_http_request_t *r)
{
	if (r == r->main && r->log_handler != context_write) {
		nginx_handler = r->log_handler;
		r->log_handler = context_write;
	}
	return NGX_DECLINED;
}

/* To syslog, or to memory. */
static void line_hand_over(ngx_log_t *log, ngx_uint_t level, u_char *line, u_char *end)
{
	*end++ = '\n';
	log->writer(log, level, line, (size_t)(end - line));
}

/* As nginx writes it, to each error log that is open at this level. */
static void line_write(struct gate_context *context, ngx_uint_t level, const u_char *text, size_t len)
{
	static const char *const levels[] = {
		[NGX_LOG_ERR] = "error", [NGX_LOG_WARN] = "warn", [NGX_LOG_NOTICE] = "notice", [NGX_LOG_INFO] = "info"};
	u_char line[NGX_MAX_ERROR_STR], *p = line, *last = line + sizeof(line) - 1;
	ngx_log_t *log = context->request->connection->log;

	p = ngx_slprintf(p, last, "%V [%s] %P#%P: *%uA ", &ngx_cached_err_log_time, levels[level], ngx_log_pid,
			 ngx_log_pid, log->connection);
	p = ngx_cpymem(p, text, ngx_min(len, (size_t)(last - p)));
	for (; log != NULL && log->log_level >= level; log = log->next) {
		if (log->writer == NULL)
			gate_writer_add(log->file, line, (size_t)(p - line), false);
		else
			line_hand_over(log, level, line, p);
	}
}

/* Where the last `needle` begins in the first `len` bytes; `len` if nowhere. */
static size_t find_last(const u_char *text, size_t len, const char *needle)
{
	size_t size = strlen(needle);

	for (size_t at = len; at-- > 0;) {
		if (len - at >= size && ngx_memcmp(text + at, needle, size) == 0)
			return at;
	}
	return len;
}

/*
 * nginx cuts what it logs at 2 KB, and a client could have so much escaped in a line that the end is lost, where it
 * says which request it was. So the fields that do not fit go instead: those of the middle.
 */
static void rule_line_write(struct gate_context *context, struct guia_slice line)
{
	u_char text[LINE_BYTES];
	ngx_uint_t level = context->location->log_level;

	if (line.len <= sizeof(text)) {
		line_write(context, level, line.ptr, line.len);
		return;
	}
	size_t tail = find_last(line.ptr, line.len, " [hostname \"");
	if (line.len - tail > sizeof(text) / 2)
		tail = find_last(line.ptr, line.len, " [unique_id \"");
	size_t room = sizeof(text) - ngx_min(line.len - tail, sizeof(text) / 2);
	size_t head = find_last(line.ptr, room, "\"] [");
	head = head < room ? head + 2 : room;
	ngx_memcpy(text, line.ptr, head);
	ngx_memcpy(text + head, line.ptr + tail, ngx_min(line.len - tail, sizeof(text) - head));
	line_write(context, level, text, head + ngx_min(line.len - tail, sizeof(text) - head));
}

static const char *why(const struct guia_verdict *verdict)
{
	static const char *const actions[] = {[GUIA_PASS] = "passed",
					      [GUIA_DENY] = "denied",
					      [GUIA_REDIRECT] = "redirected",
					      [GUIA_DROP] = "dropped"};

	return actions[verdict->action];
}

static void block_write(struct gate_context *context)
{
	struct guia_summary summary;
	u_char text[512], *end;

	guia_transaction_summary(context->transaction, &summary);
	end = ngx_snprintf(
		text, sizeof(text),
		"[client %V] guia: request %s%s with status %ud by rule %L, inbound score %L, outbound score "
		"%L, site \"%V\" [unique_id \"%*s\"]",
		&context->request->connection->addr_text, why(&context->verdict),
		context->verdict.failed ? " for a failure" : "", context->verdict.status, context->verdict.rule_id,
		summary.inbound_score, summary.outbound_score, &context->location->site, sizeof(context->id),
		context->id);
	line_write(context, NGX_LOG_ERR, text, (size_t)(end - text));
}

static ngx_open_file_t *audit_file(struct gate_context *context)
{
	ngx_open_file_t *file = context->location->ruleset->audit;

	return file != NULL && guia_audit_wanted(context->transaction) ? file : NULL;
}

static void failure_write(struct gate_context *context, const char *what)
{
	line_write(context, NGX_LOG_ERR, (const u_char *)what, strlen(what));
}

static void records_write(struct gate_context *context)
{
	struct gate_main *main = ngx_http_get_module_main_conf(context->request, ngx_http_guia_module);
	struct guia_summary summary;
	ngx_open_file_t *audit = audit_file(context);
	/* A line that nobody reads is not made. */
	bool read = context->request->connection->log->log_level >= context->location->log_level;
	size_t count = read ? guia_log_line_count(context->transaction) : 0;

	guia_transaction_summary(context->transaction, &summary);
	bool failed = summary.memory_exceeded || summary.scan_failed;
	if (count == 0 && context->verdict.action == GUIA_PASS && !failed && audit == NULL)
		return;
	if (!gate_writer_begin(main->log_rate))
		return;
	for (size_t i = 0; i < count; i++)
		rule_line_write(context, guia_log_line_at(context->transaction, i));
	if (context->verdict.action != GUIA_PASS)
		block_write(context);
	if (failed)
		failure_write(context, summary.memory_exceeded ? "guia: a transaction passed its memory limit"
							       : "guia: a scan failed");
	if (audit != NULL) {
		struct guia_slice record = guia_audit_record(context->transaction);
		if (record.len > 0)
			gate_writer_add(audit, record.ptr, record.len, true);
	}
	gate_writer_commit();
}

static struct gate_context *context_of(ngx_http_request_t *r)
{
	struct gate_context *context = gate_context_find(r);
	struct gate_location *location = ngx_http_get_module_loc_conf(r, ngx_http_guia_module);

	if (context == NULL && (location == NULL || !location->enabled))
		return NULL;
	if (context == NULL && (context = gate_context_get(r)) == NULL)
		return NULL;
	if (context->location == NULL)
		context->location = location;
	/* Of a flood the watch keeps the records. */
	if (context->refused_by != 0 && context->transaction == NULL)
		return NULL;
	return context->location->enabled && !context->location->ruleset->info.engine_off ? context : NULL;
}

ngx_int_t gate_log_handler(ngx_http_request_t *r)
{
	struct gate_context *context;

	if (r != r->main || (context = context_of(r)) == NULL || context->logged)
		return NGX_OK;
	if (context->transaction == NULL && gate_transaction_begin(context) != NGX_OK)
		return NGX_OK;
	context->logged = 1;
	ngx_uint_t status = r->err_status != 0 ? r->err_status : r->headers_out.status;
	off_t sent = r->connection->sent - (off_t)r->header_size;
	guia_transaction_log(context->transaction, (uint16_t)status, sent > 0 ? (uint64_t)sent : 0);
	records_write(context);
	return NGX_OK;
}
