/*
 * printf's numbers, mended for a language: its decimal sign, its units. Thousands are set apart in all of them by a
 * narrow no-break space (U+202F).
 */
#include "report/words.h"

#include <stdio.h>
#include <string.h>
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

void decimal_words(double number, enum language language, char words[WORDS_BYTES])
{
	snprintf(words, WORDS_BYTES, "%.1f", number);
	char *point = strchr(words, '.');
	if (point != NULL && language == LANGUAGE_PORTUGUESE)
		*point = ',';
}

void duration_words(uint64_t ms, enum language language, char words[WORDS_BYTES])
{
	static const struct {
		const char *hour, *minute, *second;
	} units[LANGUAGES] = {[LANGUAGE_ENGLISH] = {"h", "min", "s"},
			      [LANGUAGE_PORTUGUESE] = {"h", "min", "s"},
			      [LANGUAGE_CHINESE] = {"小時", "分", "秒"}};
	unsigned long long seconds = ms / 1000;
	char decimal[WORDS_BYTES];
	decimal_words((double)ms / 1000, language, decimal);
	if (seconds < 60)
		snprintf(words, WORDS_BYTES, "%.20s %s", decimal, units[language].second);
	else if (seconds < 3600)
		snprintf(words, WORDS_BYTES, "%llu %s %llu %s", seconds / 60, units[language].minute, seconds % 60,
			 units[language].second);
	else
		snprintf(words, WORDS_BYTES, "%llu %s %llu %s", seconds / 3600, units[language].hour, seconds / 60 % 60,
			 units[language].minute);
}

bool share_words(const struct case_visitors *visitors, enum language language, char words[WORDS_BYTES])
{
	char decimal[WORDS_BYTES];
	if (visitors->asked < CASE_VISITORS_TELL)
		return false;
	decimal_words((double)visitors->answered * 100 / (double)visitors->asked, language, decimal);
	snprintf(words, WORDS_BYTES, "%.40s %%", decimal);
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
