/*
 * Lengths of texts stand in the fixed part and in the matches, and nothing separates them: who writes and who reads go
 * in the same order. Classes are told by the tags that the Core Rule Set gives its rules, an upload by the variable.
 */
#include "wire/finding.h"

#include "base/reader.h"
#include "wire/parcel.h"

/* ---- tables ---- */

static const uint32_t text_bytes_most[FINDING_TEXTS] = {
	[FINDING_ID] = 64,
	[FINDING_METHOD] = 32,
	[FINDING_TARGET] = 2048,
	[FINDING_PROTOCOL] = 16,
	[FINDING_AGENT] = 512,
	[FINDING_HEAD] = 4096,
	[FINDING_HEAD_SENT] = 16384,
	[FINDING_BODY_SENT] = FINDING_BODY_BYTES,
	[FINDING_ANSWER_HEAD] = 8192,
	[FINDING_ANSWER_BODY] = FINDING_BODY_BYTES,
};

enum {
	MATCH_TEXT_BYTES = FINDING_NAME_BYTES + FINDING_MESSAGE_BYTES + FINDING_DATA_BYTES,
	BYTES_MOST = sizeof(struct finding_head) +
		     FINDING_MATCHES_MOST * (sizeof(struct finding_match) + MATCH_TEXT_BYTES) + 64 + 32 + 2048 + 16 +
		     512 + 4096 + 16384 + FINDING_BODY_BYTES + 8192 + FINDING_BODY_BYTES,
};

_Static_assert((size_t)BYTES_MOST <= (size_t)PARCEL_BYTES_MOST, "a finding fits into a parcel");

uint32_t finding_text_bytes(enum finding_text text)
{
	return text_bytes_most[text];
}

const char *finding_class_name(unsigned class)
{
	static const char *const names[FINDING_CLASSES] = {
		[FINDING_CLASS_SQL_INJECTION] = "sql-injection",
		[FINDING_CLASS_CROSS_SITE_SCRIPTING] = "cross-site-scripting",
		[FINDING_CLASS_FILE_ACCESS] = "file-access",
		[FINDING_CLASS_FILE_INCLUSION] = "file-inclusion",
		[FINDING_CLASS_COMMAND] = "command-execution",
		[FINDING_CLASS_PHP] = "php-injection",
		[FINDING_CLASS_JAVA] = "java-injection",
		[FINDING_CLASS_INJECTION] = "injection",
		[FINDING_CLASS_SESSION_FIXATION] = "session-fixation",
		[FINDING_CLASS_SCANNER] = "scanner",
		[FINDING_CLASS_PROTOCOL] = "protocol",
		[FINDING_CLASS_DENIAL_OF_SERVICE] = "denial-of-service",
		[FINDING_CLASS_DISCLOSURE] = "disclosure",
		[FINDING_CLASS_UPLOAD] = "upload",
		[FINDING_CLASS_WEB_SHELL] = "web-shell",
	};

	return class < FINDING_CLASSES ? names[class] : "?";
}

struct class_row {
	struct slice text;
	enum finding_class class;
};

/* As the Core Rule Set names them, versions 3 and 4. */
static const struct class_row tag_rows[] = {
	{SLICE_INIT("attack-sqli"), FINDING_CLASS_SQL_INJECTION},
	{SLICE_INIT("attack-xss"), FINDING_CLASS_CROSS_SITE_SCRIPTING},
	{SLICE_INIT("attack-lfi"), FINDING_CLASS_FILE_ACCESS},
	{SLICE_INIT("attack-rfi"), FINDING_CLASS_FILE_INCLUSION},
	{SLICE_INIT("attack-rce"), FINDING_CLASS_COMMAND},
	{SLICE_INIT("attack-injection-php"), FINDING_CLASS_PHP},
	{SLICE_INIT("attack-injection-java"), FINDING_CLASS_JAVA},
	{SLICE_INIT("attack-injection-generic"), FINDING_CLASS_INJECTION},
	{SLICE_INIT("attack-generic"), FINDING_CLASS_INJECTION},
	{SLICE_INIT("attack-ldap"), FINDING_CLASS_INJECTION},
	{SLICE_INIT("attack-ssrf"), FINDING_CLASS_INJECTION},
	{SLICE_INIT("attack-ssti"), FINDING_CLASS_INJECTION},
	{SLICE_INIT("attack-fixation"), FINDING_CLASS_SESSION_FIXATION},
	{SLICE_INIT("attack-reputation-scanner"), FINDING_CLASS_SCANNER},
	{SLICE_INIT("attack-protocol"), FINDING_CLASS_PROTOCOL},
	{SLICE_INIT("attack-multipart-header"), FINDING_CLASS_PROTOCOL},
	{SLICE_INIT("attack-dos"), FINDING_CLASS_DENIAL_OF_SERVICE},
	{SLICE_INIT("attack-disclosure"), FINDING_CLASS_DISCLOSURE},
	{SLICE_INIT("OWASP_CRS/WEB-SHELLS"), FINDING_CLASS_WEB_SHELL},
};

