/*
 * A table of browsers, of which a person's habit draws one. A tool draws another for each value, leaves out and
 * reorders as the run's tells say. A driven browser differs in the few values that fetching an image has.
 */
#include "drill/browser.h"

#include "drill/random.h"

const char *const header_names[HEADERS] = {
	[HEADER_HOST] = "Host",
	[HEADER_CONNECTION] = "Connection",
	[HEADER_CLIENT_HINT] = "sec-ch-ua-mobile",
	[HEADER_INSECURE] = "Upgrade-Insecure-Requests",
	[HEADER_AGENT] = "User-Agent",
	[HEADER_ACCEPT] = "Accept",
	[HEADER_FETCH_SITE] = "Sec-Fetch-Site",
	[HEADER_FETCH_MODE] = "Sec-Fetch-Mode",
	[HEADER_FETCH_DEST] = "Sec-Fetch-Dest",
	[HEADER_REFERER] = "Referer",
	[HEADER_ENCODING] = "Accept-Encoding",
	[HEADER_LANGUAGE] = "Accept-Language",
};

struct browser {
	uint32_t percent; /* of people have it */
	const char *values[HEADERS];
	enum header order[HEADERS + 1];
};

#define CHROME_ACCEPT "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
#define GECKO_ACCEPT  "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
#define OLD_ACCEPT    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

#define CHROME_ORDER                                                                                                   \
	{                                                                                                              \
		HEADER_HOST, HEADER_CONNECTION, HEADER_CLIENT_HINT, HEADER_INSECURE, HEADER_AGENT, HEADER_ACCEPT,      \
			HEADER_FETCH_SITE, HEADER_FETCH_MODE, HEADER_FETCH_DEST, HEADER_REFERER, HEADER_ENCODING,      \
			HEADER_LANGUAGE, HEADER_END                                                                    \
	}

#define FETCH [HEADER_FETCH_SITE] = "same-origin", [HEADER_FETCH_MODE] = "navigate", [HEADER_FETCH_DEST] = "document"

static const struct browser browsers[] = {
	{
		.percent = 38,
		.values = {[HEADER_CONNECTION] = "keep-alive",
			   [HEADER_CLIENT_HINT] = "?1",
			   [HEADER_INSECURE] = "1",
			   [HEADER_AGENT] = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
					    "Chrome/126.0.0.0 Mobile Safari/537.36",
			   [HEADER_ACCEPT] = CHROME_ACCEPT,
			   FETCH,
			   [HEADER_ENCODING] = "gzip, deflate, br",
			   [HEADER_LANGUAGE] = "zh-MO,zh;q=0.9,en;q=0.8"},
		.order = CHROME_ORDER,
	},
	{
		.percent = 27,
		.values = {[HEADER_CONNECTION] = "keep-alive",
			   [HEADER_CLIENT_HINT] = "?0",
			   [HEADER_INSECURE] = "1",
			   [HEADER_AGENT] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
					    "Gecko) Chrome/126.0.0.0 Safari/537.36",
			   [HEADER_ACCEPT] = CHROME_ACCEPT,
			   FETCH,
			   [HEADER_ENCODING] = "gzip, deflate, br, zstd",
			   [HEADER_LANGUAGE] = "zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7"},
		.order = CHROME_ORDER,
	},
	{
		.percent = 22,
		.values = {[HEADER_CONNECTION] = "keep-alive",
			   [HEADER_AGENT] =
				   "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
				   "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
			   [HEADER_ACCEPT] = OLD_ACCEPT,
			   FETCH,
			   [HEADER_ENCODING] = "gzip, deflate, br",
			   [HEADER_LANGUAGE] = "zh-Hant"},
		.order = {HEADER_HOST, HEADER_FETCH_DEST, HEADER_AGENT, HEADER_ACCEPT, HEADER_REFERER,
			  HEADER_FETCH_SITE, HEADER_FETCH_MODE, HEADER_LANGUAGE, HEADER_ENCODING, HEADER_CONNECTION,
			  HEADER_END},
	},
	{
		.percent = 9,
		.values = {[HEADER_CONNECTION] = "keep-alive",
			   [HEADER_INSECURE] = "1",
			   [HEADER_AGENT] = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
			   [HEADER_ACCEPT] = GECKO_ACCEPT,
			   FETCH,
			   [HEADER_ENCODING] = "gzip, deflate, br",
			   [HEADER_LANGUAGE] = "pt-PT,pt;q=0.8,en;q=0.5,en-US;q=0.3"},
		.order = {HEADER_HOST, HEADER_AGENT, HEADER_ACCEPT, HEADER_LANGUAGE, HEADER_ENCODING, HEADER_CONNECTION,
			  HEADER_REFERER, HEADER_INSECURE, HEADER_FETCH_DEST, HEADER_FETCH_MODE, HEADER_FETCH_SITE,
			  HEADER_END},
	},
	/* Older ones, which send less. */
	{
		.percent = 3,
		.values = {[HEADER_CONNECTION] = "keep-alive",
			   [HEADER_AGENT] =
				   "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/605.1.15 (KHTML, "
				   "like Gecko) Version/13.1.2 Safari/605.1.15",
			   [HEADER_ACCEPT] = OLD_ACCEPT,
			   [HEADER_ENCODING] = "gzip, deflate, br",
			   [HEADER_LANGUAGE] = "en-us"},
		.order = {HEADER_HOST, HEADER_ACCEPT, HEADER_CONNECTION, HEADER_REFERER, HEADER_AGENT, HEADER_LANGUAGE,
			  HEADER_ENCODING, HEADER_END},
	},
	{
		.percent = 1,
		.values = {[HEADER_CONNECTION] = "keep-alive",
			   [HEADER_AGENT] = "Mozilla/5.0 (compatible; PublicLibraryTerminal/2.1)",
			   [HEADER_ACCEPT] = OLD_ACCEPT,
			   [HEADER_ENCODING] = "gzip, deflate"},
		.order = {HEADER_HOST, HEADER_AGENT, HEADER_ACCEPT, HEADER_ENCODING, HEADER_CONNECTION, HEADER_END},
	},
};

