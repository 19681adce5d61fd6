/* By hand, and by inet_pton(3) for addresses: nothing is looked up, opened or changed. */
#include "serve/valid.h"

#include <arpa/inet.h>

enum {
	HOST_MAX_BYTES = 253,
	LABEL_MAX_BYTES = 63,
	PATH_MAX_BYTES = 1024,
};

static bool all_digits(struct slice s, size_t most, size_t *ret_number)
{
	size_t number = 0;
	if (s.len == 0 || s.len > 5)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!byte_is_digit(s.ptr[i]))
			return false;
		number = number * 10 + (size_t)(s.ptr[i] - '0');
	}
	*ret_number = number;
	return number <= most;
}

static bool is_port(struct slice s)
{
	size_t number;
	return all_digits(s, 65535, &number) && number > 0;
}

static bool is_label(struct slice label)
{
	if (label.len == 0 || label.len > LABEL_MAX_BYTES || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
		return false;
	bool named = false; /* "_" alone is what others write for any host */
	for (size_t i = 0; i < label.len; i++) {
		uint8_t c = label.ptr[i];
		if (!byte_is_digit(c) && !byte_is_alpha(c) && c != '-' && c != '_')
			return false;
		named = named || c != '_';
	}
	return named;
}

static bool is_name(struct slice s)
{
	if (s.len == 0 || s.len > HOST_MAX_BYTES)
		return false;
	for (size_t at = 0; at <= s.len;) {
		size_t end = slice_find_byte(s, '.', at);
		if (!is_label(slice_sub(s, at, end)))
			return false;
		at = end + 1;
	}
	return true;
}

static bool is_address(struct slice s, int family)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	if (s.len == 0 || s.len >= sizeof(text))
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	return inet_pton(family, text, bytes) == 1;
}

/* "[v6]" or "[v6]:PORT": the rest behind the bracket, or a NULL slice. */
static struct slice behind_bracket(struct slice s)
{
	size_t end = slice_find_byte(s, ']', 0);
	if (s.len == 0 || s.ptr[0] != '[' || end == s.len || !is_address(slice_sub(s, 1, end), AF_INET6))
		return slice_make(NULL, 0);
	return slice_after(s, end + 1);
}

static bool has_upper(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (byte_lower(s.ptr[i]) != s.ptr[i])
			return true;
	return false;
}

const char *valid_host(struct slice text)
{
	struct slice name = slice_starts_with(text, SLICE("*.")) ? slice_after(text, 2) : text;
	if (is_name(name) && !has_upper(name))
		return NULL;
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] >= 0x80)
			return "a host name in ASCII: an international one as browsers send it, xn--...";
	return "a host name in lower case, without a port, such as www.example.gov.mo";
}

const char *valid_origin(struct slice text)
{
	static const char *const form = "an address such as http://127.0.0.1:9000 or https://origin.example.mo";
	struct slice rest = slice_starts_with(text, SLICE("http://"))    ? slice_after(text, 7)
			    : slice_starts_with(text, SLICE("https://")) ? slice_after(text, 8)
									 : SLICE("");
	struct slice behind = behind_bracket(rest), host;
	if (behind.ptr != NULL)
		return behind.len == 0 || (behind.ptr[0] == ':' && is_port(slice_after(behind, 1))) ? NULL : form;
	struct slice port = slice_cut(rest, ':', &host);
	if (!is_name(host) || (host.len < rest.len && !is_port(port)))
		return form;
	return NULL;
}

/* What protects a timestamp is its signature: authorities are asked in the clear. */
const char *valid_authority(struct slice text)
{
	static const char *const form = "an address such as http://tsa.example.mo/ (RFC 3161 over HTTP)";
	size_t slash = slice_starts_with(text, SLICE("http://")) ? slice_find_byte(text, '/', 7) : 0;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f)
			return form;
	return slash > 0 && text.len <= PATH_MAX_BYTES && valid_origin(slice_sub(text, 0, slash)) == NULL ? NULL : form;
}

const char *valid_listen(struct slice text)
{
	static const char *const form = "an address and port such as 0.0.0.0:80, [::]:80 or 8080";
	struct slice behind = behind_bracket(text), host;
	if (behind.ptr != NULL)
		return behind.len > 0 && behind.ptr[0] == ':' && is_port(slice_after(behind, 1)) ? NULL : form;
	struct slice port = slice_cut(text, ':', &host);
	if (host.len == text.len)
		return is_port(text) ? NULL : form;
	return is_address(host, AF_INET) && is_port(port) ? NULL : form;
}

const char *valid_path(struct slice text)
{
	static const char *const form = "a path without white space, quotes, backslashes or any of ; { } $ #";
	if (text.len == 0 || text.len > PATH_MAX_BYTES)
		return form;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] == 0x7f || strchr(";{}$#'\"`\\", text.ptr[i]) != NULL)
			return form;
	return NULL;
}

const char *valid_address(struct slice text)
{
	return is_address(text, AF_INET) || is_address(text, AF_INET6)
		       ? NULL
		       : "an address such as 192.0.2.10 or 2001:db8::10";
}

bool network_prefix(struct slice text, struct prefix *ret_prefix)
{
	struct slice address;
	struct prefix prefix;
	size_t bits = 0;
	struct slice length = slice_cut(text, '/', &address);
	if (valid_network(text) != NULL || !prefix_parse(address, &prefix))
		return false;
	/* One of IPv4 may be written as of IPv6, and then has the bits of that. */
	unsigned before = slice_find_byte(address, ':', 0) == address.len ? ADDRESS_V4_BITS : 0;
	if (address.len < text.len && all_digits(length, ADDRESS_BITS, &bits))
		prefix = address_prefix(&prefix.address, before + (unsigned)bits);
	*ret_prefix = prefix;
	return true;
}

const char *valid_prefix(struct slice text)
{
	struct prefix prefix;
	return prefix_parse(text, &prefix) ? NULL
					   : "a network such as 192.0.2.0/24 or 2001:db8::/32, with no bits set behind "
					     "its length";
}

const char *valid_network(struct slice text)
{
	struct slice address;
	size_t bits = 0;
	struct slice mask = slice_cut(text, '/', &address);
	bool four = is_address(address, AF_INET), six = is_address(address, AF_INET6);
	bool good = (four || six) && (address.len == text.len || all_digits(mask, four ? 32 : 128, &bits));
	return good ? NULL : "a network such as 10.0.0.0/8 or 2001:db8::/32";
}

const char *valid_country(struct slice text)
{
	bool good = text.len == 2;
	for (size_t i = 0; good && i < 2; i++)
		good = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';
	return good ? NULL : "a country's two capitals, such as MO";
}
