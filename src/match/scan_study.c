/*
 * A hash table by text, flags and size. A study is parsed, described and built at once; one that was read from notes is
 * parsed when somebody needs its tree.
 */
#include "match/scan_study.h"

#include "base/error.h"
#include "match/scan.h"
#include "match/scan_filter.h"

#include <stdlib.h>

enum {
	ROWS = 512,
	LOOPS_MANY = 30, /* such patterns need many states on plain text already */
	COMMON = 60,     /* most values have such bytes */
	RARE = 15,       /* few values have such bytes */
};

/* Factors that are found more often in plain text, by a guess, are not worth looking for. */
static const double FACTORS_SHARE_MOST = 1e-4;

struct scan_studies {
	struct scan_study *rows[ROWS];
};

int scan_studies_create(struct scan_studies **ret_studies)
{
	*ret_studies = calloc(1, sizeof(**ret_studies));
	return *ret_studies == NULL ? -ENOMEM : 0;
}

void scan_study_free(struct scan_study *study)
{
	if (study == NULL)
		return;
	free((void *)(uintptr_t)study->text.ptr);
	pattern_free(&study->pattern);
	free(study->reaches);
	automaton_free(study->alone);
	pattern_factors_free(&study->factors);
	pattern_factors_free(&study->second);
	for (unsigned level = 0; level < BYTE_LEVELS; level++)
		free(study->grams[level]);
	free(study);
}

void scan_studies_free(struct scan_studies *studies)
{
	for (size_t i = 0; studies != NULL && i < ROWS; i++) {
		while (studies->rows[i] != NULL) {
			struct scan_study *study = studies->rows[i];
			studies->rows[i] = study->next;
			scan_study_free(study);
		}
	}
	free(studies);
}

static struct pattern_set bytes_of_level(enum byte_level level)
{
	struct pattern_set set = {0};
	for (unsigned c = 0; c < 256; c++)
		if ((byte_kind((uint8_t)c) & byte_level_kinds(level)) != 0)
			pattern_set_add(&set, (uint8_t)c);
	return set;
}

static void describe(const struct pattern *pattern, struct scan_study *study)
{
	struct pattern_set all;
	memset(&all, 0xff, sizeof(all));
	study->loops = pattern_loops(pattern) >= LOOPS_MANY;
	for (unsigned level = 0; level < BYTE_LEVELS; level++) {
		const struct pattern_set allowed = bytes_of_level((enum byte_level)level);
		study->widths[level] = pattern_width(pattern, &allowed);
	}
	if (!pattern_need(pattern, &study->need))
		study->need = all;
	study->commonness = pattern_set_commonness(&study->need);
	study->level = study->commonness >= COMMON ? 0 : study->commonness >= RARE ? 1 : 2;
}

/* 0, or -ENOMEM. */
static int find_factors(const struct pattern *pattern, struct scan_study *study)
{
	study->reaches = malloc(sizeof(*study->reaches));
	if (study->reaches == NULL)
		return -ENOMEM;
	int r = pattern_factors_find(pattern, SCAN_FILTER_BYTES, &study->factors, &study->second, study->reaches);
	if (r == 0 && study->factors.share > FACTORS_SHARE_MOST) {
		pattern_factors_free(&study->factors);
		pattern_factors_free(&study->second);
	}
	if (r != 0 || study->factors.count == 0) {
		free(study->reaches);
		study->reaches = NULL;
	}
	return r;
}

/* 0, AUTOMATON_UNFIT, or -ENOMEM. */
static int build(struct scan_study *study)
{
	struct automaton_builder *builder;
	int r = automaton_builder_create(false, &builder);
	if (r != 0)
		return r;
	r = automaton_builder_add_parsed(builder, &study->pattern);
	if (r == 0 && automaton_builder_size(builder) > study->many)
		r = AUTOMATON_UNFIT;
	if (r == 0)
		r = automaton_build(builder, &study->alone);
	automaton_builder_free(builder);
	return r;
}

