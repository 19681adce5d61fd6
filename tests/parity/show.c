/* A request on which our engine and libmodsecurity differ, as a command that makes it again, and what each says. */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>

/* As an argument of printf(1), in single quotes. */
static void print_bytes(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (c == '%')
			fputs("%%", stdout);
		else if (c == '\\')
			fputs("\\\\", stdout);
		else if (c < 0x20 || c >= 0x7f || c == '\'')
			printf("\\%03o", c);
		else
			putchar(c);
	}
}

static void print_headers(const struct sample_header *headers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		print_bytes(headers[i].name);
		fputs(": ", stdout);
		print_bytes(headers[i].value);
		fputs("\\r\\n", stdout);
	}
	fputs("\\r\\n", stdout);
}

void show_sample(const struct sample *sample)
{
	fputs("#   printf '", stdout);
	print_bytes(sample->method);
	putchar(' ');
	print_bytes(sample->uri);
	fputs(" HTTP/", stdout);
	print_bytes(sample->version);
	fputs("\\r\\n", stdout);
	print_headers(sample->headers, sample->header_count);
	print_bytes(sample->body);
	puts("'");
	if (sample->response_status == 200 && sample->response_header_count == 0 && sample->response_body.len == 0)
		return;
	printf("#   answered: printf 'HTTP/1.1 %u\\r\\n", sample->response_status);
	print_headers(sample->response_headers, sample->response_header_count);
	print_bytes(sample->response_body);
	puts("'");
}

static struct slice tx_value(const struct outcome *outcome, struct slice name)
{
	for (size_t i = 0; i < outcome->tx_count; i++)
		if (slice_equal(outcome->tx[i].name, name))
			return outcome->tx[i].value;
	return SLICE("(absent)");
}

void show_delta(const struct delta *delta, const struct outcome *ours, const struct outcome *theirs)
{
	static const char *const kinds[] = {"no difference",
					    "matched in Guia only",
					    "matched in libmodsecurity only",
					    "matched at another place",
					    "another value of",
					    "another status"};
	printf("%s", kinds[delta->kind]);
	if (delta->kind == DELTA_TX) {
		printf(" TX:");
		print_bytes(delta->tx_name);
		printf(": ours '");
		print_bytes(tx_value(ours, delta->tx_name));
		printf("', theirs '");
		print_bytes(tx_value(theirs, delta->tx_name));
		printf("'");
	} else if (delta->kind == DELTA_STATUS) {
		printf(": ours %d, theirs %d", ours->status, theirs->status);
	} else {
		printf(": rule %" PRId64 " link %u", delta->match.rule_id, delta->match.depth);
	}
	putchar('\n');
}

void show_matches(const char *whose, const struct outcome *outcome)
{
	printf("#   %s %d:", whose, outcome->status);
	for (size_t i = 0; i < outcome->match_count; i++) {
		printf(" %" PRId64, outcome->matches[i].rule_id);
		if (outcome->matches[i].depth > 0)
			printf("/%u", outcome->matches[i].depth);
	}
	putchar('\n');
}
