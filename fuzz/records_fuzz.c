/* Records of an evidence log that came from elsewhere: in a bundle, one by one, in a journal. */
#include "evidence/journal.h"
#include "evidence/leaf.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make(data, size), record;
	struct reader bundle = reader_make(text);
	struct journal_reader journal;
	struct merkle_hash root;
	struct leaf leaf;
	uint32_t count;
	size_t bytes = 0;
	while (bundle_next(&bundle, &record))
		bytes += 2 + record.len;
	if (bytes != bundle.at || (leaf_read(text, &leaf) == 0 && data[size - 1] != '}'))
		abort();
	for (bool more = journal_read(text, &journal); more && journal_next(&journal, &record, &count, &root);)
		if (count > record.len)
			abort();
	return 0;
}
