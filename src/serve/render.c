/*
 * Printed from the top down: main, events, http, then upstreams and servers. A request goes to the origin by one of
 * three ways, @kept, @once or @direct, which maps choose (add_maps) and try_files leads to; errors lead on to a copy or
 * to the page.
 */
#include "serve/render.h"

#include "base/error.h"
#include "serve/page.h"
#include "serve/site_rules.h"

enum {
	CONNECTIONS = 8192,
	CONNECTIONS_LEAST = 64,
	ADMISSION_MB = 16,
};

#define TEXT(...) buffer_text(out, "" __VA_ARGS__ "\n")

/* Types that responses are inspected in, and that are worth compressing. */
#define INSPECTED "text/plain text/xml application/json"

/* A client's connection may need three files: itself, one to the origin, one on disk. */
static void add_connections(long open_files, bool has_door, struct buffer *out)
{
	long most = open_files < 4 * CONNECTIONS ? open_files : 4 * CONNECTIONS;
	long connections = most / 4 < CONNECTIONS ? most / 4 : CONNECTIONS;
	if (open_files > 0)
		buffer_printf(out, "worker_rlimit_nofile %ld;\n", most);
	/* Who waits at the gate's door (nginx/door.h) is known to it; who waits in the kernel's queue is nobody yet. */
	buffer_printf(out, "events {\n\tworker_connections %ld;\n%s}\n",
		      connections >= CONNECTIONS_LEAST ? connections : CONNECTIONS_LEAST,
		      has_door ? "\tmulti_accept on;\n" : "");
}

static void add_main(const struct serve_config *config, const struct render_places *places, struct buffer *out)
{
	buffer_printf(out, "load_module %s;\npid %s/nginx.pid;\nerror_log %s/error.log notice;\n", places->module,
		      places->run_dir, places->run_dir);
	if (places->user[0] != '\0')
		buffer_printf(out, "user %s;\n", places->user);
	if (config->workers > 0)
		buffer_printf(out, "worker_processes %lld;\n", (long long)config->workers);
	else
		TEXT("worker_processes auto;");
	buffer_printf(out, "worker_shutdown_timeout %llds;\n", (long long)config->drain_seconds);
	add_connections(places->open_files, !config->gate_off, out);
}

