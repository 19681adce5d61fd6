/*
 * What is asked for is drawn by tables of shares, one for each target. The request's word seeds it, or, where all ask
 * for one page, the run's tells do: nothing else is random. Its bytes are asking_wire.c's.
 */
#include "drill/asking.h"

#include "drill/random.h"

#include <stdio.h>

enum {
	PAGES = 4,
};

const char *const site_hosts[SITES] = {
	"secretary.example.gov.mo", "police.example.gov.mo",  "fire.example.gov.mo",
	"affairs.example.gov.mo",   "academy.example.gov.mo",
};

static const char *const pages[PAGES] = {"/", "/news", "/services", "/notices"};

static const char *const words[] = {
	"licence",    "renewal", "border",    "visa",      "typhoon",  "tender",  "recruitment", "statistics",
	"permit",     "parking", "residence", "fireworks", "course",   "uniform", "appointment", "certificate",
	"inspection", "hydrant", "passport",  "lost",      "property", "road",    "traffic",     "exam",
};

static const char *draw_word(uint64_t *random)
{
	return words[random_below(random, sizeof(words) / sizeof(words[0]))];
}

static void ask(struct asking *asking, const char *method, bool session, bool kept)
{
	asking->method = method;
	asking->session = session;
	asking->kept = kept;
}

/* Each is asked for several times a second, so that in quiet nginx has a fresh one. */
static void ask_page(struct asking *asking, uint64_t *random)
{
	ask(asking, "GET", false, true);
	snprintf(asking->uri, sizeof(asking->uri), "%s", pages[random_below(random, PAGES)]);
}

static void ask_account(struct asking *asking, uint64_t *random)
{
	ask(asking, "GET", true, false);
	snprintf(asking->uri, sizeof(asking->uri), "/account/cases?number=%u", 100000 + random_below(random, 900000));
}

static void ask_search(struct asking *asking, uint64_t *random)
{
	ask(asking, "GET", true, false);
	snprintf(asking->uri, sizeof(asking->uri), "/search?q=%s+%s&page=%u", draw_word(random), draw_word(random),
		 1 + random_below(random, 9));
}

static void post_search(struct asking *asking, uint64_t *random)
{
	ask(asking, "POST", true, false);
	snprintf(asking->uri, sizeof(asking->uri), "/search");
	snprintf(asking->body, sizeof(asking->body), "q=%s+%s&from=20%02u-%02u", draw_word(random), draw_word(random),
		 10 + random_below(random, 14), 1 + random_below(random, 12));
}

static void post_login(struct asking *asking, uint64_t *random)
{
	ask(asking, "POST", true, false);
	snprintf(asking->uri, sizeof(asking->uri), "/login");
	snprintf(asking->body, sizeof(asking->body), "user=%s%u&password=%s%08x", draw_word(random),
		 random_below(random, 100), draw_word(random), (unsigned)(uint32_t)random_next(random));
}

typedef void ask_function(struct asking *asking, uint64_t *random);

struct share {
	ask_function *ask;
	uint32_t percent;
};

/* Rows of a target, 100 % together. */
static const struct share resident_shares[] = {
	{ask_page, 50}, {ask_account, 25}, {ask_search, 15}, {post_search, 7}, {post_login, 3}};
static const struct share private_shares[] = {{ask_account, 50}, {ask_search, 30}, {post_search, 14}, {post_login, 6}};
static const struct share form_shares[] = {{post_search, 60}, {post_login, 40}};
static const struct share page_shares[] = {{ask_page, 100}};
static const struct share account_shares[] = {{ask_account, 100}};

static const struct share *const shares_of[] = {
	[TARGET_RESIDENT] = resident_shares, [TARGET_ONE_PAGE] = account_shares, [TARGET_RANDOM_QUERY] = page_shares,
	[TARGET_FORMS] = form_shares,        [TARGET_PRIVATE] = private_shares,
};

/* Of the address, with forms too: what is in a body nobody has seen yet who must decide on a request. */
static void add_argument(struct asking *asking, const char *name, unsigned digits, uint64_t *random)
{
	char *text = asking->uri;
	size_t at = strlen(text), room = ASKING_TEXT_BYTES;
	at += (size_t)snprintf(text + at, room - at, "%c%s=", strchr(text, '?') == NULL ? '?' : '&', name);
	for (unsigned i = 0; i < digits && at + 1 < room; i++)
		text[at++] = (char)('0' + random_below(random, 10));
	text[at] = '\0';
}

void asking_make(enum target target, const struct person *person, uint32_t word, const struct tells *tells,
		 struct asking *ret_asking)
{
	/* One page is the run's: what decides it is the run's too. */
	bool one = target == TARGET_ONE_PAGE;
	uint64_t random = one ? tells->order : word;
	struct asking *asking = ret_asking;
	*asking = (struct asking){.host = site_hosts[(one ? tells->order : person->habit) % SITES]};
	uint32_t percent = random_below(&random, 100);
	const struct share *share = shares_of[target];
	for (; percent >= share->percent; share++)
		percent -= share->percent;
	share->ask(asking, &random);
	bool told = (tells->set & TELL_QUERY) != 0;
	if (told)
		add_argument(asking, tells->argument, tells->argument_digits, &random);
	if (target == TARGET_RANDOM_QUERY && !told)
		add_argument(asking, draw_word(&random), 4 + random_below(&random, 6), &random);
	if (target == TARGET_RANDOM_QUERY)
		asking->kept = false;
}
