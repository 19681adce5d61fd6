/* An address to listen at becomes one to connect to: none, or one that stands for all, is the loopback. */
#include "serve/targets.h"

#include "base/error.h"

/* A host for "*.example": any name would do. */
static void add_host(struct slice host, struct buffer *out)
{
	if (slice_starts_with(host, SLICE("*.")))
		buffer_text(out, "www");
	buffer_add(out, slice_starts_with(host, SLICE("*.")) ? slice_after(host, 1) : host);
}

/* ADDRESS:PORT, [V6]:PORT, or PORT. */
static void add_address(struct slice listen, struct buffer *out)
{
	size_t colon = listen.len;
	for (size_t i = 0; i < listen.len; i++)
		colon = listen.ptr[i] == ':' ? i : colon;
	struct slice address = slice_sub(listen, 0, colon);
	if (colon == listen.len || slice_equal(address, SLICE("0.0.0.0")) || slice_equal(address, SLICE("*")))
		address = SLICE("127.0.0.1");
	else if (slice_equal(address, SLICE("[::]")))
		address = SLICE("[::1]");
	buffer_add(out, address);
	buffer_byte(out, ':');
	buffer_add(out, colon == listen.len ? listen : slice_after(listen, colon + 1));
}

int targets_list(const struct serve_config *config, struct text_list *list)
{
	for (size_t i = 0; i < config->site_count; i++) {
		const struct site *site = &config->sites[i];
		bool tls = site->certificate.len > 0 && config->listen_tls.count > 0;
		const struct text_list *listens = tls ? &config->listen_tls : &config->listen;
		struct buffer text = buffer_make(config->arena);
		if (listens->count == 0)
			continue;
		add_host(site->hosts.items[0], &text);
		buffer_text(&text, tls ? "=https://" : "=http://");
		add_address(listens->items[0], &text);
		if (text.error != 0 || text_list_add(list, buffer_slice(&text)) != 0)
			return -ENOMEM;
	}
	return 0;
}
