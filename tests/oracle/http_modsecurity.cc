#include "http_oracle.h"

#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>

#include <memory>
#include <string>
#include <vector>

namespace
{

struct Teller {
	oracle_sink *sink;
	void *context;

	void tell(const char *collection, const std::string &key, const std::string &value) const
	{
		sink(context, collection, {key.data(), key.size()}, {value.data(), value.size()});
	}
	void tell(const char *collection, modsecurity::AnchoredSetVariable &set) const
	{
		std::vector<const modsecurity::VariableValue *> values;
		set.resolve(&values);
		for (const auto *value : values) {
			tell(collection, value->getKey(), value->getValue());
			delete value;
		}
	}
	void tell(const char *collection, modsecurity::AnchoredVariable &variable) const
	{
		tell(collection, "", variable.m_value);
	}
};

std::string text(struct oracle_text t)
{
	return std::string(t.ptr, t.len);
}

struct Library {
	modsecurity::ModSecurity modsecurity;
	std::unique_ptr<modsecurity::RulesSet> plain = load("");
	std::unique_ptr<modsecurity::RulesSet> json = load("JSON");
	std::unique_ptr<modsecurity::RulesSet> xml = load("XML");

	static std::unique_ptr<modsecurity::RulesSet> load(const std::string &processor)
	{
		auto rules = std::make_unique<modsecurity::RulesSet>();
		std::string config = "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\n"
				     "SecRequestBodyJsonDepthLimit 8\nSecArgumentsLimit 12\n";
		if (!processor.empty())
			config += "SecAction \"id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=" + processor + "\"\n";
		if (rules->load(config.c_str()) < 0)
			throw std::string("the oracle's rules do not load");
		return rules;
	}
	modsecurity::RulesSet *rules(const std::string &processor)
	{
		return processor == "JSON" ? json.get() : processor == "XML" ? xml.get() : plain.get();
	}
};

void tell_all(modsecurity::Transaction &t, const Teller &to)
{
	to.tell("ARGS", t.m_variableArgs);
	to.tell("REQUEST_COOKIES", t.m_variableRequestCookies);
	to.tell("URLENCODED_ERROR", t.m_variableUrlEncodedError);
	to.tell("QUERY_STRING", t.m_variableQueryString);
	to.tell("REQUEST_URI", t.m_variableRequestURI);
	to.tell("REQUEST_FILENAME", t.m_variableRequestFilename);
	to.tell("REQUEST_BASENAME", t.m_variableRequestBasename);
	to.tell("FILES", t.m_variableFiles);
	to.tell("FILES_NAMES", t.m_variableFilesNames);
	to.tell("FILES_SIZES", t.m_variableFilesSizes);
	to.tell("FILES_COMBINED_SIZE", t.m_variableFilesCombinedSize);
	to.tell("MULTIPART_NAME", t.m_variableMultipartName);
	to.tell("MULTIPART_FILENAME", t.m_variableMultipartFileName);
	to.tell("MULTIPART_PART_HEADERS", t.m_variableMultipartPartHeaders);
	to.tell("MULTIPART_STRICT_ERROR", t.m_variableMultipartStrictError);
	to.tell("MULTIPART_BOUNDARY_QUOTED", t.m_variableMultipartBoundaryQuoted);
	to.tell("MULTIPART_BOUNDARY_WHITESPACE", t.m_variableMultipartBoundaryWhiteSpace);
	to.tell("MULTIPART_DATA_BEFORE", t.m_variableMultipartDataBefore);
	to.tell("MULTIPART_DATA_AFTER", t.m_variableMultipartDataAfter);
	to.tell("MULTIPART_HEADER_FOLDING", t.m_variableMultipartHeaderFolding);
	to.tell("MULTIPART_LF_LINE", t.m_variableMultipartLFLine);
	to.tell("MULTIPART_CRLF_LF_LINES", t.m_variableMultipartCrlfLFLines);
	to.tell("MULTIPART_MISSING_SEMICOLON", t.m_variableMultipartMissingSemicolon);
	to.tell("MULTIPART_INVALID_QUOTING", t.m_variableMultipartInvalidQuoting);
	to.tell("MULTIPART_INVALID_PART", t.m_variableMultipartInvalidPart);
	to.tell("MULTIPART_INVALID_HEADER_FOLDING", t.m_variableMultipartInvalidHeaderFolding);
	to.tell("MULTIPART_UNMATCHED_BOUNDARY", t.m_variableMultipartUnmatchedBoundary);
	to.tell("REQBODY_ERROR", t.m_variableReqbodyError);
	to.tell("REQBODY_PROCESSOR_ERROR_MSG", t.m_variableReqbodyProcessorErrorMsg);
}

} // namespace

void oracle_ask(const struct oracle_request *request, oracle_sink *sink, void *context)
{
	static Library library;
	modsecurity::Transaction t(&library.modsecurity, library.rules(request->processor), nullptr);
	t.processConnection("127.0.0.1", 1, "127.0.0.1", 80);
	t.processURI(text(request->uri).c_str(), "POST", "1.1");
	if (request->cookie.ptr != nullptr)
		t.addRequestHeader("Cookie", text(request->cookie));
	if (request->content_type.ptr != nullptr)
		t.addRequestHeader("Content-Type", text(request->content_type));
	t.processRequestHeaders();
	t.appendRequestBody(reinterpret_cast<const unsigned char *>(request->body.ptr), request->body.len);
	t.processRequestBody();
	tell_all(t, Teller{sink, context});
}
