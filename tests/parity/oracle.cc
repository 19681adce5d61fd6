/*
 * The debug log tells, at level 4: "(Rule: ID) Executing operator ...", "(Rule: ID) Executing unconditional rule...",
 * "Executing chained rule." and "Rule returned 1."; at level 7 "Added ... TX.GROUP: VALUE" for every capture. A log of
 * our own, given to the rule set, reads them as they come.
 */
#include "oracle.h"

#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

/* The public headers only name this type; an empty list of exclusions is all that is needed of it. */
namespace modsecurity::variables
{
class KeyExclusion
{
      public:
	virtual ~KeyExclusion() = default;
};
class KeyExclusions : public std::deque<std::unique_ptr<KeyExclusion>>
{
};
} // namespace modsecurity::variables

namespace
{

constexpr int LEVEL = 7;

using modsecurity::debug_log::DebugLog;

class MatchLog : public DebugLog
{
      public:
	MatchLog()
	{
		m_debugLevel = LEVEL;
	}
	void begin(struct outcome *to)
	{
		outcome = to;
		head = 0;
		depth = 0;
		chained = false;
		captures.clear();
	}
	void end()
	{
		outcome = nullptr; /* what was captured stays: the outcome looks at it */
	}
	struct capture {
		unsigned group;
		std::string value;
		size_t link; /* the how manieth link run */
	};
	std::vector<capture> captures; /* of each group, those of the last link that captured it */

	void write(int, const std::string &message) override
	{
		read(message);
	}
	void write(int, const std::string &, const std::string &, const std::string &message) override
	{
		read(message);
	}
	bool isLogFileSet() override
	{
		return false;
	}
	bool isLogLevelSet() override
	{
		return true;
	}
	int getDebugLogLevel() override
	{
		return LEVEL;
	}
	void setDebugLogLevel(int) override
	{
	}
	void setDebugLogFile(const std::string &, std::string *) override
	{
	}

      private:
	void read(const std::string &message)
	{
		if (outcome == nullptr)
			return;
		if (message.compare(0, 7, "(Rule: ") == 0)
			enter(message);
		else if (message == "Executing chained rule.")
			chained = true;
		else if (message == "Rule returned 1.")
			record();
		else if (message.compare(0, 6, "Added ") == 0)
			capture_one(message);
	}
	void enter(const std::string &message)
	{
		links++;
		depth = chained ? depth + 1 : 0;
		if (!chained)
			head = std::strtoll(message.c_str() + 7, nullptr, 10);
		chained = false;
		if (message.find(") Executing unconditional rule...") != std::string::npos)
			record();
	}
	void record()
	{
		if (outcome->match_count < OUTCOME_MATCHES_MAX)
			outcome->matches[outcome->match_count++] = {head, depth, false};
	}

	void capture_one(const std::string &message)
	{
		size_t at = message.find(" TX.");
		if (at == std::string::npos || at + 6 >= message.size())
			return;
		size_t colon = message.find(": ", at);
		if (colon == std::string::npos)
			return;
		unsigned group = static_cast<unsigned>(std::strtoul(message.c_str() + at + 4, nullptr, 10));
		auto stale = [&](const capture &c) { return c.group == group && c.link != links; };
		captures.erase(std::remove_if(captures.begin(), captures.end(), stale), captures.end());
		captures.push_back({group, message.substr(colon + 2), links});
	}

	struct outcome *outcome = nullptr;
	size_t links = 0;
	int64_t head = 0;
	unsigned depth = 0;
	bool chained = false;
};

std::string text(struct slice s)
{
	return std::string(reinterpret_cast<const char *>(s.ptr), s.len);
}

struct slice view(const std::string &s)
{
	return slice_make(s.data(), s.size());
}

} // namespace

struct oracle {
	modsecurity::ModSecurity engine;
	MatchLog *log; /* owned by the rules */
	std::unique_ptr<modsecurity::RulesSet> rules;
	std::vector<std::pair<std::string, std::string>> tx;
};

static std::string last_error;

extern "C" struct oracle *oracle_new(const char *rules_file, const char **ret_error)
{
	std::unique_ptr<struct oracle> made(new struct oracle);
	made->engine.setServerLogCb([](void *, const void *) {}, modsecurity::TextLogProperty);
	made->log = new MatchLog;
	made->rules.reset(new modsecurity::RulesSet(made->log));
	if (made->rules->loadFromUri(rules_file) < 0) {
		last_error = made->rules->getParserError();
		*ret_error = last_error.c_str();
		return nullptr;
	}
	return made.release();
}

