#include "serve/endpoint.h"

/* "HOST:PORT", "[V6]:PORT", or without a port, which is then empty. */
static struct slice part(struct slice text, struct slice *ret_port)
{
	struct slice host;
	if (!slice_starts_with(text, SLICE("["))) {
		*ret_port = slice_cut(text, ':', &host);
		return host;
	}
	struct slice behind = slice_cut(slice_after(text, 1), ']', &host);
	*ret_port = slice_after(behind, 1);
	return host;
}

static uint16_t port_of(struct slice text, uint16_t usual)
{
	uint64_t number;
	return slice_number(text, UINT16_MAX, &number) ? (uint16_t)number : usual;
}

struct endpoint endpoint_of_listen(struct slice text)
{
	static const uint8_t any[4] = {0};
	struct endpoint found = {.address = address_from_v4(any)};
	struct slice port, host = part(text, &port);
	if (!address_parse(host, &found.address))
		port = host; /* there is nothing else */
	found.port = port_of(port, 0);
	return found;
}

bool endpoint_list_has(const struct text_list *list, struct slice text)
{
	const struct endpoint wanted = endpoint_of_listen(text);
	for (size_t i = 0; i < list->count; i++) {
		const struct endpoint other = endpoint_of_listen(list->items[i]);
		if (other.port == wanted.port && address_equal(&other.address, &wanted.address))
			return true;
	}
	return false;
}

struct slice endpoint_of_origin(struct slice text, uint16_t *ret_port)
{
	bool tls = slice_starts_with(text, SLICE("https://"));
	struct slice port, host = part(slice_after(text, tls ? sizeof("https://") - 1 : sizeof("http://") - 1), &port);
	*ret_port = port_of(port, tls ? 443 : 80);
	return host;
}

bool address_is_any(const struct address *address)
{
	static const uint8_t nothing[ADDRESS_BYTES] = {0};
	return memcmp(address->bytes, nothing, ADDRESS_BYTES) == 0 ||
	       (address_is_v4(address) && memcmp(address->bytes + 12, nothing, 4) == 0);
}
