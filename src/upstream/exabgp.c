/*
 * A line is known by how it begins, and what is not known is of no interest. A password is handed on only if it needs
 * no quoting.
 */
#include "upstream/exabgp.h"

#include "base/error.h"
#include "base/reader.h"

#include <inttypes.h>

static const struct {
	const char *name;
	bool flow;
} families[EXABGP_FAMILIES] = {
	[EXABGP_IPV4_UNICAST] = {"ipv4 unicast", false},
	[EXABGP_IPV6_UNICAST] = {"ipv6 unicast", false},
	[EXABGP_IPV4_FLOW] = {"ipv4 flow", true},
	[EXABGP_IPV6_FLOW] = {"ipv6 flow", true},
};

const char *exabgp_family_name(enum exabgp_family family)
{
	return family < EXABGP_FAMILIES ? families[family].name : "?";
}

enum exabgp_family exabgp_family_of(const struct route *route)
{
	if (route->kind == ROUTE_FLOW)
		return route->flow.v6 ? EXABGP_IPV6_FLOW : EXABGP_IPV4_FLOW;
	return prefix_is_v4(&route->prefix) ? EXABGP_IPV4_UNICAST : EXABGP_IPV6_UNICAST;
}

bool exabgp_family_is_used(const struct upstream_operator *operator_, enum exabgp_family family)
{
	return families[family].flow ? operator_->takes_flows : operator_->takes_blackholes;
}

static struct exabgp_answer read_neighbor(struct reader r)
{
	struct exabgp_answer answer = {.kind = EXABGP_NOTHING};
	if (!address_parse(reader_until(&r, ' '), &answer.neighbor))
		return answer;
	struct slice rest = reader_rest(&r);
	if (slice_equal(rest, SLICE("up")))
		answer.kind = EXABGP_UP;
	if (slice_starts_with(rest, SLICE("down"))) {
		answer.kind = EXABGP_DOWN;
		answer.why = slice_after(rest, slice_starts_with(rest, SLICE("down - ")) ? 7 : 4);
	}
	return answer;
}

static struct slice read_word(struct reader *r)
{
	while (reader_accept(r, SLICE(" ")))
		continue;
	return reader_until(r, ' ');
}

/* "   ipv4 flow:  enabled  disabled  disabled": ours, the router's, and more than one path; "n/a" before its OPEN. */
static struct exabgp_answer read_family(struct reader r)
{
	struct exabgp_answer answer = {.kind = EXABGP_NOTHING};
	struct slice name = reader_until(&r, ':');
	(void)read_word(&r);
	struct slice agreed = read_word(&r);
	for (unsigned i = 0; i < EXABGP_FAMILIES; i++) {
		if (!slice_equal(name, slice_from_string(families[i].name)))
			continue;
		answer.family = (enum exabgp_family)i;
		answer.agreed = slice_equal(agreed, SLICE("enabled"));
		if (answer.agreed || slice_equal(agreed, SLICE("disabled")))
			answer.kind = EXABGP_FAMILY;
	}
	return answer;
}

struct exabgp_answer exabgp_read(struct slice line)
{
	struct exabgp_answer answer = {.kind = EXABGP_NOTHING};
	struct reader r = reader_make(line);
	if (slice_equal(line, SLICE("done")))
		answer.kind = EXABGP_DONE;
	else if (slice_equal(line, SLICE("error")))
		answer.kind = EXABGP_ERROR;
	else if (slice_starts_with(line, SLICE("Peer ")) && slice_find(line, SLICE(" up/down "), 0) < line.len)
		answer.kind = EXABGP_HEADER;
	else if (reader_accept(&r, SLICE("neighbor ")))
		answer = read_neighbor(r);
	else if (reader_accept(&r, SLICE("   ")))
		answer = read_family(r);
	else if (reader_accept(&r, SLICE("Neighbor ")) && address_parse(reader_rest(&r), &answer.neighbor))
		answer.kind = EXABGP_NEIGHBOR;
	else if (address_parse(reader_until(&r, ' '), &answer.neighbor) &&
		 slice_find(line, SLICE(" established "), 0) < line.len)
		answer.kind = EXABGP_ESTABLISHED;
	return answer;
}

bool exabgp_password(struct slice text, struct slice *ret_password)
{
	struct slice password = slice_ends_with(text, SLICE("\n")) ? slice_sub(text, 0, text.len - 1) : text;
	for (size_t i = 0; i < password.len; i++)
		if (password.ptr[i] <= ' ' || password.ptr[i] >= 0x7f || strchr("'\"\\;{}#[]", password.ptr[i]) != NULL)
			return false;
	*ret_password = password;
	return password.len > 0 && password.len <= EXABGP_PASSWORD_BYTES;
}

static void configure(const struct upstream_operator *o, struct slice password, struct buffer *out)
{
	char text[ADDRESS_TEXT_BYTES];
	buffer_printf(out, "\nneighbor %s {\n", address_format(&o->peer, text));
	buffer_printf(out, "\tdescription \"%s\";\n", o->name);
	buffer_printf(out, "\trouter-id %s;\n", address_format(&o->router_id, text));
	buffer_printf(out, "\tlocal-address %s;\n", address_format(&o->local, text));
	buffer_printf(out, "\tlocal-as %" PRIu32 ";\n\tpeer-as %" PRIu32 ";\n", o->local_as, o->peer_as);
	if (o->port != 0)
		buffer_printf(out, "\tconnect %u;\n", o->port);
	if (password.len > 0)
		buffer_printf(out, "\tmd5-password '%.*s';\n", SLICE_ARG(password));
	buffer_text(out, "\thold-time 30;\n\tfamily {\n");
	for (unsigned i = 0; i < EXABGP_FAMILIES; i++)
		if (exabgp_family_is_used(o, (enum exabgp_family)i))
			buffer_printf(out, "\t\t%s;\n", families[i].name);
	/* Without graceful restart: when the session ends, what it announced ends with it. */
	buffer_text(out, "\t}\n\tcapability {\n\t\tgraceful-restart disable;\n\t\troute-refresh enable;\n\t}\n");
	buffer_text(out, "\tapi {\n\t\tprocesses [ guia ];\n\t\tneighbor-changes;\n\t}\n}\n");
}

int exabgp_configure(const struct upstream_operator *operators, const struct slice *passwords, size_t count,
		     const char *command, struct buffer *out)
{
	buffer_text(out, "# Made by `guia upstream configure` from guia.yaml: changes belong there.\n\n");
	buffer_printf(out, "process guia {\n\trun %s;\n\tencoder text;\n}\n", command);
	for (size_t i = 0; i < count; i++)
		configure(&operators[i], passwords[i], out);
	return out->error;
}