static void add_paths(const struct render_places *places, struct buffer *out)
{
	static const char *const folders[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		buffer_printf(out, "\t%s_temp_path %s/temp/%s;\n", folders[i], places->worker_dir, folders[i]);
	buffer_printf(out,
		      "\tproxy_cache_path %s/copies levels=1:2 keys_zone=copies:16m max_size=1g inactive=7d "
		      "use_temp_path=on min_free=32m;\n\tproxy_cache_key $scheme:$server_name:$host$request_uri;\n",
		      places->worker_dir);
	buffer_printf(out, "\troot %s/none;\n", places->worker_dir);
	buffer_printf(
		out,
		"\tlog_format guia escape=json '{\"time\":\"$time_iso8601\",\"client\":\"$remote_addr\",\"site\":"
		"\"$server_name\",\"host\":\"$host\",\"method\":\"$request_method\",\"uri\":\"$guia_uri\","
		"\"status\":$status,\"bytes\":"
		"$body_bytes_sent,\"seconds\":$request_time,\"id\":\"$guia_id\",\"verdict\":\"$guia_verdict\","
		"\"score\":\"$guia_score\",\"copy\":\"$upstream_cache_status\",\"admission\":\"$guia_admission\"}';\n"
		"\taccess_log %s/access.log guia buffer=64k flush=1s;\n",
		places->run_dir);
}

static void add_rules(const char *directive, const struct text_list *rules, const char *indent, struct buffer *out)
{
	for (size_t i = 0; i < rules->count; i++)
		buffer_printf(out, "%s%s %.*s;\n", indent, directive, SLICE_ARG(rules->items[i]));
}

/* Half of it for what is learned of origins, 8 KB each; the rest for sources. By doublings, for the zone starts anew
 * where its size changes.
 */
static size_t admission_mb(size_t sites)
{
	size_t mb = ADMISSION_MB;
	while (mb * 64 < 2 * sites)
		mb *= 2;
	return mb;
}

static void add_bans(const struct serve_config *config, const struct render_places *places, struct buffer *out)
{
	if (places->bans_dir[0] == '\0')
		return;
	buffer_printf(out, "\tguia_bans %s;\n", places->bans_dir);
	for (size_t i = 0; i < config->trusted_proxies.count; i++)
		buffer_printf(out, "\tguia_trusted_proxies %.*s;\n", SLICE_ARG(config->trusted_proxies.items[i]));
}

static void add_engine(const struct serve_config *config, const struct render_places *places, struct buffer *out)
{
	const char *limit;
	TEXT("\tguia_end_with_master on;");
	if (config->gate_off) {
		TEXT("\tguia off;");
		return;
	}
	TEXT("\tguia on;\n\tguia_collections 16m;\n\tguia_log_level notice;");
	buffer_printf(out, "\tguia_admission %zum;\n", admission_mb(config->site_count));
	if (places->events_dir[0] != '\0')
		buffer_printf(out, "\tguia_events %s;\n\tguia_connections 32m;\n", places->events_dir);
	add_bans(config, places, out);
	if (places->cache_dir[0] != '\0')
		buffer_printf(out, "\tguia_cache_dir %s;\n", places->cache_dir);
	add_rules("guia_rules_before", &config->rules_before, "\t", out);
	if (config->rules.count == 0)
		buffer_printf(out, "\tguia_rules %s;\n", places->recommended_rules);
	add_rules("guia_rules", &config->rules, "\t", out);
	if (site_rules_body_limit(config, config->arena, &limit) != 0)
		out->error = -ENOMEM;
	else if (limit[0] != '\0')
		buffer_printf(out, "\tguia_rules \"%s\";\n", limit);
	buffer_printf(out, "\tguia_rules \"SecAuditLog %s/audit.log\";\n", places->run_dir);
}

/*
 * A copy may be kept of what everybody would be answered alike: asked without Authorization or another token, without a
 * body, and without cookies (those of consent and statistics aside: a language would be everybody's), answered with
 * 200, without Set-Cookie, Vary by encoding at most.
 */
static void add_maps(struct buffer *out)
{
	/* Tunnels are WebSockets: an origin that took up HTTP/2 by Upgrade would be spoken to past the gate. */
	TEXT("\tmap $http_upgrade $guia_upgrade {\n\t\tdefault \"\";\n\t\t~*^websocket$ websocket;\n\t}");
	TEXT("\tmap $guia_upgrade $guia_connection {\n\t\tdefault upgrade;\n\t\t\"\" \"\";\n\t}");
	TEXT("\tmap $http_cookie $guia_private_cookie {\n\t\tdefault 1;\n\t\t\"\" \"\";\n"
	     "\t\t\"~*^(?:(?:_ga[a-z0-9_]*|_gid|_gat[a-z0-9_]*|_pk_[a-z0-9_.]+|cookie_?consent)="
	     "[^;]*(?:;[ ]*|$))+$\" \"\";\n\t}");
	TEXT("\tmap $upstream_http_vary $guia_varies {\n\t\tdefault 1;\n\t\t\"\" \"\";\n\t\t\"~*^accept-encoding$\" "
	     "\"\";\n\t}");
	TEXT("\tmap $upstream_status $guia_not_ok {\n\t\tdefault 1;\n\t\t\"~(?:^|[ ])200$\" \"\";\n\t}");
	TEXT("\tmap $upstream_http_cache_control $guia_no_store {\n\t\tdefault \"\";\n"
	     "\t\t\"~*(?:private|no-store)\" 1;\n\t}");
	/* Event streams are not buffered; media and archives may be asked for by range, and are of no inspected type.
	 */
	TEXT("\tmap $http_accept $guia_wants_stream {\n\t\tdefault \"\";\n\t\t\"~*text/event-stream\" 1;\n\t}");
	TEXT("\tmap $uri $guia_media {\n\t\tdefault "
	     "\"\";\n\t\t\"~*[.](?:mp4|m4v|webm|mov|mp3|m4a|ogg|oga|ogv|wav|flac|zip|"
	     "gz|xz|7z|iso|dmg|exe|msi|apk|pdf)$\" 1;\n\t}");
	TEXT("\tmap $guia_media $guia_range {\n\t\tdefault \"\";\n\t\t1 $http_range;\n\t}");
	TEXT("\tmap "
	     "$http_authorization$http_proxy_authorization$http_x_api_key$http_api_key$http_apikey$http_x_auth_token"
	     "$http_x_access_token $guia_token {\n"
	     "\t\tdefault 1;\n\t\t\"\" \"\";\n\t}");
	TEXT("\tmap $content_length$http_transfer_encoding$request_body_file$request_body $guia_has_body {\n"
	     "\t\tdefault 1;\n\t\t\"\" \"\";\n\t\t0 \"\";\n\t}");
	/* What is not safe to ask for twice is asked for once. */
	TEXT("\tmap $request_method$guia_has_body $guia_safe_way {\n\t\tdefault once;\n\t\tGET kept;\n\t\tHEAD "
	     "kept;\n\t}");
	TEXT("\tmap $guia_wants_stream$guia_media$guia_upgrade $guia_way {\n\t\tdefault direct;\n"
	     "\t\t\"\" $guia_safe_way;\n\t}");
}

static void add_http(const struct serve_config *config, const struct render_places *places, struct buffer *out)
{
	TEXT("\tinclude /etc/nginx/mime.types;\n\tdefault_type application/octet-stream;\n\tserver_tokens off;");
	TEXT("\tsendfile on;\n\ttcp_nopush on;\n\tkeepalive_timeout 65s;\n\tclient_header_timeout 20s;\n"
	     "\tclient_body_timeout 20s;\n\tsend_timeout 30s;\n\treset_timedout_connection on;\n"
	     "\tserver_names_hash_bucket_size 256;\n\tserver_names_hash_max_size 4096;\n\tmap_hash_bucket_size 256;\n"
	     "\tvariables_hash_max_size 4096;\n\tclient_body_buffer_size 64k;");
	buffer_printf(out, "\tlarge_client_header_buffers 4 %d;\n", RENDER_HEADER_BYTES);
	buffer_printf(out, "\tclient_max_body_size %lldm;\n", (long long)config_body_limit_mb(config));
	TEXT("\tgzip on;\n\tgzip_proxied any;\n\tgzip_vary on;\n\tgzip_min_length 1024;\n"
	     "\tgzip_types " INSPECTED " text/css text/javascript application/javascript image/svg+xml;");
	TEXT("\tssl_protocols TLSv1.2 TLSv1.3;\n\tssl_prefer_server_ciphers off;\n"
	     "\tssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
	     "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;\n"
	     "\tssl_session_cache shared:tls:10m;\n\tssl_session_timeout 1d;\n\tssl_session_tickets off;");
	for (size_t i = 0; i < config->trusted_proxies.count; i++)
		buffer_printf(out, "\tset_real_ip_from %.*s;\n", SLICE_ARG(config->trusted_proxies.items[i]));
	if (config->trusted_proxies.count > 0)
		TEXT("\treal_ip_header X-Forwarded-For;\n\treal_ip_recursive on;");
	add_paths(places, out);
	add_engine(config, places, out);
	add_maps(out);
}

static void add_listens(const struct text_list *list, const char *flags, struct buffer *out)
{
	for (size_t i = 0; i < list->count; i++)
		buffer_printf(out, "\t\tlisten %.*s%s;\n", SLICE_ARG(list->items[i]), flags);
}

/*
 * A name nobody serves gets no site: the connection is closed, a TLS handshake refused. Requests that nginx refuses
 * before it knows the site end up here too, and belong in the records; those for no site of ours do not.
 */
static void add_default(const struct serve_config *config, struct buffer *out)
{
	TEXT("\tserver {\n\t\tserver_name \"\";\n\t\tguia_site -;\n"
	     "\t\tguia_rules 'SecAuditLogRelevantStatus \"^(?:5(?!0[2-4])|4(?!04|44|99))\"';");
	add_listens(&config->listen, " default_server", out);
	add_listens(&config->listen_tls, " ssl http2 default_server", out);
	if (config->listen_tls.count > 0)
		TEXT("\t\tssl_reject_handshake on;");
	TEXT("\t\treturn 444;\n\t}");
}

static bool origin_is_tls(const struct site *site)
{
	return slice_starts_with(site->origin, SLICE("https://"));
}

/* HOST[:PORT] of the origin. */
static struct slice origin_address(const struct site *site)
{
	return slice_after(site->origin, origin_is_tls(site) ? 8 : 7);
}

static bool has_port(struct slice address)
{
	size_t bracket = slice_find_byte(address, ']', 0);
	return slice_find_byte(address, ':', bracket < address.len ? bracket : 0) < address.len;
}

/*
 * Named by the site and not by its place: what admission has learned of an origin stays with it over reloads that add,
 * remove or reorder sites. No host begins like the names of those that answer to any host below theirs.
 */
static void add_origin_name(const struct site *site, struct buffer *out)
{
	struct slice host = site->hosts.items[0];
	bool any = slice_starts_with(host, SLICE("*"));
	buffer_text(out, any ? "origins_" : "origin_");
	buffer_add(out, slice_after(host, any ? 1 : 0));
}

static void add_upstream(const struct site *site, size_t index, const struct render_places *places, struct buffer *out)
{
	struct slice address = origin_address(site);
	buffer_text(out, "\tupstream ");
	add_origin_name(site, out);
	buffer_text(out, " {\n");
	if (places->resolvable != NULL && !places->resolvable[index])
		buffer_printf(out, "\t\tserver unix:%s/unknown-name;\n", places->run_dir);
	else
		buffer_printf(out, "\t\tserver %.*s%s max_fails=0;\n", SLICE_ARG(address),
			      !has_port(address) && origin_is_tls(site) ? ":443" : "");
	TEXT("\t\tkeepalive 32;\n\t\tkeepalive_timeout 55s;\n\t}");
}

/*
 * Headers by which some origins take a request for another one than was inspected, or write other addresses into a
 * page: whose gate this is says what was asked for.
 */
static const char *const names_of_the_request[] = {
	"Forwarded",
	"X-Forwarded-Port",
	"X-Forwarded-Server",
	"X-Forwarded-Prefix",
	"X-Forwarded-Path",
	"X-Forwarded-Uri",
	"X-Forwarded-Url",
	"X-Forwarded-Scheme",
	"X-Forwarded-Protocol",
	"X-Forwarded-Ssl",
	"X-Url-Scheme",
	"Front-End-Https",
	"X-Host",
	"X-Original-Host",
	"X-HTTP-Host-Override",
	"X-Original-URL",
	"X-Original-URI",
	"X-Rewrite-URL",
};

/* A copy is of what GET answers. */
static const char *const other_methods[] = {"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override",
					    "Content-Length", "Content-Type"};

static void add_withheld(const char *const *names, size_t count, struct buffer *out)
{
	for (size_t i = 0; i < count; i++)
		buffer_printf(out, "\t\t\tproxy_set_header %s \"\";\n", names[i]);
}

/* What every way to the origin has in common. */
static void add_proxy(const struct site *site, const char *range, struct buffer *out)
{
	bool tls = origin_is_tls(site);
	buffer_printf(out, "\t\t\tproxy_pass %s://", tls ? "https" : "http");
	add_origin_name(site, out);
	buffer_text(out, ";\n");
	TEXT("\t\t\tproxy_http_version 1.1;\n\t\t\tproxy_set_header Host $host;\n"
	     "\t\t\tproxy_set_header Upgrade $guia_upgrade;\n\t\t\tproxy_set_header Connection $guia_connection;\n"
	     "\t\t\tproxy_set_header Accept-Encoding \"\";\n\t\t\tproxy_set_header X-Real-IP $remote_addr;\n"
	     "\t\t\tproxy_set_header X-Forwarded-Proto $scheme;\n\t\t\tproxy_set_header X-Forwarded-Host $host;\n"
	     "\t\t\tproxy_set_header X-Request-ID $guia_id;\n"
	     "\t\t\tproxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Charset;\n"
	     "\t\t\tproxy_connect_timeout 5s;\n\t\t\tproxy_next_upstream error;\n"
	     "\t\t\tproxy_set_header X-Forwarded-For $remote_addr;");
	buffer_printf(out, "\t\t\tproxy_set_header Range %s;\n\t\t\tproxy_set_header If-Range \"\";\n", range);
	add_withheld(names_of_the_request, sizeof(names_of_the_request) / sizeof(names_of_the_request[0]), out);
	if (tls)
		TEXT("\t\t\tproxy_ssl_server_name on;\n\t\t\tproxy_ssl_name $host;");
}

/*
 * Without proxy_cache_lock: of a page that may not be kept nobody knows so before it is answered, and those who asked
 * for it meanwhile would wait for each other, half a second at a time and for seconds. How many ask the origin at once
 * is admission's.
 */
static void add_keeping(struct buffer *out)
{
	TEXT("\t\t\tproxy_cache copies;\n\t\t\tproxy_cache_methods GET HEAD;\n\t\t\tproxy_cache_valid 200 1s;\n"
	     "\t\t\tproxy_cache_revalidate on;\n"
	     "\t\t\tproxy_cache_use_stale error timeout invalid_header updating http_500 http_502 http_503 http_504;\n"
	     "\t\t\tproxy_pass_request_body off;\n"
	     "\t\t\tproxy_no_cache $guia_token $guia_private_cookie $upstream_http_set_cookie $guia_varies "
	     "$guia_not_ok $guia_no_store;");
	add_withheld(other_methods, sizeof(other_methods) / sizeof(other_methods[0]), out);
}

static void add_ways(const struct site *site, struct buffer *out)
{
	TEXT("\t\tlocation / {\n\t\t\ttry_files /none @$guia_way;\n\t\t}");

	TEXT("\t\tlocation @kept {\n\t\t\trecursive_error_pages on;\n\t\t\terror_page 502 504 = @copy;");
	add_proxy(site, "\"\"", out);
	add_keeping(out);
	TEXT("\t\t\tproxy_cache_bypass $guia_token $guia_private_cookie;\n\t\t}");

	/* The origin is down and whoever asks has a session: what everybody may see is better than nothing. */
	TEXT("\t\tlocation @copy {\n\t\t\trecursive_error_pages on;\n\t\t\terror_page 502 504 = @unavailable;");
	add_proxy(site, "\"\"", out);
	add_keeping(out);
	TEXT("\t\t}");

	TEXT("\t\tlocation @once {\n\t\t\terror_page 502 504 = @unavailable;\n\t\t\tproxy_max_temp_file_size 0;");
	add_proxy(site, "\"\"", out);
	TEXT("\t\t}");

	TEXT("\t\tlocation @direct {\n\t\t\terror_page 502 504 = @unavailable;\n\t\t\tproxy_buffering off;\n"
	     "\t\t\tproxy_read_timeout 1h;\n\t\t\tproxy_send_timeout 1h;");
	add_proxy(site, "$guia_range", out);
	TEXT("\t\t}");

	buffer_printf(out,
		      "\t\tlocation @unavailable {\n\t\t\tdefault_type \"text/html; charset=utf-8\";\n"
		      "\t\t\tadd_header Retry-After 30 always;\n\t\t\tadd_header Cache-Control no-store always;\n"
		      "\t\t\treturn 503 '%s';\n\t\t}\n",
		      page_unavailable);
}

static void add_names(const struct site *site, struct buffer *out)
{
	buffer_text(out, "\t\tserver_name");
	for (size_t i = 0; i < site->hosts.count; i++)
		buffer_printf(out, " %.*s", SLICE_ARG(site->hosts.items[i]));
	buffer_printf(out, ";\n\t\tguia_site %.*s;\n", SLICE_ARG(site->hosts.items[0]));
}

static bool redirects(const struct site *site)
{
	return site->https_only && site->certificate.len > 0;
}

/* Plain HTTP of a site that has TLS. The method and the body go along (308); certificates are asked for over HTTP. */
static void add_redirect(const struct serve_config *config, size_t index, struct buffer *out)
{
	const struct site *site = &config->sites[index];
	struct slice tls = config->listen_tls.items[0], port = tls;
	for (size_t colon; (colon = slice_find_byte(port, ':', 0)) < port.len;)
		port = slice_after(port, colon + 1);
	bool usual = slice_equal(port, SLICE("443"));
	TEXT("\tserver {");
	add_listens(&config->listen, "", out);
	add_names(site, out);
	TEXT("\t\tlocation /.well-known/acme-challenge/ {");
	add_proxy(site, "\"\"", out);
	buffer_printf(out, "\t\t}\n\t\tlocation / {\n\t\t\treturn 308 https://$host%s%.*s$request_uri;\n\t\t}\n\t}\n",
		      usual ? "" : ":", SLICE_ARG(usual ? SLICE("") : port));
}

static void add_server(const struct serve_config *config, size_t index, const struct render_places *places,
		       struct buffer *out)
{
	const struct site *site = &config->sites[index];
	TEXT("\tserver {");
	if (!redirects(site))
		add_listens(&config->listen, "", out);
	if (site->certificate.len > 0) {
		add_listens(&config->listen_tls, " ssl http2", out);
		buffer_printf(out, "\t\tssl_certificate %.*s;\n\t\tssl_certificate_key %.*s;\n",
			      SLICE_ARG(site->certificate), SLICE_ARG(site->key));
	}
	add_names(site, out);
	add_rules("guia_rules_before", &site->rules_before, "\t\t", out);
	add_rules("guia_rules", &site->rules, "\t\t", out);
	if (site->detect)
		buffer_printf(out, "\t\tguia_rules \"%s\";\n\t\tguia_rules \"SecAuditLog %s/detected.log\";\n",
			      site_rules_detect, places->run_dir);
	add_ways(site, out);
	TEXT("\t}");
	if (redirects(site))
		add_redirect(config, index, out);
}

int render_nginx(const struct serve_config *config, const struct render_places *places, struct buffer *out)
{
	add_main(config, places, out);
	TEXT("http {");
	add_http(config, places, out);
	for (size_t i = 0; i < config->site_count; i++)
		add_upstream(&config->sites[i], i, places, out);
	add_default(config, out);
	for (size_t i = 0; i < config->site_count; i++)
		add_server(config, i, places, out);
	TEXT("}");
	return out->error;
}