/* 0, AUTOMATON_UNFIT, or -ENOMEM. */
static int look(struct scan_study *study)
{
	struct pattern pattern;
	int r = pattern_parse(study->text, study->flags, &pattern);
	if (r != 0)
		return r == PATTERN_OPAQUE ? AUTOMATON_UNFIT : r;
	study->pattern = pattern;
	describe(&pattern, study);
	r = find_factors(&pattern, study);
	return r != 0 ? r : build(study);
}

static struct scan_study **row_of(struct scan_studies *studies, struct slice text)
{
	size_t mixed = text.len;
	for (size_t i = 0; i < text.len; i += 1 + text.len / 16)
		mixed = mixed * 31 + text.ptr[i];
	return &studies->rows[mixed % ROWS];
}

static struct scan_study *find(struct scan_study *study, struct slice text, unsigned flags, size_t many)
{
	while (study != NULL && (study->flags != flags || study->many != many || !slice_equal(study->text, text)))
		study = study->next;
	return study;
}

/* Takes the text over, as scan_study_get(). 0 or -ENOMEM. */
static int make(struct slice text, unsigned flags, size_t many, struct scan_study **ret_study)
{
	struct scan_study *study = calloc(1, sizeof(*study));
	if (study == NULL) {
		free((void *)(uintptr_t)text.ptr);
		return -ENOMEM;
	}
	*study = (struct scan_study){.text = text, .flags = flags, .many = many};
	int r = look(study);
	if (r < 0) {
		scan_study_free(study);
		return r;
	}
	study->is_unfit = r == AUTOMATON_UNFIT;
	*ret_study = study;
	return 0;
}

/* The same of a note. 0, -ENOMEM, or -EBADMSG. */
static int read_note(struct reader *note, struct slice text, unsigned flags, size_t many, struct scan_study **ret_study)
{
	struct scan_study *study = NULL;
	int r = scan_study_read(note, &study);
	if (r == 0 && (study->flags != flags || study->many != many || study->text.len != text.len))
		r = -EBADMSG;
	if (r != 0) {
		scan_study_free(study);
		free((void *)(uintptr_t)text.ptr);
		return r;
	}
	study->text = text;
	*ret_study = study;
	return 0;
}

int scan_study_get(struct scan_studies *studies, struct scan_notes *notes, struct slice text, unsigned flags,
		   size_t many, struct scan_study **ret_study)
{
	struct scan_study **row = row_of(studies, text);
	struct scan_study *study = find(*row, text, flags, many);
	struct reader note;
	int r = notes->told ? scan_study_take(&notes->in, &note) : 0;
	if (r != 0 || study != NULL) {
		free((void *)(uintptr_t)text.ptr);
	} else {
		r = notes->told ? read_note(&note, text, flags, many, &study) : make(text, flags, many, &study);
		if (r != 0)
			return r;
		study->next = *row;
		*row = study;
	}
	if (r == 0 && !notes->told && notes->kept)
		scan_study_write(study, &notes->out);
	*ret_study = study;
	return r;
}

int scan_study_pattern(struct scan_study *study)
{
	if (study->pattern.nodes != NULL)
		return 0;
	int r = pattern_parse(study->text, study->flags, &study->pattern);
	return r > 0 ? -EBADMSG : r;
}

int scan_study_grams(struct scan_study *study, enum byte_level level)
{
	const struct pattern_set allowed = bytes_of_level(level);
	int r = study->grams[level] == NULL ? scan_study_pattern(study) : 0;
	if (r != 0 || study->grams[level] != NULL)
		return r;
	study->grams[level] = malloc(sizeof(*study->grams[level]));
	if (study->grams[level] != NULL)
		pattern_grams_find(&study->pattern, &allowed, study->grams[level]);
	return study->grams[level] == NULL ? -ENOMEM : 0;
}
