/*
 * Stands for the watch in tests of signatures and modes: keeps a list, and publishes it as lines of standard input say.
 * Answers each line with "ok" or with what is wrong. Hashes are under the key of the events' folder.
 *
 *   rule ID SITE MS TERM...       SITE "-": all; terms: agent=TEXT path=TEXT lacks=NUMBER has=NUMBER method=NUMBER
 *                                 length=BYTES pace=MS strange-agent=TEXT (any but that) from=PREFIX
 *   mode ID SITE MODE MS [PREFIX...]
 *   shed MS                       slow connections are to be closed early, for so long
 *   drop ID | publish
 *
 * Usage: signature_writer BANS EVENTS
 */
#include "limit/signature_image.h"
#include "wire/fingerprint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WORDS = 64, HOMES = 32 };

struct kept_rule {
	struct signature_rule rule;
	uint64_t known;
	char site[256];
};

struct kept_mode {
	struct site_mode_rule rule;
	struct prefix home[HOMES];
	char site[256];
};

static struct kept_rule rules[SIGNATURE_RULES_MOST];
static struct kept_mode modes[SITE_MODES_MOST];
static size_t rule_count, mode_count;
static uint64_t shed_until_ms;
static struct hash_key key;
static uint64_t *word;
static char image_path[4096];
static uint8_t boot[IMAGE_BOOT_BYTES];

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct slice site_keep(char kept[256], const char *site)
{
	snprintf(kept, 256, "%s", strcmp(site, "-") == 0 ? "" : site);
	return slice_from_string(kept);
}

static int term_add(struct kept_rule *kept, const char *text)
{
	static const struct {
		const char *name;
		enum signature_test test;
		enum signature_field field;
	} names[] = {{"agent", SIGNATURE_EQUALS, SIGNATURE_AGENT},
		     {"path", SIGNATURE_EQUALS, SIGNATURE_PATH},
		     {"lacks", SIGNATURE_LACKS, 0},
		     {"has", SIGNATURE_HAS, 0},
		     {"method", SIGNATURE_EQUALS, SIGNATURE_METHOD},
		     {"length", SIGNATURE_EQUALS, SIGNATURE_LENGTH},
		     {"pace", SIGNATURE_EQUALS, SIGNATURE_PACE},
		     {"strange-agent", SIGNATURE_UNKNOWN, SIGNATURE_AGENT},
		     {"from", SIGNATURE_FROM, 0}};
	struct signature *signature = &kept->rule.signature;
	struct signature_conjunction *conjunction = &signature->conjunction[0];
	struct slice name, value = slice_cut(slice_from_string(text), '=', &name);
	size_t i = 0;
	while (i < sizeof(names) / sizeof(names[0]) && !slice_equal(name, slice_from_string(names[i].name)))
		i++;
	if (i == sizeof(names) / sizeof(names[0]) || conjunction->count == SIGNATURE_TERMS)
		return -EINVAL;
	struct signature_term term = {names[i].test, names[i].field, 0};
	uint64_t hash = fingerprint_text(&key, value), number = strtoull((const char *)value.ptr, NULL, 10);
	if (term.test == SIGNATURE_FROM) {
		if (!prefix_parse(value, &signature->prefix[signature->prefixes++]))
			return -EINVAL;
	} else if (term.test == SIGNATURE_UNKNOWN) {
		kept->known = hash;
		signature->known[term.field] = (struct signature_values){&kept->known, 1};
	} else if (term.field == SIGNATURE_AGENT || (term.field == SIGNATURE_PATH && term.test == SIGNATURE_EQUALS))
		term.value = hash;
	else if (term.field == SIGNATURE_LENGTH || term.field == SIGNATURE_PACE)
		term.value = signature_class(number);
	else
		term.value = number;
	if (names[i].test == SIGNATURE_HAS || names[i].test == SIGNATURE_LACKS)
		term.value = number;
	conjunction->term[conjunction->count++] = term;
	return 0;
}

static void drop(uint32_t id)
{
	for (size_t i = 0; i < rule_count; i++)
		if (rules[i].rule.id == id)
			rules[i--] = rules[--rule_count];
	for (size_t i = 0; i < mode_count; i++)
		if (modes[i].rule.id == id)
			modes[i--] = modes[--mode_count];
}

