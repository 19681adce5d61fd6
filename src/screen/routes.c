/*
 * A table of paths, of which the first that fits counts. Asked in this order: where a request comes from, its session,
 * its size, the path, the method. Whoever is told no gets a page of one sentence.
 */
#include "screen/routes.h"

#include "report/html.h"
#include "report/report.h"
#include "screen/assets.h"
#include "screen/doors.h"
#include "screen/in_force.h"
#include "screen/incident.h"
#include "screen/orders.h"
#include "screen/overview.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct call {
	struct routes *routes;
	struct visit *visit;
	struct reply *reply;
	struct wish *wish;
	struct page page;
	struct session *session; /* NULL: none */
	const char *rest;        /* of the path, behind what the route is known by */
};

/* ---- saying no ---- */

static void say_no(struct call *call, unsigned status, enum say text)
{
	enum say title = status == MHD_HTTP_NOT_FOUND               ? SAY_NOT_FOUND
			 : status == MHD_HTTP_INTERNAL_SERVER_ERROR ? SAY_FAILED
								    : SAY_REFUSED_HERE;
	call->reply->status = status;
	buffer_clear(&call->reply->body);
	page_say(&call->page, title, text);
}

/* ---- pages ---- */

static void overview(struct call *call)
{
	const struct page_frame frame = {.title = page_text(&call->page, SAY_OVERVIEW),
					 .path = "/",
					 .up_to_date = "/live/",
					 .session = call->session,
					 .parts = overview_parts,
					 .part_count = overview_part_count};
	page_add(&call->page, &frame);
}

static void measures(struct call *call)
{
	const struct page_frame frame = {.title = page_text(&call->page, SAY_MEASURES),
					 .path = "/measures",
					 .session = call->session,
					 .parts = in_force_parts,
					 .part_count = in_force_part_count};
	page_add(&call->page, &frame);
}

/* The whole of a text as a number; 0: it is none. */
static uint64_t number_of(const char *text)
{
	uint64_t number = 0;
	for (size_t i = 0; text[i] != '\0'; i++) {
		if (!byte_is_digit((uint8_t)text[i]) || i > 17)
			return 0;
		number = number * 10 + (uint64_t)(text[i] - '0');
	}
	return number;
}

static void list_from(struct call *call, uint64_t before)
{
	const struct page_frame frame = {.title = page_text(&call->page, SAY_INCIDENTS),
					 .path = call->visit->path,
					 .session = call->session,
					 .parts = incident_list_parts,
					 .part_count = incident_list_part_count};
	call->page.before = before;
	page_add(&call->page, &frame);
}

static void list(struct call *call)
{
	list_from(call, 0);
}

static void list_before(struct call *call)
{
	uint64_t before = number_of(call->rest);
	if (before == 0)
		say_no(call, MHD_HTTP_NOT_FOUND, SAY_NO_SUCH_INCIDENT);
	else
		list_from(call, before);
}

static void incident_page(struct call *call, const struct case_record *record)
{
	char title[128], live[64];
	struct buffer words = buffer_make(NULL);
	html_add_number(&words, page_text(&call->page, SAY_INCIDENT), (unsigned long)record->id);
	snprintf(title, sizeof(title), "%.*s", SLICE_ARG(buffer_slice(&words)));
	buffer_free(&words);
	snprintf(live, sizeof(live), "/live/incidents/%" PRIu64, record->id);
	const struct page_frame frame = {.title = title,
					 .path = call->visit->path,
					 .up_to_date = live,
					 .session = call->session,
					 .parts = incident_parts,
					 .part_count = incident_part_count};
	page_add(&call->page, &frame);
}

static void report_page(struct call *call, const struct case_record *record)
{
	call->reply->inline_style = true;
	if (report_add(call->page.store, record, call->page.language, call->page.sight->wall_ms, call->page.out) != 0)
		say_no(call, MHD_HTTP_INTERNAL_SERVER_ERROR, SAY_REPORT_FAILED);
}

/* "3" and "3/report" */
static void incident(struct call *call)
{
	const char *slash = strchr(call->rest, '/');
	char number[24];
	snprintf(number, sizeof(number), "%.*s", slash != NULL ? (int)(slash - call->rest) : 20, call->rest);
	struct case_record *record = malloc(sizeof(*record));
	uint64_t id = number_of(number);
	bool report = slash != NULL && strcmp(slash, "/report") == 0;
	bool found = record != NULL && id != 0 && (slash == NULL || report) && call->page.store != NULL &&
		     case_store_read(call->page.store, id, record) == 0;
	call->page.record = record;
	if (!found)
		say_no(call, MHD_HTTP_NOT_FOUND, SAY_NO_SUCH_INCIDENT);
	else if (report)
		report_page(call, record);
	else
		incident_page(call, record);
	free(record);
	call->page.record = NULL;
}

