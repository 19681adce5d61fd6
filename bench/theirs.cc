#include "theirs.h"

#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

struct theirs {
	modsecurity::ModSecurity engine;
	modsecurity::RulesSet rules;
};

/* Where the callback writes the rules of the request that is asked about. */
static struct verdict *open_verdict;

/* Lines as text, as the connector asks for them: [id "942100"]. */
static void on_line(void *, const void *line)
{
	if (open_verdict == nullptr || open_verdict->count >= VERDICT_RULES_MAX)
		return;
	const char *id = std::strstr(static_cast<const char *>(line), "[id \"");
	if (id != nullptr)
		open_verdict->rules[open_verdict->count++] = std::strtoll(id + 5, nullptr, 10);
}

extern "C" struct theirs *theirs_new(const char *rules_file)
{
	struct theirs *theirs = new struct theirs;
	theirs->engine.setServerLogCb(on_line, modsecurity::TextLogProperty);
	if (theirs->rules.loadFromUri(rules_file) >= 0)
		return theirs;
	std::fprintf(stderr, "%s\n", theirs->rules.getParserError().c_str());
	delete theirs;
	return nullptr;
}

extern "C" void theirs_free(struct theirs *theirs)
{
	delete theirs;
}

static const unsigned char *bytes(struct slice s)
{
	return reinterpret_cast<const unsigned char *>(s.ptr);
}

static bool over(modsecurity::Transaction &t, int *status)
{
	modsecurity::ModSecurityIntervention it = {200, 0, nullptr, nullptr, 0};
	if (!t.intervention(&it))
		return false;
	*status = it.status;
	modsecurity::intervention::free(&it);
	return true;
}

static bool run_request(modsecurity::Transaction &t, const struct sample *e, int *status)
{
	/* The connector copies these three into NUL-terminated strings as well. */
	std::string uri(reinterpret_cast<const char *>(e->uri.ptr), e->uri.len);
	std::string method(reinterpret_cast<const char *>(e->method.ptr), e->method.len);
	t.processConnection("127.0.0.1", 40000, "127.0.0.1", 80);
	t.processURI(uri.c_str(), method.c_str(), "1.1");
	if (over(t, status))
		return true;
	for (size_t i = 0; i < e->header_count; i++)
		t.addRequestHeader(bytes(e->headers[i].name), e->headers[i].name.len, bytes(e->headers[i].value),
				   e->headers[i].value.len);
	t.processRequestHeaders();
	if (over(t, status))
		return true;
	if (e->body.len > 0)
		t.appendRequestBody(bytes(e->body), e->body.len);
	t.processRequestBody();
	return over(t, status);
}

static void run_response(modsecurity::Transaction &t, const struct sample *e, int *status)
{
	for (size_t i = 0; i < e->response_header_count; i++)
		t.addResponseHeader(bytes(e->response_headers[i].name), e->response_headers[i].name.len,
				    bytes(e->response_headers[i].value), e->response_headers[i].value.len);
	t.processResponseHeaders(static_cast<int>(e->response_status), "HTTP/1.1");
	if (over(t, status))
		return;
	if (e->response_body.len > 0)
		t.appendResponseBody(bytes(e->response_body), e->response_body.len);
	t.processResponseBody();
	over(t, status);
}

extern "C" int theirs_run(struct theirs *theirs, const struct sample *sample, struct verdict *ret_verdict)
{
	int status = 200;
	if (ret_verdict != nullptr)
		ret_verdict->count = 0;
	open_verdict = ret_verdict;
	modsecurity::Transaction transaction(&theirs->engine, &theirs->rules, nullptr);
	if (!run_request(transaction, sample, &status))
		run_response(transaction, sample, &status);
	transaction.processLogging();
	open_verdict = nullptr;
	if (ret_verdict != nullptr)
		ret_verdict->status = status;
	return status;
}
