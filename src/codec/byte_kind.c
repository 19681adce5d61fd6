#include "codec/byte_kind.h"

static const uint16_t KINDS[256] = {
	[0] = BYTES_NUL,
	[1 ... 8] = BYTES_OTHER,
	['\t' ... '\r'] = BYTES_SPACE,
	[14 ... 31] = BYTES_OTHER,
	[' '] = BYTES_SPACE,
	['!'] = BYTES_OTHER,
	['"'] = BYTES_SHELL,
	['#'] = BYTES_COMMENT,
	['$'] = BYTES_OTHER,
	['%'] = BYTES_URL,
	['&'] = BYTES_AMPERSAND,
	['\''] = BYTES_SHELL,
	['(' ... ')'] = BYTES_OTHER,
	['*'] = BYTES_COMMENT,
	['+'] = BYTES_URL,
	[','] = BYTES_SHELL,
	['-'] = BYTES_COMMENT,
	['.'] = BYTES_PATH,
	['/'] = BYTES_PATH | BYTES_COMMENT,
	['0' ... ':'] = BYTES_OTHER,
	[';'] = BYTES_SHELL,
	['<'] = BYTES_COMMENT,
	['=' ... '@'] = BYTES_OTHER,
	['A' ... 'Z'] = BYTES_UPPER,
	['['] = BYTES_OTHER,
	['\\'] = BYTES_BACKSLASH,
	[']'] = BYTES_OTHER,
	['^'] = BYTES_SHELL,
	['_' ... '`'] = BYTES_OTHER,
	['a' ... 'z'] = BYTES_LOWER,
	['{' ... 127] = BYTES_OTHER,
	[128 ... 255] = BYTES_HIGH,
};

uint32_t byte_kinds(struct slice s)
{
	uint32_t kinds = 0;
	size_t i = 0;
	for (; i + 4 <= s.len; i += 4)
		kinds |= (uint32_t)KINDS[s.ptr[i]] | KINDS[s.ptr[i + 1]] | KINDS[s.ptr[i + 2]] | KINDS[s.ptr[i + 3]];
	for (; i < s.len; i++)
		kinds |= KINDS[s.ptr[i]];
	return kinds;
}
