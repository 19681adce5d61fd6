/* Members of what the watch answers: "" , 0 and false where there is no such thing, or of another type. */
#ifndef GUIA_SCREEN_ANSWER_H
#define GUIA_SCREEN_ANSWER_H

#include <jansson.h>
#include <stdint.h>

static inline const char *answer_text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));
	return value != NULL ? value : "";
}

static inline double answer_number(const json_t *object, const char *key)
{
	double value = json_number_value(json_object_get(object, key));
	return value > 0 ? value : 0;
}

static inline uint64_t answer_count(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));
	return value > 0 ? (uint64_t)value : 0;
}

static inline bool answer_truth(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

#endif