extern "C" void oracle_free(struct oracle *oracle)
{
	delete oracle;
}

static bool disrupted(modsecurity::Transaction &transaction, struct outcome *outcome)
{
	modsecurity::ModSecurityIntervention it = {200, 0, nullptr, nullptr, 0};
	if (!transaction.intervention(&it))
		return false;
	outcome->status = it.status;
	modsecurity::intervention::free(&it);
	return true;
}

static void run_request(modsecurity::Transaction &t, const struct sample *e, struct outcome *outcome, bool *ret_over)
{
	t.processConnection(text(e->client).c_str(), 40000, "127.0.0.1", 80);
	t.processURI(text(e->uri).c_str(), text(e->method).c_str(), text(e->version).c_str());
	for (size_t i = 0; i < e->header_count; i++)
		t.addRequestHeader(text(e->headers[i].name), text(e->headers[i].value));
	t.processRequestHeaders();
	if ((*ret_over = disrupted(t, outcome)))
		return;
	if (e->body.len > 0)
		t.appendRequestBody(e->body.ptr, e->body.len);
	if ((*ret_over = disrupted(t, outcome)))
		return;
	t.processRequestBody();
	*ret_over = disrupted(t, outcome);
}

static void run_response(modsecurity::Transaction &t, const struct sample *e, struct outcome *outcome)
{
	for (size_t i = 0; i < e->response_header_count; i++)
		t.addResponseHeader(text(e->response_headers[i].name), text(e->response_headers[i].value));
	t.processResponseHeaders(static_cast<int>(e->response_status), "HTTP/1.1");
	if (disrupted(t, outcome))
		return;
	if (e->response_body.len > 0)
		t.appendResponseBody(e->response_body.ptr, e->response_body.len);
	t.processResponseBody();
	disrupted(t, outcome);
}

static void read_tx(struct oracle *oracle, modsecurity::Transaction &t, struct outcome *outcome)
{
	std::vector<const modsecurity::VariableValue *> values;
	modsecurity::variables::KeyExclusions none;
	t.m_collections.m_tx_collection->resolveMultiMatches("", &values, none);
	oracle->tx.clear();
	for (const modsecurity::VariableValue *value : values) {
		std::string name = value->getKey();
		std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
		oracle->tx.emplace_back(name, value->getValue());
		delete value;
	}
	std::sort(oracle->tx.begin(), oracle->tx.end());
	for (const auto &row : oracle->tx)
		if (outcome->tx_count < OUTCOME_TX_MAX)
			outcome->tx[outcome->tx_count++] = {view(row.first), view(row.second)};
	outcome->capture_count = 0;
	for (const auto &capture : oracle->log->captures)
		if (outcome->capture_count < OUTCOME_CAPTURES_MAX)
			outcome->captures[outcome->capture_count++] = {capture.group, view(capture.value)};
}

extern "C" void oracle_run(struct oracle *oracle, const struct sample *sample, struct outcome *ret_outcome)
{
	ret_outcome->match_count = 0;
	ret_outcome->tx_count = 0;
	ret_outcome->status = 200;
	oracle->log->begin(ret_outcome);
	modsecurity::Transaction transaction(&oracle->engine, oracle->rules.get(), nullptr);
	bool over;
	run_request(transaction, sample, ret_outcome, &over);
	if (!over)
		run_response(transaction, sample, ret_outcome);
	transaction.processLogging();
	read_tx(oracle, transaction, ret_outcome);
	oracle->log->end();
}

extern "C" size_t oracle_rule_ids(const struct oracle *oracle, int64_t *ids, size_t capacity)
{
	size_t count = 0;
	for (int phase = 0; phase < modsecurity::Phases::NUMBER_OF_PHASES; phase++) {
		modsecurity::Rules *rules = oracle->rules->m_rulesSetPhases.at(phase);
		for (size_t i = 0; i < rules->size(); i++) {
			auto *rule = dynamic_cast<modsecurity::RuleWithActions *>(rules->at(static_cast<int>(i)).get());
			if (rule == nullptr || rule->isMarker())
				continue;
			if (count < capacity)
				ids[count] = rule->m_ruleId;
			count++;
		}
	}
	return count;
}
