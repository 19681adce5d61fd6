/* Which names say that their value is a secret. A name is compared component by component, without case and '-' and
 * '_'. */
#include "http/redact.h"

#include <stdlib.h>

enum place {
	WHOLE,    /* the component is the word */
	AT_END,   /* it ends with it */
	ANYWHERE, /* it holds it */
};

struct word {
	struct slice text;
	enum place place;
};

/*
 * Grouped by their first byte, since a name is compared at each of its places. In English, Portuguese (senha,
 * palavra-passe, cartão de crédito), Chinese, and the languages that visitors' forms come in.
 */
static const struct word words_a[] = {
	{SLICE_INIT("auth"), WHOLE},
	{SLICE_INIT("authorization"), ANYWHERE},
	{SLICE_INIT("apikey"), ANYWHERE},
	{SLICE_INIT("accesskey"), ANYWHERE},
	{{NULL, 0}, WHOLE},
};

static const struct word words_b[] = {{SLICE_INIT("bearer"), WHOLE}, {{NULL, 0}, WHOLE}};

static const struct word words_c[] = {
	{SLICE_INIT("credential"), ANYWHERE},
	{SLICE_INIT("cookie"), ANYWHERE},
	{SLICE_INIT("cookies"), AT_END},
	{SLICE_INIT("csrf"), ANYWHERE},
	{SLICE_INIT("creditcard"), ANYWHERE},
	{SLICE_INIT("cardnumber"), ANYWHERE},
	{SLICE_INIT("cardno"), ANYWHERE},
	{SLICE_INIT("ccnum"), ANYWHERE},
	{SLICE_INIT("cvv"), ANYWHERE},
	{SLICE_INIT("cvc"), WHOLE},
	{SLICE_INIT("cartaodecredito"), ANYWHERE},
	{SLICE_INIT("codigosecreto"), ANYWHERE},
	{SLICE_INIT("contrasena"), ANYWHERE},
	{SLICE_INIT("contraseña"), ANYWHERE},
	{SLICE_INIT("clave"), WHOLE},
	{{NULL, 0}, WHOLE},
};

static const struct word words_i[] = {{SLICE_INIT("iban"), WHOLE}, {{NULL, 0}, WHOLE}};

static const struct word words_j[] = {{SLICE_INIT("jwt"), WHOLE}, {{NULL, 0}, WHOLE}};

static const struct word words_k[] = {{SLICE_INIT("kennwort"), ANYWHERE}, {{NULL, 0}, WHOLE}};

static const struct word words_m[] = {
	{SLICE_INIT("mima"), WHOLE},
	{SLICE_INIT("motdepasse"), ANYWHERE},
	{SLICE_INIT("mdp"), WHOLE},
	{{NULL, 0}, WHOLE},
};

static const struct word words_n[] = {
	{SLICE_INIT("numerocartao"), ANYWHERE},
	{SLICE_INIT("numerodocartao"), ANYWHERE},
	{{NULL, 0}, WHOLE},
};

static const struct word words_o[] = {{SLICE_INIT("otp"), WHOLE}, {{NULL, 0}, WHOLE}};

static const struct word words_p[] = {
	{SLICE_INIT("password"), ANYWHERE},
	{SLICE_INIT("passwd"), ANYWHERE},
	{SLICE_INIT("passphrase"), ANYWHERE},
	{SLICE_INIT("passcode"), ANYWHERE},
	{SLICE_INIT("passkey"), ANYWHERE},
	{SLICE_INIT("pwd"), ANYWHERE},
	{SLICE_INIT("pass"), WHOLE},
	{SLICE_INIT("psw"), WHOLE},
	{SLICE_INIT("pin"), WHOLE},
	{SLICE_INIT("pincode"), ANYWHERE},
	{SLICE_INIT("privatekey"), ANYWHERE},
	{SLICE_INIT("palavrapasse"), ANYWHERE},
	{SLICE_INIT("palavrachave"), ANYWHERE},
	{SLICE_INIT("passwort"), ANYWHERE},
	{{NULL, 0}, WHOLE},
};