static int rule_set(char **words, size_t count)
{
	if (count < 5)
		return -EINVAL;
	uint32_t id = (uint32_t)strtoul(words[1], NULL, 10);
	drop(id);
	struct kept_rule *kept = &rules[rule_count];
	*kept = (struct kept_rule){
		.rule = {.id = id, .expires_ms = now_ms() + strtoull(words[3], NULL, 10), .signature = {.count = 1}}};
	snprintf(kept->site, sizeof(kept->site), "%s", words[2]);
	for (size_t i = 4; i < count; i++) {
		int r = term_add(kept, words[i]);
		if (r != 0)
			return r;
	}
	rule_count++;
	return 0;
}

static int mode_set(char **words, size_t count)
{
	if (count < 5 || count > 5 + HOMES)
		return -EINVAL;
	uint32_t id = (uint32_t)strtoul(words[1], NULL, 10);
	drop(id);
	struct kept_mode *kept = &modes[mode_count];
	*kept = (struct kept_mode){.rule = {.id = id, .expires_ms = now_ms() + strtoull(words[4], NULL, 10)}};
	while (strcmp(site_mode_name(kept->rule.mode), words[3]) != 0)
		if (++kept->rule.mode == SITE_MODES)
			return -EINVAL;
	snprintf(kept->site, sizeof(kept->site), "%s", words[2]);
	for (size_t i = 5; i < count; i++)
		if (!prefix_parse(slice_from_string(words[i]), &kept->home[kept->rule.homes++]))
			return -EINVAL;
	mode_count++;
	return 0;
}

/* What points into a kept one is set when it lies where it stays. */
static int publish(void)
{
	static struct signature_rule all_rules[SIGNATURE_RULES_MOST];
	static struct site_mode_rule all_modes[SITE_MODES_MOST];
	static char sites[SIGNATURE_RULES_MOST + SITE_MODES_MOST][256];
	for (size_t i = 0; i < rule_count; i++) {
		all_rules[i] = rules[i].rule;
		all_rules[i].site = site_keep(sites[i], rules[i].site);
		if (rules[i].known != 0)
			all_rules[i].signature.known[SIGNATURE_AGENT].values = &rules[i].known;
	}
	for (size_t i = 0; i < mode_count; i++) {
		all_modes[i] = modes[i].rule;
		all_modes[i].site = site_keep(sites[SIGNATURE_RULES_MOST + i], modes[i].site);
		all_modes[i].home = modes[i].home;
	}
	const struct signature_content content = {all_rules, rule_count, all_modes, mode_count, shed_until_ms};
	struct image_version version = {.generation = __atomic_load_n(word, __ATOMIC_ACQUIRE) + 1};
	struct buffer out = buffer_make(NULL);
	memcpy(version.boot, boot, sizeof(boot));
	int r = signature_image_build(&content, &version, &out);
	r = r != 0 ? r : image_publish(image_path, buffer_slice(&out), version.generation, word);
	buffer_free(&out);
	return r;
}

static int carry_out(char *line)
{
	char *words[WORDS], *rest = NULL;
	size_t count = 0;
	for (char *w = strtok_r(line, " \n", &rest); w != NULL && count < WORDS; w = strtok_r(NULL, " \n", &rest))
		words[count++] = w;
	if (count == 0)
		return -EINVAL;
	if (strcmp(words[0], "rule") == 0)
		return rule_set(words, count);
	if (strcmp(words[0], "mode") == 0)
		return mode_set(words, count);
	if (strcmp(words[0], "publish") == 0)
		return publish();
	if (strcmp(words[0], "shed") == 0 && count == 2) {
		shed_until_ms = now_ms() + strtoull(words[1], NULL, 10);
		return 0;
	}
	if (strcmp(words[0], "drop") != 0 || count != 2)
		return -EINVAL;
	drop((uint32_t)strtoul(words[1], NULL, 10));
	return 0;
}

static bool key_read(const char *folder)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/key", folder);
	FILE *file = fopen(path, "rb");
	bool whole = file != NULL && fread(&key, sizeof(key), 1, file) == 1;
	if (file != NULL)
		fclose(file);
	return whole;
}

int main(int argc, char **argv)
{
	char word_path[4096];
	if (argc != 3 || image_boot_read(boot) != 0 || !key_read(argv[2]))
		return 3;
	snprintf(word_path, sizeof(word_path), "%s/" SIGNATURE_WORD_FILE, argv[1]);
	snprintf(image_path, sizeof(image_path), "%s/" SIGNATURE_IMAGE_FILE, argv[1]);
	if (image_word_open(word_path, &word) != 0)
		return 3;
	for (char line[4096]; fgets(line, sizeof(line), stdin) != NULL; fflush(stdout)) {
		int r = carry_out(line);
		printf(r == 0 ? "ok\n" : "%d\n", r);
	}
	image_word_close(word);
	return 0;
}
