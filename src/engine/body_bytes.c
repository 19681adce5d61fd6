/*
 * Without a mapping the room in the arena doubles. What goes back are the pieces in t->body_rest, and only if no later
 * phase reads bodies as a whole and no rule that matched may have kept a part.
 */
#include "engine/body_bytes.h"

#include <errno.h>

enum { BODY_FIRST_BYTES = 4096 }; /* room to begin with */

int body_expect(struct transaction *t, struct body *body, uint64_t bytes)
{
	if (body->limit != 0 && bytes > body->limit)
		bytes = body->limit;
	if (bytes == 0 || body->bytes.len > 0 || body->region.ptr != NULL)
		return 0;
	if (bytes > SIZE_MAX || region_map((size_t)bytes, &body->region) != 0) {
		transaction_out_of_memory(t);
		return -ENOMEM;
	}
	body->bytes = slice_make(body->region.ptr, 0);
	body->capacity = body->region.len;
	return 0;
}

static int append(struct transaction *t, struct body *body, struct slice bytes)
{
	size_t wanted = body->bytes.len + bytes.len;
	if (wanted > body->capacity) {
		size_t capacity = body->capacity < BODY_FIRST_BYTES ? BODY_FIRST_BYTES : body->capacity * 2;
		if (capacity < wanted)
			capacity = wanted;
		uint8_t *copy = arena_alloc(&t->arena, capacity);
		if (copy == NULL)
			return -ENOMEM;
		if (body->bytes.len > 0)
			memcpy(copy, body->bytes.ptr, body->bytes.len);
		body->bytes.ptr = copy;
		body->capacity = capacity;
	}
	memcpy((uint8_t *)body->bytes.ptr + body->bytes.len, bytes.ptr, bytes.len);
	body->bytes.len = wanted;
	return 0;
}

int body_add(struct transaction *t, struct body *body, struct slice bytes, bool stays)
{
	if (body->over_limit)
		return 1;
	uint64_t room = body->limit == 0                ? UINT64_MAX
			: body->limit < body->bytes.len ? 0 /* a ctl lowered it */
							: body->limit - body->bytes.len;
	if (bytes.len > room) {
		body->over_limit = true;
		bytes = slice_sub(bytes, 0, (size_t)room);
	}
	if (stays && body->bytes.len == 0) {
		body->bytes = bytes;
		body->capacity = 0; /* what comes behind it is not written into the caller's memory */
	} else if (bytes.len > 0 && append(t, body, bytes) != 0) {
		transaction_out_of_memory(t);
		return -ENOMEM;
	}
	return body->over_limit ? 1 : 0;
}

/* A rule that matched may have kept a piece: in TX, as a capture, for the logs. */
static bool body_matched(const struct transaction *t)
{
	for (uint32_t i = 0; i < t->match_count; i++)
		if (t->matches[i].settled == NULL && plan_is_whole_body(t->matches[i].matched.variable))
			return true;
	return false;
}

void body_give_back(struct transaction *t)
{
	const struct body *body = &t->request_body;
	uint8_t later = (uint8_t) ~((2u << PHASE_REQUEST_BODY) - 1);
	if (body->bytes.ptr != body->region.ptr || body->region.ptr == NULL || (t->plan->body_readers & later) != 0 ||
	    body_matched(t))
		return;
	for (size_t i = 0; i < t->body_rest_count; i++)
		region_give_back(&body->region, t->body_rest[i]);
}
