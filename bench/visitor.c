/* Browsers and cookies as printf formats; a visitor is a choice of these and the numbers that go into them. */
#include "visitor.h"

#include "random.h"

static const struct browser browsers[] = {
	{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%u.0.%u.%u "
	 "Safari/537.36",
	 "\"Chromium\";v=\"%u\", \"Not/A)Brand\";v=\"8\", \"Google Chrome\";v=\"%u\"", "\"Windows\"", "?0", 131},
	{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%u.0.%u.%u "
	 "Safari/537.36 Edg/131.0.2903.86",
	 "\"Microsoft Edge\";v=\"%u\", \"Chromium\";v=\"%u\", \"Not_A Brand\";v=\"24\"", "\"Windows\"", "?0", 131},
	{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%u.0.%u.%u "
	 "Safari/537.36",
	 "\"Google Chrome\";v=\"%u\", \"Not;A=Brand\";v=\"99\", \"Chromium\";v=\"%u\"", "\"macOS\"", "?0", 131},
	{"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%u.0.%u.%u Mobile "
	 "Safari/537.36",
	 "\"Chromium\";v=\"%u\", \"Not/A)Brand\";v=\"8\", \"Google Chrome\";v=\"%u\"", "\"Android\"", "?1", 131},
	{"Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 "
	 "Chrome/%u.0.%u.%u Mobile Safari/537.36",
	 "\"Not)A;Brand\";v=\"99\", \"Samsung Internet\";v=\"%u\", \"Chromium\";v=\"%u\"", "\"Android\"", "?1", 122},
	{"Mozilla/5.0 (iPhone; CPU iPhone OS %u_%u like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	 "Version/18.%u Mobile/15E148 Safari/604.1",
	 NULL, NULL, NULL, 17},
	{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/%u.%u", NULL, NULL, NULL, 118},
	{"Mozilla/5.0 (iPhone; CPU iPhone OS %u_%u like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	 "Mobile/15E148 "
	 "MicroMessenger/8.0.%u NetType/WIFI Language/zh_TW",
	 NULL, NULL, NULL, 17},
};

static const char *const languages[] = {
	"zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7", "zh-HK,zh-MO;q=0.9,zh;q=0.8,en;q=0.7",
	"pt-PT,pt;q=0.9,en-US;q=0.8,en;q=0.7", "en-US,en;q=0.9",
	"en-GB,en;q=0.9,pt;q=0.8,zh-TW;q=0.7", "zh-CN,zh;q=0.9",
};

const struct cookie_form visitor_cookies[VISITOR_COOKIES] = {
	{"session", "%016lx%016lx", false},
	{"_ga", "GA1.2.%lu.%lu", true},
	{"_ga_6WX2BL8Q4D", "GS1.1.%lu.3.1.%lu.0.0.0", true},
	{"csrftoken", "%016lxQ%016lx", false},
	{"lang", "zh-hant.%lu.%lu", true},
	{"consent", "analytics.yes_maps.no_v.%lu_%lu", true},
	{"fontsize", "large-%lu-%lu", true},
	{"_pk_id.1.3fa2", "%016lx.%lx.", false},
	{"last_visit", "%lu-%lu", true},
	{"survey", "seen.%lu.%lu", true},
};

void visitor_make(struct visitor *visitor, uint64_t *seed)
{
	visitor->browser = &browsers[random_below(seed, sizeof(browsers) / sizeof(browsers[0]))];
	visitor->version = visitor->browser->version - (unsigned)random_below(seed, 4);
	visitor->languages = languages[random_below(seed, sizeof(languages) / sizeof(languages[0]))];
	for (size_t i = 0; i < VISITOR_NUMBERS; i++)
		visitor->numbers[i] = random_next(seed);
}

void visitors_make(struct visitor *visitors, uint64_t *seed)
{
	for (size_t i = 0; i < VISITORS; i++)
		visitor_make(&visitors[i], seed);
}
