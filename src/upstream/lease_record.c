/* What the journal is told of a change (lease_journal.h): columns between tabs. */
#include "upstream/lease_book_inside.h"

#include <inttypes.h>

void lease_record(const struct lease_book *book, const struct lease *lease, struct buffer *journal)
{
	buffer_printf(journal, "lease\t%" PRIu32 "\t%" PRIu64 "\t%" PRIu64 "\t%s\t%lu\t%s\t%s\t%s\t", lease->id,
		      lease->since_ms, lease->until_ms, lease->yes ? "yes" : "-", (unsigned long)lease->by,
		      lease_state_name(lease->state), book->operators[lease->operator_].name, lease->why);
	(void)route_write(&lease->route, journal);
	buffer_byte(journal, '\n');
}

void lease_record_change(const struct upstream_operator *operator_, uint64_t at_ms, struct buffer *journal)
{
	buffer_printf(journal, "change\t%" PRIu64 "\t%s\n", at_ms, operator_->name);
}