/* The variables in which a file's name is told. */
static const struct slice upload_names[] = {
	SLICE_INIT("FILES"),
	SLICE_INIT("REQUEST_HEADERS:X-Filename"),
	SLICE_INIT("REQUEST_HEADERS:X_Filename"),
	SLICE_INIT("REQUEST_HEADERS:X.Filename"),
	SLICE_INIT("REQUEST_HEADERS:X-File-Name"),
};

uint32_t finding_classes_of_tag(struct slice tag)
{
	for (size_t i = 0; i < sizeof(tag_rows) / sizeof(tag_rows[0]); i++)
		if (slice_equal_nocase(tag, tag_rows[i].text))
			return UINT32_C(1) << tag_rows[i].class;
	return 0;
}

uint32_t finding_classes_of_variable(struct slice name)
{
	bool is_upload = slice_starts_with_nocase(name, SLICE("FILES:"));
	for (size_t i = 0; i < sizeof(upload_names) / sizeof(upload_names[0]); i++)
		is_upload = is_upload || slice_equal_nocase(name, upload_names[i]);
	return is_upload ? UINT32_C(1) << FINDING_CLASS_UPLOAD : 0;
}

/* ---- writing ---- */

static struct slice cut(struct slice text, size_t most)
{
	return slice_sub(text, 0, most);
}

void finding_send(struct parcel_writer *writer, struct finding_head *head, struct finding_match *matches,
		  const struct finding_match_texts *match_texts, const struct slice texts[FINDING_TEXTS])
{
	enum { FIXED = 2 };
	struct slice pieces[FIXED + 3 * FINDING_MATCHES_MOST + FINDING_TEXTS];
	size_t count = FIXED;
	head->classes = 0;
	for (size_t i = 0; i < head->match_count; i++) {
		const struct finding_match_texts *t = &match_texts[i];
		struct slice name = pieces[count++] = cut(t->name, FINDING_NAME_BYTES);
		struct slice message = pieces[count++] = cut(t->message, FINDING_MESSAGE_BYTES);
		struct slice data = pieces[count++] = cut(t->data, FINDING_DATA_BYTES);
		matches[i].name_bytes = (uint16_t)name.len;
		matches[i].message_bytes = (uint16_t)message.len;
		matches[i].data_bytes = (uint16_t)data.len;
		head->classes |= matches[i].classes;
	}
	for (size_t i = 0; i < FINDING_TEXTS; i++) {
		pieces[count] = cut(texts[i], text_bytes_most[i]);
		head->text_bytes[i] = (uint32_t)pieces[count++].len;
	}
	pieces[0] = slice_make(head, sizeof(*head));
	pieces[1] = slice_make(matches, head->match_count * sizeof(*matches));
	(void)parcel_send(writer, pieces, count);
}

/* ---- reading ---- */

static void fixed_read(struct reader *r, void *to, size_t bytes)
{
	struct slice from = reader_take(r, bytes);
	if (from.len == bytes)
		memcpy(to, from.ptr, bytes);
}

static bool match_is_sound(const struct finding_match *match)
{
	return match->name_bytes <= FINDING_NAME_BYTES && match->message_bytes <= FINDING_MESSAGE_BYTES &&
	       match->data_bytes <= FINDING_DATA_BYTES;
}

static void match_texts_read(struct reader *r, const struct finding_match *match, struct finding_match_texts *ret_texts)
{
	ret_texts->name = reader_take(r, match->name_bytes);
	ret_texts->message = reader_take(r, match->message_bytes);
	ret_texts->data = reader_take(r, match->data_bytes);
}

bool finding_read(struct slice parcel, struct finding *ret_finding)
{
	struct reader r = reader_make(parcel);
	struct finding_head *head = &ret_finding->head;
	fixed_read(&r, head, sizeof(*head));
	if (r.overrun || head->match_count > FINDING_MATCHES_MOST)
		return false;
	fixed_read(&r, ret_finding->matches, head->match_count * sizeof(struct finding_match));
	if (r.overrun)
		return false;
	for (size_t i = 0; i < head->match_count; i++) {
		if (!match_is_sound(&ret_finding->matches[i]))
			return false;
		match_texts_read(&r, &ret_finding->matches[i], &ret_finding->match_texts[i]);
	}
	for (size_t i = 0; i < FINDING_TEXTS; i++) {
		if (head->text_bytes[i] > text_bytes_most[i])
			return false;
		ret_finding->texts[i] = reader_take(&r, head->text_bytes[i]);
	}
	return !r.overrun && reader_at_end(&r);
}
