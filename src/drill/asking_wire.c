/* The bytes of a request: asking_wire() of asking.h, apart only for size. */
#include "drill/asking.h"
#include "drill/browser.h"
#include "drill/random.h"

struct writer {
	uint8_t *ptr;
	size_t len;
};

static void text(struct writer *w, const char *what)
{
	size_t len = strlen(what);
	if (len > ASKING_WIRE_BYTES - w->len)
		len = ASKING_WIRE_BYTES - w->len;
	memcpy(w->ptr + w->len, what, len);
	w->len += len;
}

static void number(struct writer *w, uint64_t value, unsigned base)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;
	digits[at] = '\0';
	do
		digits[--at] = "0123456789abcdef"[value % base];
	while ((value /= base) != 0);
	text(w, digits + at);
}

static void line(struct writer *w, const char *name, const char *value)
{
	text(w, name);
	text(w, ": ");
	text(w, value);
	text(w, "\r\n");
}

static void made_line(struct writer *w, enum header header, const struct asking *asking, bool tls)
{
	text(w, header_names[header]);
	text(w, ": ");
	if (header == HEADER_REFERER)
		text(w, tls ? "https://" : "http://");
	text(w, asking->host);
	text(w, header == HEADER_REFERER ? "/\r\n" : "\r\n");
}

size_t asking_wire(const struct asking *asking, const struct person *person, const struct tells *tells,
		   uint8_t wire[ASKING_WIRE_BYTES])
{
	struct writer w = {.ptr = wire};
	struct browsing browsing;
	browsing_of(person, tells, &browsing);
	text(&w, asking->method);
	text(&w, " ");
	text(&w, asking->uri);
	text(&w, " HTTP/1.1\r\n");
	for (unsigned i = 0; i < browsing.count; i++) {
		enum header header = browsing.lines[i].header;
		if (browsing.lines[i].value != NULL)
			line(&w, header_names[header], browsing.lines[i].value);
		else if (header == HEADER_HOST || header == HEADER_REFERER)
			made_line(&w, header, asking, person->tls);
	}
	if (asking->session) {
		text(&w, "Cookie: sid=");
		number(&w, random_stream(person->habit, 7) | 1ULL << 63, 16);
		text(&w, "\r\n");
	}
	if (asking->body[0] != '\0') {
		line(&w, "Content-Type", "application/x-www-form-urlencoded");
		text(&w, "Content-Length: ");
		number(&w, asking->announced != 0 ? asking->announced : strlen(asking->body), 10);
		text(&w, "\r\n");
	}
	text(&w, "\r\n");
	text(&w, asking->body);
	return w.len;
}
