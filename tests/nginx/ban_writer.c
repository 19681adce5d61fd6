/*
 * Stands for the watch in tests of bans: keeps a book, and publishes it as a line of standard input says. Answers each
 * line with "ok" or with what is wrong.
 *
 *   refuse PREFIX ID MS | allow PREFIX ID MS | lift PREFIX | base | delta
 */
#include "base/buffer.h"
#include "limit/ban_book.h"
#include "limit/ban_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 100000 };

static struct ban_book *book;
static uint64_t *word;
static char base_path[4096], delta_path[4096];
static uint8_t boot[IMAGE_BOOT_BYTES];

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int publish(bool base)
{
	struct arena arena;
	arena_init(&arena, 64 << 20, 0);
	struct buffer out = buffer_make(&arena);
	uint64_t generation;
	int r = base ? ban_book_base(book, boot, now_ms(), &out, &generation)
		     : ban_book_delta(book, boot, &out, &generation);
	if (r == 0)
		r = image_publish(base ? base_path : delta_path, buffer_slice(&out), generation, word);
	arena_destroy(&arena);
	return r;
}

static int carry_out(char *line)
{
	char verb[16], text[64];
	unsigned id = 0;
	unsigned long long ms = 0;
	struct prefix prefix;
	int words = sscanf(line, "%15s %63s %u %llu", verb, text, &id, &ms);
	if (words == 1)
		return publish(strcmp(verb, "base") == 0);
	if (!prefix_parse(slice_make((const uint8_t *)text, strlen(text)), &prefix))
		return -EINVAL;
	if (words == 2)
		return ban_book_lift(book, &prefix, BAN_BY_PERSON);
	struct ban_entry entry = {.address = prefix.address,
				  .bits = prefix.bits,
				  .id = id,
				  .expires_ms = now_ms() + ms,
				  .kind = strcmp(verb, "allow") == 0 ? BAN_ALLOW : BAN_REFUSE,
				  .rank = BAN_BY_PERSON};
	return ban_book_set(book, &entry, false);
}

int main(int argc, char **argv)
{
	struct hash_key key = hash_key_random();
	char word_path[4096];
	if (argc != 2 || image_boot_read(boot) != 0 || ban_book_create(MOST, &key, &book) != 0 ||
	    snprintf(word_path, sizeof(word_path), "%s/" BAN_WORD_FILE, argv[1]) < 0 ||
	    image_word_open(word_path, &word) != 0)
		return 3;
	snprintf(base_path, sizeof(base_path), "%s/" BAN_BASE_FILE, argv[1]);
	snprintf(delta_path, sizeof(delta_path), "%s/" BAN_DELTA_FILE, argv[1]);
	for (char line[256]; fgets(line, sizeof(line), stdin) != NULL; fflush(stdout)) {
		int r = carry_out(line);
		printf(r == 0 ? "ok\n" : "%d\n", r);
	}
	ban_book_free(book);
	return 0;
}
