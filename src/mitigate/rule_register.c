/* One image, built anew whenever it is published: rules end so long after that, and modes when they are said to. */
#include "mitigate/rule_register.h"

#include "base/error.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct rule_register {
	char image[PATH_MAX];
	char word_path[PATH_MAX];
	uint64_t *word;
	uint8_t boot[IMAGE_BOOT_BYTES];
	uint64_t generation;
	uint64_t version;
	uint64_t published_ms; /* 0: not yet */
	uint64_t failed_ms;
	bool lends; /* what was published last is for a time */
};

static int paths_make(struct rule_register *reg, const char *directory)
{
	int a = snprintf(reg->image, PATH_MAX, "%s/%s", directory, SIGNATURE_IMAGE_FILE);
	int b = snprintf(reg->word_path, PATH_MAX, "%s/%s", directory, SIGNATURE_WORD_FILE);
	return a >= PATH_MAX || b >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int rule_register_open(const char *directory, struct rule_register **ret_register, const char **ret_what)
{
	struct rule_register *reg = calloc(1, sizeof(*reg));
	if (reg == NULL)
		return -ENOMEM;
	*ret_what = directory;
	int r = paths_make(reg, directory);
	r = r != 0 ? r : image_boot_read(reg->boot);
	r = r != 0 ? r : image_word_open(reg->word_path, &reg->word);
	if (r != 0) {
		rule_register_close(reg);
		return r;
	}
	reg->generation = __atomic_load_n(reg->word, __ATOMIC_ACQUIRE);
	*ret_register = reg;
	return 0;
}

void rule_register_close(struct rule_register *reg)
{
	if (reg == NULL)
		return;
	image_word_close(reg->word);
	free(reg);
}

static int write_image(struct rule_register *reg, const struct signature_content *content, uint64_t now_ms)
{
	struct buffer out = buffer_make(NULL);
	struct image_version version = {.generation = reg->generation + 1};
	struct signature_rule *rules = calloc(content->rule_count + 1, sizeof(*rules));
	struct signature_content lent = {rules, content->rule_count, content->modes, content->mode_count,
					 content->shed_until_ms != 0 ? now_ms + RULE_LENT_MS : 0};
	memcpy(version.boot, reg->boot, sizeof(version.boot));
	int r = rules != NULL ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < content->rule_count; i++) {
		rules[i] = content->rules[i];
		rules[i].expires_ms = now_ms + RULE_LENT_MS;
	}
	r = r != 0 ? r : signature_image_build(&lent, &version, &out);
	r = r != 0 ? r : image_publish(reg->image, buffer_slice(&out), version.generation, reg->word);
	free(rules);
	buffer_free(&out);
	if (r == 0)
		reg->generation = version.generation;
	return r;
}

static bool is_lent(const struct signature_content *content)
{
	return content->rule_count > 0 || content->shed_until_ms != 0;
}

static bool is_due(const struct rule_register *reg, const struct signature_content *content, uint64_t version,
		   uint64_t now_ms)
{
	if (reg->failed_ms != 0 && now_ms - reg->failed_ms < RULE_RETRY_MS)
		return false;
	if (reg->failed_ms != 0 || reg->published_ms == 0 || version != reg->version)
		return true;
	return (is_lent(content) || reg->lends) && now_ms - reg->published_ms >= RULE_RENEW_MS;
}

int rule_register_publish(struct rule_register *reg, const struct signature_content *content, uint64_t version,
			  uint64_t now_ms)
{
	if (!is_due(reg, content, version, now_ms))
		return 0;
	int r = write_image(reg, content, now_ms);
	reg->failed_ms = r != 0 ? now_ms : 0;
	if (r != 0)
		return r;
	reg->published_ms = now_ms;
	reg->version = version;
	reg->lends = is_lent(content);
	return 0;
}