static const struct word words_s[] = {
	/* Not anywhere: a secretary is no secret. */
	{SLICE_INIT("secret"), AT_END},   {SLICE_INIT("secrets"), WHOLE},      {SLICE_INIT("secretkey"), ANYWHERE},
	{SLICE_INIT("session"), WHOLE},   {SLICE_INIT("sessionid"), ANYWHERE}, {SLICE_INIT("sessionkey"), ANYWHERE},
	{SLICE_INIT("sessid"), ANYWHERE}, {SLICE_INIT("sid"), WHOLE},          {SLICE_INIT("ssn"), WHOLE},
	{SLICE_INIT("senha"), ANYWHERE},  {SLICE_INIT("segredo"), WHOLE},      {{NULL, 0}, WHOLE},
};

static const struct word words_t[] = {
	{SLICE_INIT("totp"), WHOLE},
	{SLICE_INIT("token"), ANYWHERE},
	{{NULL, 0}, WHOLE},
};

static const struct word words_u[] = {{SLICE_INIT("userpass"), AT_END}, {{NULL, 0}, WHOLE}};

static const struct word words_x[] = {{SLICE_INIT("xsrf"), ANYWHERE}, {{NULL, 0}, WHOLE}};

static const struct word words_other[] = {
	{SLICE_INIT("密碼"), ANYWHERE},       {SLICE_INIT("密码"), ANYWHERE},     {SLICE_INIT("口令"), ANYWHERE},
	{SLICE_INIT("驗證碼"), ANYWHERE},     {SLICE_INIT("验证码"), ANYWHERE},   {SLICE_INIT("信用卡"), ANYWHERE},
	{SLICE_INIT("卡號"), ANYWHERE},       {SLICE_INIT("卡号"), ANYWHERE},     {SLICE_INIT("令牌"), ANYWHERE},
	{SLICE_INIT("パスワード"), ANYWHERE}, {SLICE_INIT("비밀번호"), ANYWHERE}, {{NULL, 0}, WHOLE},
};

/* The words that begin with a letter, and which letters are their second and their third: all have three. */
struct letter {
	const struct word *words;
	uint32_t seconds, thirds;
};

#define LETTER(letter) (1u << ((letter) - 'a'))

enum { LETTERS = 'z' - 'a' + 1 };

static const struct letter letters[LETTERS + 1 /* what is no letter */] = {
	['a' - 'a'] = {words_a, LETTER('u') | LETTER('p') | LETTER('c'), LETTER('t') | LETTER('i') | LETTER('c')},
	['b' - 'a'] = {words_b, LETTER('e'), LETTER('a')},
	['c' - 'a'] = {words_c,
		       LETTER('r') | LETTER('o') | LETTER('s') | LETTER('a') | LETTER('c') | LETTER('v') | LETTER('l'),
		       LETTER('e') | LETTER('o') | LETTER('r') | LETTER('n') | LETTER('v') | LETTER('c') | LETTER('d') |
			       LETTER('a')},
	['i' - 'a'] = {words_i, LETTER('b'), LETTER('a')},
	['j' - 'a'] = {words_j, LETTER('w'), LETTER('t')},
	['k' - 'a'] = {words_k, LETTER('e'), LETTER('n')},
	['m' - 'a'] = {words_m, LETTER('i') | LETTER('o') | LETTER('d'), LETTER('m') | LETTER('t') | LETTER('p')},
	['n' - 'a'] = {words_n, LETTER('u'), LETTER('m')},
	['o' - 'a'] = {words_o, LETTER('t'), LETTER('p')},
	['p' - 'a'] = {words_p, LETTER('a') | LETTER('w') | LETTER('s') | LETTER('i') | LETTER('r'),
		       LETTER('s') | LETTER('d') | LETTER('w') | LETTER('n') | LETTER('i') | LETTER('l')},
	['s' - 'a'] = {words_s, LETTER('e') | LETTER('i') | LETTER('s'),
		       LETTER('c') | LETTER('s') | LETTER('d') | LETTER('n') | LETTER('g')},
	['t' - 'a'] = {words_t, LETTER('o'), LETTER('t') | LETTER('k')},
	['u' - 'a'] = {words_u, LETTER('s'), LETTER('e')},
	['x' - 'a'] = {words_x, LETTER('s'), LETTER('r')},
};

