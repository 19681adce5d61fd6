/* How rare a string is in text, as far as its pairs of letters tell. */
#include "match/pattern_width.h"

enum { LETTERS = 26, CLASSES = LETTERS + 1 /* all that is no letter */ };

/*
 * How often one class of bytes follows another: the digit k stands for 2^-k. Counted in the passages of bench/data in
 * Portuguese and English, and a little markup.
 */
static const char pairs[CLASSES][CLASSES + 1] = {
	"f554b76b5a844386b334769b582", /* behind a */
	"48ee2eee57e34e3ee3683eee5e6", /* behind b */
	"3f9f3ff34f63ff2ff4a56fff8f4", /* behind c */
	"3ff92faf3ffa9a3ff6646aff7f2", /* behind d */
	"5865667a5a95549693448676881", /* behind e */
	"4fff35ff3ff5ff2ff4956fff9f2", /* behind f */
	"3eee3e935ee8e64ee44e3eee9e2", /* behind g */
	"38ff2aff4fffff3ff5846faf8f2", /* behind h */
	"4833665fff955345954395f7f74", /* behind i */
	"3ccc4ccccccccc42cc1c3ccccc4", /* behind j */
	"dddd1ddd4dd755dddd4ddddddd1", /* behind k */
	"3f9528753f948f488f6558ff6f2", /* behind l */
	"35ff2f6f4ff68f45fa7f6fff7f2", /* behind m */
	"4f5348466f88f8369f535bff792", /* behind n */
	"7776858f6a6543669334466ffb2", /* behind o */
	"2fff2a555ff59f36f3744fffaf3", /* behind p */
	"dddddddddddddddddddd0ddddd2", /* behind q */
	"3a562a7f4f7a56389554779f5b2", /* behind r */
	"5f583ab65f789a5596435f8fff1", /* behind s */
	"3fa63ff23ff77b3ff4566f7f5f2", /* behind t */
	"45763a7f59f444f5f443f7faa73", /* behind u */
	"3eee1eee2eeeee4ee6ee8eeeee3", /* behind v */
	"3ee93ee32eeee644e66eeeeeee3", /* behind w */
	"4c4c6cc75ccc7c44ccc1cccccc2", /* behind x */
	"e78e5eee7ee48e23ee47eeeeee1", /* behind y */
	"4bbb1bbb3bbbbb4bbbbbbbbbbb2", /* behind z */
	"4655557657965555664477597d1", /* behind others */
};

/* Of a byte that is no letter, by itself, and of a letter at a string's beginning. */
static double alone(uint8_t byte)
{
	return pattern_byte_frequency(byte);
}

static size_t class_of(uint8_t byte)
{
	return byte_is_alpha(byte) ? (size_t)(byte_lower(byte) - 'a') : LETTERS;
}

double pattern_text_share(struct slice bytes)
{
	double share = bytes.len > 0 ? alone(byte_lower(bytes.ptr[0])) : 1;
	for (size_t i = 1; i < bytes.len; i++) {
		size_t next = class_of(bytes.ptr[i]);
		char digit = pairs[class_of(bytes.ptr[i - 1])][next];
		share *= next == LETTERS ? alone(bytes.ptr[i])
					 : 1.0 / (double)(1 << (digit <= '9' ? digit - '0' : digit - 'a' + 10));
	}
	return share;
}