/* ---- streams ---- */

static void live(struct call *call)
{
	static const char incidents[] = "incidents/";
	bool of_incident = strncmp(call->rest, incidents, strlen(incidents)) == 0;
	uint64_t id = of_incident ? number_of(call->rest + strlen(incidents)) : 0;
	if (of_incident ? id == 0 : call->rest[0] != '\0') {
		say_no(call, MHD_HTTP_NOT_FOUND, SAY_NOT_FOUND);
		return;
	}
	*call->wish = (struct wish){call->session, id, call->page.language, call->page.chosen};
	call->reply->type = "text/event-stream";
	call->reply->goes_on = true;
}

/* ---- getting in ---- */

/* A browser that fetches what its user may open next says so (Sec-Purpose, or what came before that). */
static bool is_ahead_of_user(const struct visit *visit)
{
	static const char *const names[] = {"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"};
	bool ahead = false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ahead = ahead || visit_header(visit, names[i]) != NULL;
	return ahead;
}

/* Who only looks whether there is something gets no session, and uses nothing up: what is not 2xx is fetched again. */
static void enter_not_yet(struct call *call, bool head)
{
	struct routes *routes = call->routes;
	if (!sessions_would_enter(&routes->sessions, call->rest, routes->sight.now_ms))
		say_no(call, MHD_HTTP_FORBIDDEN, SAY_REFUSED_TOKEN);
	else if (head)
		page_welcome(&call->page);
	else
		say_no(call, MHD_HTTP_SERVICE_UNAVAILABLE, SAY_NOT_AHEAD);
}

/* Not a redirect: a cookie that is for this site alone is not sent along with one that began elsewhere. */
static void enter(struct call *call)
{
	struct routes *routes = call->routes;
	bool head = strcmp(call->visit->method, MHD_HTTP_METHOD_HEAD) == 0;
	uid_t user;
	if (head || is_ahead_of_user(call->visit)) {
		enter_not_yet(call, head);
		return;
	}
	struct session *session = guest_user(call->visit->guest, &user)
					  ? sessions_enter(&routes->sessions, call->rest, user, routes->sight.now_ms)
					  : NULL;
	if (session == NULL) {
		say_no(call, MHD_HTTP_FORBIDDEN, SAY_REFUSED_TOKEN);
		return;
	}
	snprintf(call->reply->cookie, sizeof(call->reply->cookie), "%s=%s; Path=/; HttpOnly; SameSite=Strict",
		 routes->cookie, session->cookie);
	page_welcome(&call->page);
}

/* ---- orders ---- */

static bool is_path_of_ours(const char *path)
{
	size_t len = strspn(path, "/abcdefghijklmnopqrstuvwxyz0123456789");
	return path[0] == '/' && path[1] != '/' && path[len] == '\0';
}

static void go_back(struct call *call)
{
	char back[128], tag[16];
	visit_field(call->visit, "back", back, sizeof(back));
	visit_field(call->visit, "lang", tag, sizeof(tag));
	snprintf(call->reply->location, sizeof(call->reply->location), "%s%s%s", is_path_of_ours(back) ? back : "/",
		 language_find(tag) != LANGUAGES ? "?lang=" : "", language_find(tag) != LANGUAGES ? tag : "");
	call->reply->status = MHD_HTTP_SEE_OTHER;
}

static void order(struct call *call)
{
	char csrf[SECRET_BYTES + 2], text[320], why[160];
	struct buffer said = buffer_make(NULL);
	visit_field(call->visit, "csrf", csrf, sizeof(csrf));
	if (!session_may_change(call->session, csrf)) {
		say_no(call, MHD_HTTP_FORBIDDEN, SAY_REFUSED_FORM);
		return;
	}
	visit_field(call->visit, "order", text, sizeof(text));
	visit_field(call->visit, "why", why, sizeof(why));
	call->session->news_good = orders_pass_on(call->routes->control, call->session->user, text, why, &said);
	snprintf(call->session->news, sizeof(call->session->news), "%.*s", (int)(said.len < 250 ? said.len : 250),
		 (const char *)said.ptr);
	buffer_free(&said);
	asker_hurry(&call->routes->sight.asker);
	go_back(call);
}

/* ---- what of the program itself is shown ---- */

static void asset(struct call *call)
{
	call->reply->asset = asset_find(call->visit->path);
	if (call->reply->asset == NULL)
		say_no(call, MHD_HTTP_NOT_FOUND, SAY_NOT_FOUND);
}