enum {
	COMPONENT_LIMIT = 256, /* what comes behind is not looked at */
	NAME_LIMIT = 4096,     /* likewise */
};

struct component {
	uint8_t bytes[COMPONENT_LIMIT];
	size_t length;
};

/* Bytes that parts are compared without. */
static bool is_joint(uint8_t c)
{
	return c == '-' || c == '_' || c == '.' || c == ' ';
}

static bool is_separator(uint8_t c)
{
	return c == '.' || c == ':' || c == '[' || c == ']' || c == '/';
}

static void normalise(struct slice name, struct component *component)
{
	component->length = 0;
	for (size_t i = 0; i < name.len && component->length < COMPONENT_LIMIT; i++) {
		uint8_t c = name.ptr[i];
		if (!is_joint(c))
			component->bytes[component->length++] = byte_lower(c);
	}
}

/* The words that may stand at `at`; NULL if none does. */
static const struct word *words_at(struct slice text, size_t at)
{
	uint8_t first = text.ptr[at];
	if (first >= 0x80)
		return words_other;
	if (first < 'a' || first > 'z' || at + 1 == text.len)
		return NULL;
	const struct letter *letter = &letters[first - 'a'];
	uint8_t second = text.ptr[at + 1];
	return second >= 'a' && second <= 'z' && (letter->seconds >> (second - 'a') & 1) != 0 ? letter->words : NULL;
}

/* Most differ in their third byte. */
static inline bool word_is_at(const struct word *word, struct slice text, size_t at)
{
	if (word->text.len > text.len - at)
		return false;
	for (size_t i = 0; i < word->text.len; i++)
		if (word->text.ptr[i] != text.ptr[at + i])
			return false;
	return true;
}

static bool word_stands_at(const struct word *word, struct slice text, size_t at)
{
	if ((word->place == WHOLE && at > 0) || !word_is_at(word, text, at))
		return false;
	return word->place == ANYWHERE || at + word->text.len == text.len;
}

static bool holds_word(struct slice text)
{
	for (size_t at = 0; at < text.len; at++) {
		const struct word *word = words_at(text, at);
		for (; word != NULL && word->text.ptr != NULL; word++)
			if (word_stands_at(word, text, at))
				return true;
	}
	return false;
}

/* Whether `text` goes on with `rest`, as parts are compared. */
static bool goes_on(struct slice text, struct slice rest)
{
	size_t found = 0;
	for (size_t at = 0; at < text.len && found < rest.len; at++) {
		if (is_joint(text.ptr[at]))
			continue;
		if (byte_lower(text.ptr[at]) != rest.ptr[found])
			return false;
		found++;
	}
	return found == rest.len;
}

/* Only joints stand between `at` and what parts components, or the name's start. */
static bool component_begins_at(struct slice name, size_t at)
{
	while (at > 0 && is_joint(name.ptr[at - 1]) && !is_separator(name.ptr[at - 1]))
		at--;
	return at == 0 || is_separator(name.ptr[at - 1]);
}

/* Whether one of the words stands at `at` where it may count, of which the bytes before `next` are known to. */
static bool some_stands_at(const struct word *words, struct slice name, size_t at, size_t known, size_t next)
{
	struct slice rest = slice_after(name, next);
	for (const struct word *word = words; word->text.ptr != NULL; word++)
		if (goes_on(rest, slice_after(word->text, known)) &&
		    (word->place != WHOLE || component_begins_at(name, at)))
			return true;
	return false;
}

/* What a byte is to the table's words: its letter in either case, or one of these. */
enum { NO_LETTER = LETTERS, JOINT, BEYOND_ASCII };

/* A letter and the next, in both cases. */
#define TWO_LETTERS(upper)                                                                                             \
	[upper] = (upper) - 'A', [(upper) + 1] = (upper) - 'A' + 1, [(upper) + 'a' - 'A'] = (upper) - 'A',             \
	[(upper) + 1 + 'a' - 'A'] = (upper) - 'A' + 1

