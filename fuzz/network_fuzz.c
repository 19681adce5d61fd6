/* An address, then a list of networks: what its whole holds, one of its lines holds. */
#include "match/network.h"

#include "target.h"

static bool contains(struct slice text, const struct network_address *address)
{
	struct network_list list = {0};
	struct networks *networks;
	if (network_list_add_file(&list, text, &text) < 0 || networks_compile(&list, &networks) != 0)
		abort();
	bool in = networks_contain(networks, address);
	network_list_free(&list);
	networks_free(networks);
	return in;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct network_address address;
	struct slice line, address_text, rest = slice_cut(slice_make(data, size), '\n', &address_text), all = rest;
	bool in_a_line = false;
	if (!network_address_parse(address_text, &address))
		return 0;
	for (; rest.len > 0; in_a_line = in_a_line || contains(line, &address))
		rest = slice_cut(rest, '\n', &line);
	if (contains(all, &address) && !in_a_line)
		abort();
	return 0;
}