static const struct route {
	const char *path;
	bool whole; /* it is all of the path, and not how that begins */
	bool free;  /* for those without a session too */
	const char *method;
	void (*answer)(struct call *call);
} table[] = {
	{"/", true, false, "GET", overview},
	{"/measures", true, false, "GET", measures},
	{"/incidents", true, false, "GET", list},
	{"/incidents/before/", false, false, "GET", list_before},
	{"/incidents/", false, false, "GET", incident},
	{"/live/", false, false, "GET", live},
	{"/orders", true, false, "POST", order},
	{"/enter/", false, true, "GET", enter},
	{"/", false, true, "GET", asset},
};

static const struct route *find_route(const char *path)
{
	size_t i = 0;
	while (table[i].whole ? strcmp(path, table[i].path) != 0
			      : strncmp(path, table[i].path, strlen(table[i].path)) != 0)
		if (++i == sizeof(table) / sizeof(table[0]))
			return NULL;
	return &table[i];
}

static void choose_language(struct call *call)
{
	const char *tag = visit_query(call->visit, "lang"), *accepted = visit_header(call->visit, "Accept-Language");
	enum language asked = tag != NULL ? language_find(tag) : LANGUAGES;
	call->page.chosen = asked != LANGUAGES;
	call->page.language = call->page.chosen ? asked : language_accepted(accepted);
}

static struct session *find_session(struct call *call)
{
	struct routes *routes = call->routes;
	const char *cookie = visit_cookie(call->visit, routes->cookie);
	uid_t user;
	if (cookie == NULL || !guest_user(call->visit->guest, &user))
		return NULL;
	struct session *session = sessions_find(&routes->sessions, cookie, user, routes->sight.now_ms);
	call->visit->guest->known = call->visit->guest->known || session != NULL;
	return session;
}

static bool is_method(const struct visit *visit, const char *method)
{
	return strcmp(visit->method, method) == 0 ||
	       (strcmp(method, "GET") == 0 && strcmp(visit->method, MHD_HTTP_METHOD_HEAD) == 0);
}

/* A link may lead here from anywhere: whoever follows it brings no cookie, which is for this site alone. */
static bool is_link_followed(const struct visit *visit)
{
	const char *mode = visit_header(visit, "Sec-Fetch-Mode");
	return is_method(visit, MHD_HTTP_METHOD_GET) && visit_header(visit, "Origin") == NULL && mode != NULL &&
	       strcmp(mode, "navigate") == 0;
}

static bool is_of_ours(const struct visit *visit)
{
	const char *host = visit_header(visit, "Host"), *site = visit_header(visit, "Sec-Fetch-Site");
	return host_is_own(host) &&
	       (is_link_followed(visit) || origin_is_own(visit_header(visit, "Origin"), site, host));
}

/* Who asks for the head alone is shown nothing: what became of an order is told on the next page still. */
static void answer(struct call *call, const struct route *route)
{
	char news[SESSION_NEWS_BYTES] = "";
	bool shows = call->session == NULL || strcmp(call->visit->method, MHD_HTTP_METHOD_HEAD) != 0;
	if (!shows)
		memcpy(news, call->session->news, sizeof(news));
	route->answer(call);
	if (!shows)
		memcpy(call->session->news, news, sizeof(news));
}

void routes_answer(struct routes *routes, struct visit *visit, struct reply *reply, struct wish *ret_wish)
{
	struct call call = {.routes = routes, .visit = visit, .reply = reply, .wish = ret_wish};
	const struct route *route = find_route(visit->path);
	*reply = (struct reply){.status = MHD_HTTP_OK, .body = buffer_make(NULL)};
	call.page = (struct page){.sight = &routes->sight, .out = &reply->body};
	choose_language(&call);
	if (!is_of_ours(visit)) {
		say_no(&call, MHD_HTTP_FORBIDDEN, SAY_REFUSED_FORM);
		return;
	}
	call.session = find_session(&call);
	if (visit->too_large)
		say_no(&call, MHD_HTTP_CONTENT_TOO_LARGE, SAY_REFUSED_FORM);
	else if (route == NULL || (!route->free && call.session == NULL))
		say_no(&call, route == NULL ? MHD_HTTP_NOT_FOUND : MHD_HTTP_FORBIDDEN,
		       route == NULL ? SAY_NOT_FOUND : SAY_REFUSED_SESSION);
	else if (!is_method(visit, route->method))
		say_no(&call, MHD_HTTP_METHOD_NOT_ALLOWED, SAY_NOT_FOUND);
	else {
		call.rest = visit->path + strlen(route->path);
		if (!route->free)
			page_open(&call.page);
		answer(&call, route);
		page_close(&call.page);
	}
}
