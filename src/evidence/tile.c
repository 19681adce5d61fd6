/* Paths, widths, and how records are put into a bundle; files are for others to touch. */
#include "evidence/tile.h"

#include <inttypes.h>
#include <stdio.h>

/* "x001/x234/067": three digits a folder, all but the last marked. */
static size_t add_number(uint64_t number, char *out, size_t room)
{
	uint64_t unit = 1;
	size_t len = 0;
	while (number / unit >= 1000)
		unit *= 1000;
	for (; unit > 0; unit /= 1000)
		len += (size_t)snprintf(out + len, room - len, unit > 1 ? "x%03u/" : "%03u",
					(unsigned)(number / unit % 1000));
	return len;
}

void tile_path(struct tile_name name, char out[TILE_PATH_BYTES])
{
	size_t len;
	if (name.level == TILE_ENTRIES)
		len = (size_t)snprintf(out, TILE_PATH_BYTES, "tile/entries/");
	else
		len = (size_t)snprintf(out, TILE_PATH_BYTES, "tile/%d/", name.level);
	len += add_number(name.number, out + len, TILE_PATH_BYTES - len);
	if (name.width < TILE_WIDTH)
		snprintf(out + len, TILE_PATH_BYTES - len, ".p/%u", name.width);
}

unsigned tile_width(uint64_t size, unsigned level, uint64_t number)
{
	uint64_t hashes = size >> level * TILE_HEIGHT;
	if (number > hashes / TILE_WIDTH)
		return 0;
	return number < hashes / TILE_WIDTH ? TILE_WIDTH : (unsigned)(hashes % TILE_WIDTH);
}

void bundle_add(struct buffer *bundle, struct slice record)
{
	buffer_byte(bundle, (uint8_t)(record.len >> 8));
	buffer_byte(bundle, (uint8_t)record.len);
	buffer_add(bundle, record);
}

bool bundle_next(struct reader *bundle, struct slice *ret_record)
{
	if (reader_left(bundle) < 2)
		return false;
	size_t len = (size_t)reader_peek(bundle, 0) << 8 | (size_t)reader_peek(bundle, 1);
	if (reader_left(bundle) - 2 < len)
		return false;
	reader_skip(bundle, 2);
	*ret_record = reader_take(bundle, len);
	return true;
}