static const uint8_t byte_letters[256] = {
	[0 ... ' ' - 1] = NO_LETTER,
	[' '] = JOINT,
	[' ' + 1 ... '-' - 1] = NO_LETTER,
	['-' ... '.'] = JOINT,
	['.' + 1 ... 'A' - 1] = NO_LETTER,
	['Z' + 1 ... '_' - 1] = NO_LETTER,
	['_'] = JOINT,
	['`'] = NO_LETTER,
	['z' + 1 ... 0x7f] = NO_LETTER,
	[0x80 ... 0xff] = BEYOND_ASCII,
	TWO_LETTERS('A'),
	TWO_LETTERS('C'),
	TWO_LETTERS('E'),
	TWO_LETTERS('G'),
	TWO_LETTERS('I'),
	TWO_LETTERS('K'),
	TWO_LETTERS('M'),
	TWO_LETTERS('O'),
	TWO_LETTERS('Q'),
	TWO_LETTERS('S'),
	TWO_LETTERS('U'),
	TWO_LETTERS('W'),
	TWO_LETTERS('Y'),
};

enum { MEMO_ROWS = 64, MEMO_WAYS = 2, MEMO_BYTES = 46 };

/* A letter of a name, and where. */
struct seen {
	size_t letter, at;
};

/*
 * Whether a word stands where it may count: in most names none does. Of a name that may be remembered it is enough that
 * a word's first two letters stand in a row.
 */
static bool may_hold_word(struct slice name)
{
	bool is_short = name.len <= MEMO_BYTES;
	struct seen first = {.letter = NO_LETTER}, second = {.letter = NO_LETTER};
	for (size_t i = 0; i < name.len; i++) {
		size_t letter = byte_letters[name.ptr[i]];
		if (letter == JOINT)
			continue;
		if (is_short ? (letters[second.letter].seconds >> letter & 1) != 0
			     : (letters[first.letter].seconds >> second.letter & 1) != 0 &&
				       (letters[first.letter].thirds >> letter & 1) != 0 &&
				       some_stands_at(letters[first.letter].words, name, first.at, 3, i + 1))
			return true;
		if (letter == BEYOND_ASCII && (is_short || some_stands_at(words_other, name, i, 0, i)))
			return true;
		first = second;
		second = (struct seen){letter < LETTERS ? letter : NO_LETTER, i};
	}
	return false;
}

static bool is_extra(const struct redact_names *names, struct slice component)
{
	for (size_t i = 0; i < names->extra_count; i++) {
		struct component extra;
		normalise(names->extra[i], &extra);
		if (slice_equal(component, slice_make(extra.bytes, extra.length)))
			return true;
	}
	return false;
}

/* By the table, or where `names` is given by what it adds. */
static bool component_is_secret(const struct redact_names *names, struct slice name)
{
	struct component component;
	normalise(name, &component);
	struct slice text = slice_make(component.bytes, component.length);
	if (text.len == 0)
		return false;
	return names == NULL ? holds_word(text) : is_extra(names, text);
}

/* "ARGS_NAMES:password" holds a name, not its value. */
static bool is_collection_of_names(struct slice name)
{
	struct slice collection = slice_sub(name, 0, slice_find_byte(name, ':', 0));
	return collection.len < name.len && slice_ends_with(collection, SLICE("_NAMES"));
}

static bool some_component_is_secret(const struct redact_names *names, struct slice name)
{
	if (component_is_secret(names, name))
		return true;
	for (size_t from = 0; from < name.len;) {
		size_t end = from;
		while (end < name.len && !is_separator(name.ptr[end]))
			end++;
		if (end - from < name.len && component_is_secret(names, slice_sub(name, from, end)))
			return true;
		from = end + 1;
	}
	return false;
}

/* The same of what ends before `at`. */
static bool component_ends_at(struct slice name, size_t at)
{
	while (at < name.len && is_joint(name.ptr[at]) && !is_separator(name.ptr[at]))
		at++;
	return at == name.len || is_separator(name.ptr[at]);
}

/* A name without joints, in lower case. */
struct joined {
	uint8_t bytes[COMPONENT_LIMIT];
	uint16_t origin[COMPONENT_LIMIT]; /* where each byte came from */
	uint16_t starts[COMPONENT_LIMIT]; /* where words may begin: a word's first two letters, or what is no ASCII */
	size_t length;
	size_t start_count;
};

