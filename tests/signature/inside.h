/* The inside of a world, for world.c and attack.c alone. */
#ifndef TESTS_SIGNATURE_INSIDE_H
#define TESTS_SIGNATURE_INSIDE_H

#include "wire/fingerprint.h"
#include "world.h"

enum {
	CLIENTS_MOST = 40,
	VERSIONS_MOST = 6,
	LANGUAGES = 12,
	PAGES_MOST = 400,
	ASSETS = 200,
	PEOPLE_MOST = 20000,
	BOTS_MOST = 20000,
	TOOLS = 2,
	VISIT_MOST = 16, /* requests */
};

struct client {
	uint64_t id;
	unsigned versions;
	uint32_t present; /* always */
	unsigned headers;
	uint64_t protocol;
	double weight;
};

struct person {
	struct address source;
	unsigned client, version, language;
	uint64_t odd; /* an extension of theirs that changes headers; 0: none */
	bool regular;
};

enum target { ONE_URL, RANDOM_QUERIES, POST_FORMS, MANY_PAGES, TARGETS };
enum tell { TELL_ORDER, TELL_ABSENT, TELL_QUERY, TELL_PACE, TELL_AGENT, TELLS };

struct tool {
	bool tell[TELLS];
	uint64_t id;
	unsigned absent;   /* header */
	unsigned like;     /* client whose order it has, where a few visitors have it too; CLIENTS_MOST: its own */
	bool random_names; /* of arguments */
	uint64_t pace_class;
	double mixed; /* share of requests that take from several clients */
};

struct world {
	uint64_t state;
	enum world_kind kind;
	unsigned clients, pages, people, bots, tools;
	struct client client[CLIENTS_MOST];
	struct person person[PEOPLE_MOST];
	struct person bot[BOTS_MOST]; /* or those of the crowd */
	struct tool tool[TOOLS];
	enum target target;
	double tool_share;
	double normal_share, normal_guess;
	/* a crowd's */
	double to_new_page, with_link, assets_fetched;
	unsigned page;
	/* a visit under way, of a visitor and of one in the crowd */
	struct visit {
		struct signature_request request[VISIT_MOST];
		unsigned count, next;
	} visit[2];
	char text[300];
};

struct asked {
	uint64_t path, query, length;
	bool asset, post, cookie, referer;
	uint64_t pause_ms;
};

/* ---- chance ---- */

uint64_t next(struct world *w);
bool chance(struct world *w, double p);
double between(struct world *w, double low, double high);
double between_sizes(struct world *w, double low, double high);
unsigned zipf(struct world *w, unsigned count);
uint64_t named(const char *kind, uint64_t a, uint64_t b, uint64_t c);

/* ---- who comes, and what they ask ---- */

struct person some_person(struct world *w, double regular, double home);
uint64_t page_path(unsigned page);
struct signature_request request_of(const struct world *w, const struct person *p, const struct asked *a);

/* ---- an attack ---- */

void make_attack(struct world *w);
struct signature_request of_the_attack(struct world *w);

#endif