#define SPIDER_AGENT "Mozilla/5.0 (compatible; ExampleSpider/3.0; +https://search.example/spider)"

/* What a search engine sends. */
static const struct browser crawler = {
	.values = {[HEADER_CONNECTION] = "keep-alive",
		   [HEADER_AGENT] = SPIDER_AGENT,
		   [HEADER_ACCEPT] = OLD_ACCEPT,
		   [HEADER_ENCODING] = "gzip"},
	.order = {HEADER_HOST, HEADER_CONNECTION, HEADER_ACCEPT, HEADER_AGENT, HEADER_ENCODING, HEADER_END},
};

/* What a browser says otherwise of an image that another site's page has it fetch; of what it says at all. */
static const char *const driven_values[HEADERS] = {
	[HEADER_ACCEPT] = "image/avif,image/webp,*/*;q=0.8",
	[HEADER_FETCH_SITE] = "cross-site",
	[HEADER_FETCH_MODE] = "no-cors",
	[HEADER_FETCH_DEST] = "image",
	[HEADER_REFERER] = "https://forum.example/",
};

static const struct browser *draw_browser(uint64_t *random)
{
	uint32_t percent = random_below(random, 100);
	const struct browser *browser = browsers;
	for (; percent >= browser->percent; browser++)
		percent -= browser->percent;
	return browser;
}

static void add(struct browsing *browsing, enum header header, const char *value)
{
	browsing->lines[browsing->count].header = header;
	browsing->lines[browsing->count].value = value;
	browsing->count++;
}

static bool is_made(enum header header)
{
	return header == HEADER_HOST || header == HEADER_REFERER;
}

/* Each value from a browser of its own draw; what that one does not send is taken from the first. */
static void mix(const struct browser *browser, uint64_t *random, const struct tells *tells, struct browsing *browsing)
{
	for (const enum header *header = browser->order; *header != HEADER_END; header++) {
		const struct browser *other = draw_browser(random);
		const char *value = other->values[*header] != NULL ? other->values[*header] : browser->values[*header];
		bool absent = (tells->set & TELL_ABSENT) != 0 &&
			      strcmp(header_names[*header], tell_absent_name[tells->absent]) == 0;
		if (!absent && (value != NULL || is_made(*header)))
			add(browsing, *header, value);
	}
}

/* The same permutation for every attacker of the run: the tool writes headers in its own order, Host first. */
static void reorder(struct browsing *browsing, uint32_t permutation)
{
	uint64_t random = permutation;
	uint32_t rank[HEADERS];
	for (unsigned i = 0; i < HEADERS; i++)
		rank[i] = i == HEADER_HOST ? 0 : 1 + (uint32_t)(random_next(&random) >> 40);
	for (unsigned i = 1; i < browsing->count; i++)
		for (unsigned j = i; j > 0 && rank[browsing->lines[j].header] < rank[browsing->lines[j - 1].header];
		     j--) {
			enum header header = browsing->lines[j].header;
			const char *value = browsing->lines[j].value;
			browsing->lines[j] = browsing->lines[j - 1];
			browsing->lines[j - 1].header = header;
			browsing->lines[j - 1].value = value;
		}
}

void browsing_of(const struct person *person, const struct tells *tells, struct browsing *ret_browsing)
{
	uint64_t random = person->habit;
	const struct browser *browser = draw_browser(&random);
	ret_browsing->count = 0;
	if (person->being == BEING_CRAWLER)
		browser = &crawler;
	if (person->being == BEING_TOOL) {
		mix(browser, &random, tells, ret_browsing);
		if ((tells->set & TELL_ORDER) != 0)
			reorder(ret_browsing, tells->order);
		return;
	}
	for (const enum header *header = browser->order; *header != HEADER_END; header++) {
		bool driven = person->being == BEING_DRIVEN && driven_values[*header] != NULL;
		add(ret_browsing, *header, driven ? driven_values[*header] : browser->values[*header]);
	}
}