static void join(struct slice name, struct joined *joined)
{
	size_t length = 0, starts = 0;
	size_t before = LETTERS;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = byte_lower(name.ptr[i]);
		if (is_joint(c))
			continue;
		uint8_t letter = (uint8_t)(c - 'a');
		letter = letter < LETTERS ? letter : LETTERS;
		joined->starts[starts] = (uint16_t)(c < 0x80 ? length - 1 : length);
		starts += c >= 0x80 || (letters[before].seconds >> letter & 1) != 0;
		before = letter;
		joined->bytes[length] = c;
		joined->origin[length++] = (uint16_t)i;
	}
	joined->length = length;
	joined->start_count = starts;
}

/* Whether the word that stands at `at` tells a secret: of the whole name, or of one of its components. */
static bool word_tells(const struct word *word, struct slice name, const struct joined *joined, size_t at)
{
	size_t end = at + word->text.len;
	size_t from = joined->origin[at], to = joined->origin[end - 1] + 1u;
	if (word->place == ANYWHERE || (end == joined->length && (word->place == AT_END || at == 0)))
		return true;
	/* A dot is a joint of the whole name, and parts components. */
	if (slice_find_byte(slice_sub(name, 0, to), '.', from) < to || !component_ends_at(name, to))
		return false;
	return word->place == AT_END || component_begins_at(name, from);
}

/* Of a name of up to COMPONENT_LIMIT bytes, by the table: a word of a component is one of the whole, so one pass finds
 * all. */
static bool short_name_is_secret(struct slice name)
{
	struct joined joined;
	join(name, &joined);
	struct slice text = slice_make(joined.bytes, joined.length);
	for (size_t i = 0; i < joined.start_count; i++) {
		size_t at = joined.starts[i];
		const struct word *word = text.ptr[at] < 0x80 ? letters[text.ptr[at] - 'a'].words : words_other;
		for (; word->text.ptr != NULL; word++)
			if (word_is_at(word, text, at) && word_tells(word, name, &joined, at))
				return true;
	}
	return false;
}

static bool some_part_is_secret(struct slice name)
{
	return name.len <= COMPONENT_LIMIT ? short_name_is_secret(name) : some_component_is_secret(NULL, name);
}

struct memo_name {
	uint8_t len; /* 0: empty */
	bool secret;
	uint8_t bytes[MEMO_BYTES];
};

/* In a row the newest comes first. */
struct redact_memo {
	struct memo_name names[MEMO_ROWS][MEMO_WAYS];
};

struct redact_memo *redact_memo_new(void)
{
	return calloc(1, sizeof(struct redact_memo));
}

static struct memo_name *row_of(struct redact_memo *memo, struct slice name)
{
	size_t mixed = name.len * 7 + name.ptr[0] * 3u + name.ptr[name.len / 2] * 5u + name.ptr[name.len - 1];
	return memo->names[mixed % MEMO_ROWS];
}

static bool is_in(const struct memo_name *known, struct slice name)
{
	return known->len == name.len && memcmp(known->bytes, name.ptr, name.len) == 0;
}

static bool table_says_secret(struct redact_memo *memo, struct slice name)
{
	if (!may_hold_word(name))
		return false;
	if (memo == NULL || name.len > MEMO_BYTES)
		return some_part_is_secret(name);
	struct memo_name *row = row_of(memo, name);
	for (size_t i = 0; i < MEMO_WAYS; i++)
		if (is_in(&row[i], name))
			return row[i].secret;
	memmove(row + 1, row, sizeof(*row) * (MEMO_WAYS - 1));
	row[0].len = (uint8_t)name.len;
	row[0].secret = some_part_is_secret(name);
	memcpy(row[0].bytes, name.ptr, name.len);
	return row[0].secret;
}

bool redact_name_is_secret(const struct redact_names *names, struct slice name)
{
	struct slice looked_at = slice_sub(name, 0, NAME_LIMIT);
	/* What is short is remembered, and most of it holds no word. */
	if (name.len > MEMO_BYTES && is_collection_of_names(name))
		return false;
	bool secret = table_says_secret(names->memo, looked_at) ||
		      (names->extra_count > 0 && some_component_is_secret(names, looked_at));
	return secret && !is_collection_of_names(name);
}
