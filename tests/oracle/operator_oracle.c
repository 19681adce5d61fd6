/*
 * The small operators against libmodsecurity's: for seeded random values and arguments, each rule below must match in
 * libmodsecurity exactly if our function says so. A rule that matches is logged with its id; the values come in as
 * arguments of a request. Usage: operator_oracle [REQUESTS [SEED]]; prints TAP.
 */
#include "base/test.h"
#include "match/bytes.h"
#include "match/compare.h"
#include "match/network.h"
#include "match/verify.h"
#include "random.h"

#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>

enum { VALUE_LIMIT = 64 };

/* What a request carries: `v` and `p` for comparisons and checks, `w` (absent if empty) for verify*, `a` an address. */
struct inputs {
	struct slice v, p, a;
	char v_bytes[VALUE_LIMIT], p_bytes[VALUE_LIMIT], a_bytes[VALUE_LIMIT];
};

struct row;
typedef bool row_function(const struct row *row, const struct inputs *inputs);

static row_function text_row, number_row, range_row, url_row, utf8_row, network_row, verify_row;

/* A rule and what decides it here. */
struct row {
	const char *target;
	const char *operator;
	const char *argument;
	row_function *matches;
	bool (*compare)(struct slice value, struct slice argument, size_t *ret_at);
	verify_function *verify;
};

#define NESTED "10.0.0.0/8,10.1.0.0/16,10.1.2.0/24,10.1.2.3,192.168.0.0/30,2001:db8::/32,2001:db8:1::/48,::1"
#define APART  "10.1.2.3,10.1.2.5/32,10.1.2.16/28,10.2.0.0/15,172.16.0.0/12,2001:db8:1:2::/64,2001:db8:1:2::5,fe80::/10"

static const struct row ROWS[] = {
	{"ARGS:v", "streq", "%{ARGS.p}", text_row, compare_equal, NULL},
	{"ARGS:v", "contains", "%{ARGS.p}", text_row, compare_contains, NULL},
	{"ARGS:v", "strmatch", "%{ARGS.p}", text_row, compare_contains, NULL},
	{"ARGS:v", "containsWord", "%{ARGS.p}", text_row, compare_contains_word, NULL},
	{"ARGS:v", "beginsWith", "%{ARGS.p}", text_row, compare_begins_with, NULL},
	{"ARGS:v", "endsWith", "%{ARGS.p}", text_row, compare_ends_with, NULL},
	{"ARGS:v", "within", "%{ARGS.p}", text_row, compare_within, NULL},
	{"ARGS:v", "eq", "%{ARGS.p}", number_row, NULL, NULL},
	{"ARGS:v", "ge", "%{ARGS.p}", number_row, NULL, NULL},
	{"ARGS:v", "gt", "%{ARGS.p}", number_row, NULL, NULL},
	{"ARGS:v", "le", "%{ARGS.p}", number_row, NULL, NULL},
	{"ARGS:v", "lt", "%{ARGS.p}", number_row, NULL, NULL},
	{"ARGS:v", "validateByteRange", "32-57,65-90, 97 - 122,10,255", range_row, NULL, NULL},
	{"ARGS:v", "validateUrlEncoding", "", url_row, NULL, NULL},
	{"ARGS:v", "validateUtf8Encoding", "", utf8_row, NULL, NULL},
	{"ARGS:a", "ipMatch", NESTED, network_row, NULL, NULL},
	{"ARGS:a", "ipMatch", APART, network_row, NULL, NULL},
	{"ARGS:w", "verifyCC", "[0-9]{3,16}", verify_row, NULL, verify_card},
	{"ARGS:w", "verifyCPF", "[0-9.]{11,14}", verify_row, NULL, verify_cpf},
	{"ARGS:w", "verifySSN", "[0-9]{3}[.]?[0-9]{6}", verify_row, NULL, verify_ssn},
	{"ARGS:w", "verifySVNR", "[0-9]{10}", verify_row, NULL, verify_svnr},
};
enum { ROW_COUNT = sizeof(ROWS) / sizeof(ROWS[0]) };

static bool text_row(const struct row *row, const struct inputs *inputs)
{
	size_t at;
	return row->compare(inputs->v, inputs->p, &at);
}

static bool number_row(const struct row *row, const struct inputs *inputs)
{
	int64_t value = compare_number(inputs->v), argument = compare_number(inputs->p);
	if (strcmp(row->operator, "eq") == 0)
		return compare_number_narrow(value) == compare_number_narrow(argument);
	if (row->operator[1] == 'e')
		return row->operator[0] == 'g' ? value >= argument : value <= argument;
	return row->operator[0] == 'g' ? value > argument : value<argument;
}

