#include "report/words.h"

#include <stdio.h>
#include <time.h>

void time_words(uint64_t at_ms, char words[WORDS_BYTES])
{
	char when[32] = "";
	struct tm parts;
	time_t seconds = (time_t)(at_ms / 1000);
	if (gmtime_r(&seconds, &parts) != NULL)
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &parts);
	snprintf(words, WORDS_BYTES, "%s.%03u", when, (unsigned)(at_ms % 1000));
}

void duration_words(uint64_t ms, char words[WORDS_BYTES])
{
	unsigned long long seconds = ms / 1000;
	if (seconds < 60)
		snprintf(words, WORDS_BYTES, "%.1f s", (double)ms / 1000);
	else if (seconds < 3600)
		snprintf(words, WORDS_BYTES, "%llu min %llu s", seconds / 60, seconds % 60);
	else
		snprintf(words, WORDS_BYTES, "%llu h %llu min", seconds / 3600, seconds / 60 % 60);
}

bool share_words(const struct case_visitors *visitors, char words[WORDS_BYTES])
{
	if (visitors->asked < CASE_VISITORS_TELL)
		return false;
	snprintf(words, WORDS_BYTES, "%.1f %%", (double)visitors->answered * 100 / (double)visitors->asked);
	return true;
}

void number_words(uint64_t number, char words[WORDS_BYTES])
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	size_t at = 0;
	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			at += (size_t)snprintf(words + at, WORDS_BYTES - at, "\u202f");
		words[at++] = digits[i];
	}
	words[at] = '\0';
}
