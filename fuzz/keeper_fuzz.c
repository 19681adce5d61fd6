/* What a keeper and the watch read: a journal, of which no more is announced than was agreed; answers, packets, tables.
 */
#include "upstream/exabgp.h"
#include "upstream/flood.h"
#include "upstream/lease_journal.h"
#include "upstream/link.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct prefix ours = {{{[10] = 0xff, 0xff, 192, 0, 2}}, 120};
	const struct upstream_operator one = {"one", .prefixes = &ours, 1, .takes_flows = true, .rules_most = 2, 2, 60};
	struct slice text = slice_make(data, size), name;
	struct buffer out = buffer_make(NULL);
	const struct lease_sink sink = {.journal = &out, .lines = &out};
	struct lease_book *book;
	struct packet_head packet;
	struct link_counter counter;
	if (lease_book_create(&one, 1, &book) != 0 || lease_journal_read(book, text, SLICE("b"), 1000, &sink) < 0 ||
	    lease_announced(book, 0) > one.rules_most || exabgp_read(text).why.len > size ||
	    (packet_head_read(text, &packet) && size < 34) ||
	    (link_default_read(text, &name) && link_counter_read(text, name, &counter) && name.len > size))
		abort();
	lease_book_free(book);
	buffer_free(&out);
	return 0;
}