static bool range_row(const struct row *row, const struct inputs *inputs)
{
	static struct byte_range set;
	static bool parsed;
	struct slice bad;
	if (!parsed && byte_range_parse(slice_from_string(row->argument), &set, &bad) != 0)
		abort();
	parsed = true;
	return byte_range_find_foreign(&set, inputs->v, 0) < inputs->v.len;
}

static bool url_row(const struct row *row, const struct inputs *inputs)
{
	(void)row;
	size_t at;
	return url_encoding_check(inputs->v, &at) != URL_ENCODING_VALID;
}

static bool utf8_row(const struct row *row, const struct inputs *inputs)
{
	(void)row;
	size_t at;
	return utf8_encoding_check(inputs->v, &at) != UTF8_VALID;
}

static bool network_row(const struct row *row, const struct inputs *inputs)
{
	struct network_list list = {0};
	struct networks *networks;
	struct network_address address;
	struct slice bad;
	if (network_list_add(&list, slice_from_string(row->argument), &bad) != 0 ||
	    networks_compile(&list, &networks) != 0)
		abort();
	bool in = network_address_parse(inputs->a, &address) && networks_contain(networks, &address);
	networks_free(networks);
	network_list_free(&list);
	return in;
}

static bool verify_row(const struct row *row, const struct inputs *inputs)
{
	static struct regex_scratch *scratch;
	struct regex *regex;
	struct regex_span span;
	if ((scratch == NULL && regex_scratch_create(&scratch) != 0) ||
	    regex_compile(slice_from_string(row->argument), 0, &regex, NULL) != 0)
		abort();
	int r = verify_search(row->verify, regex, scratch, inputs->v, NULL, &span);
	regex_free(regex);
	return r == REGEX_MATCH;
}

/* Inputs of one request are of one kind, so that values and arguments have something to do with each other. */
static const struct {
	const char *value;
	const char *argument;
} KINDS[] = {
	{"a b ab aa sel select _ 1 _select_ A \xc3\xa9 , .", "a b ab aa select sel _ 1"},
	{"0 1 9 12 - + _ \t x 2147483647 2147483648 9223372036854775807 9223372036854775808",
	 "0 1 9 12 - + _ \t x 2147483647 2147483648 9223372036854775807 9223372036854775808"},
	{"% %4 %41 %zz a 2 f %%41", "a"},
	{"a \xc3 \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xed\xa0\x80 \xc0\xaf \xe0\x80 \x80 \xf5 \xf4\x90\x80\x80",
	 "a"},
	{"0 1 2 3 4 5 6 7 8 9 . 4111111111111111 52998224725 111444777 123121234 1237010180 8888888888", "1"},
};
enum { KIND_COUNT = sizeof(KINDS) / sizeof(KINDS[0]) };

static struct slice make_text(uint64_t *seed, const char *alphabet, size_t most, char *out)
{
	size_t len = 0;
	for (size_t pieces = random_below(seed, most + 1); pieces > 0; pieces--)
		len = random_piece(seed, alphabet, out, len, VALUE_LIMIT);
	if (len < VALUE_LIMIT && random_below(seed, 16) == 0)
		out[len++] = (char)(1 + random_below(seed, 255));
	return slice_make(out, len);
}

static struct slice make_address(uint64_t *seed, char *out)
{
	static const char V4[] = "10 1 2 3 4 5 16 31 32 192 168 172 0 255 256 01 x";
	static const char V6[] = "2001: db8: 1: 2: 5 : :: 0: ffff: fe80: febf: g 10.1.2.3";
	size_t len = 0;
	if (random_below(seed, 3) == 0)
		return make_text(seed, V6, 6, out);
	for (int part = 0; part < 4; part++) {
		if (part > 0)
			out[len++] = '.';
		len = random_piece(seed, part == 0 ? "10 10 192 172" : V4, out, len, VALUE_LIMIT);
	}
	return slice_make(out, len);
}

static size_t add_argument(char *query, size_t len, char name, struct slice value)
{
	query[len++] = name;
	query[len++] = '=';
	for (size_t i = 0; i < value.len; i++)
		len += (size_t)sprintf(query + len, "%%%02x", value.ptr[i]);
	query[len++] = '&';
	return len;
}

static void make_query(const struct inputs *inputs, char *query)
{
	size_t len = (size_t)sprintf(query, "/?");
	len = add_argument(query, len, 'v', inputs->v);
	len = add_argument(query, len, 'p', inputs->p);
	len = add_argument(query, len, 'a', inputs->a);
	if (inputs->v.len > 0) /* libmodsecurity 3.0.9 dies of an exception on an empty value */
		len = add_argument(query, len, 'w', inputs->v);
	query[len - 1] = '\0';
}

/* libmodsecurity's log callback: `matched` is a bool for each row, the id in the message is the row's number + 1. */
static void note_match(void *matched, const void *message)
{
	const char *id = strstr(message, "[id \"");
	unsigned long number = id == NULL ? 0 : strtoul(id + 5, NULL, 10);
	if (number >= 1 && number <= ROW_COUNT)
		((bool *)matched)[number - 1] = true;
}

static RulesSet *load_rules(void)
{
	static char text[ROW_COUNT * 512];
	const char *error = NULL;
	size_t len = (size_t)sprintf(text, "SecRuleEngine On\n");
	for (size_t i = 0; i < ROW_COUNT; i++)
		len += (size_t)sprintf(text + len, "SecRule %s \"@%s %s\" \"id:%zu,phase:1,pass,log,t:none\"\n",
				       ROWS[i].target, ROWS[i].operator, ROWS[i].argument, i + 1);
	RulesSet *rules = msc_create_rules_set();
	if (msc_rules_add(rules, text, &error) < 0) {
		printf("Bail out! %s\n", error);
		exit(1);
	}
	return rules;
}

static void ask_oracle(ModSecurity *modsecurity, RulesSet *rules, const struct inputs *inputs, bool *matched)
{
	static char query[VALUE_LIMIT * 3 * 4 + 32];
	memset(matched, 0, ROW_COUNT * sizeof(*matched));
	make_query(inputs, query);
	Transaction *transaction = msc_new_transaction(modsecurity, rules, matched);
	msc_process_connection(transaction, "127.0.0.1", 1, "127.0.0.1", 80);
	msc_process_uri(transaction, query, "GET", "1.1");
	msc_process_request_headers(transaction);
	msc_transaction_cleanup(transaction);
}

static void show(const char *name, struct slice s)
{
	printf("#   %s=[", name);
	for (size_t i = 0; i < s.len; i++)
		printf(s.ptr[i] > ' ' && s.ptr[i] < 0x7f && s.ptr[i] != '\\' ? "%c" : "\\x%02x", s.ptr[i]);
	printf("]\n");
}

struct tally {
	size_t matched[ROW_COUNT];
	size_t failures[ROW_COUNT];
};

static void compare_request(ModSecurity *modsecurity, RulesSet *rules, const struct inputs *inputs, struct tally *tally)
{
	bool matched[ROW_COUNT];
	ask_oracle(modsecurity, rules, inputs, matched);
	for (size_t i = 0; i < ROW_COUNT; i++) {
		bool verify_empty = ROWS[i].verify != NULL && inputs->v.len == 0;
		bool ours = !verify_empty && ROWS[i].matches(&ROWS[i], inputs);
		tally->matched[i] += matched[i];
		if (ours == matched[i])
			continue;
		if (tally->failures[i]++ < 3) {
			printf("# %s %s: ours %d, theirs %d\n", ROWS[i].operator, ROWS[i].argument, ours, matched[i]);
			show("v", inputs->v);
			show("p", inputs->p);
			show("a", inputs->a);
		}
	}
}

int main(int argc, char **argv)
{
	size_t requests = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	struct inputs inputs;
	struct tally tally = {0};
	bool failed = false;
	ModSecurity *modsecurity = msc_init();
	RulesSet *rules = load_rules();
	msc_set_log_cb(modsecurity, note_match);
	printf("1..%d\n# seed %llu\n", ROW_COUNT, (unsigned long long)seed);
	for (size_t i = 0; i < requests; i++) {
		size_t kind = random_below(&seed, KIND_COUNT);
		inputs.v = make_text(&seed, KINDS[kind].value, 12, inputs.v_bytes);
		inputs.p = make_text(&seed, KINDS[kind].argument, 2, inputs.p_bytes);
		inputs.a = make_address(&seed, inputs.a_bytes);
		compare_request(modsecurity, rules, &inputs, &tally);
	}
	for (size_t i = 0; i < ROW_COUNT; i++) {
		bool good = tally.failures[i] == 0 && tally.matched[i] > requests / 1000;
		printf("%s %zu - @%s equals the oracle's on %zu values, of which it matches %zu\n",
		       good ? "ok" : "not ok", i + 1, ROWS[i].operator, requests, tally.matched[i]);
		failed = failed || !good;
	}
	msc_rules_cleanup(rules);
	msc_cleanup(modsecurity);
	return failed;
}
