/*
 * Sizes are powers of two, told by a head before each block. A block goes to the list of whatever thread gives it back,
 * and never again to malloc's, but for the large ones.
 */
#include "drill/spare.h"

#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	SMALLEST_BITS = 5,
	LARGEST_BITS = 16, /* what is larger is malloc's */
	SIZES = LARGEST_BITS - SMALLEST_BITS + 1,
};

/* Before each block; as long as what malloc aligns to. */
struct head {
	_Alignas(16) struct head *next; /* while it is spare */
	unsigned size;                  /* of 2^(SMALLEST_BITS + size) bytes, or SIZES: of malloc's */
	size_t bytes;
};

static _Thread_local struct head *spare[SIZES];

static unsigned size_of(size_t bytes)
{
	unsigned size = 0;
	while (size < SIZES && bytes > (size_t)1 << (SMALLEST_BITS + size))
		size++;
	return size;
}

static void *take(size_t bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	if (bytes == 0 || bytes > SIZE_MAX / 2)
		return NULL;
	unsigned size = size_of(bytes);
	struct head *head = size < SIZES ? spare[size] : NULL;
	if (head != NULL) {
		spare[size] = head->next;
	} else {
		size_t room = size < SIZES ? (size_t)1 << (SMALLEST_BITS + size) : bytes;
		head = malloc(sizeof(*head) + room);
		if (head == NULL)
			return NULL;
		head->size = size;
		head->bytes = room;
	}
	return head + 1;
}

static void give(void *block, const char *file, int line)
{
	(void)file;
	(void)line;
	if (block == NULL)
		return;
	struct head *head = (struct head *)block - 1;
	if (head->size == SIZES) {
		free(head);
		return;
	}
	head->next = spare[head->size];
	spare[head->size] = head;
}

static void *change(void *block, size_t bytes, const char *file, int line)
{
	if (bytes == 0) {
		give(block, file, line);
		return NULL;
	}
	const struct head *head = block != NULL ? (struct head *)block - 1 : NULL;
	if (head != NULL && bytes <= head->bytes)
		return block;
	void *other = take(bytes, file, line);
	if (other != NULL && head != NULL) {
		memcpy(other, block, head->bytes);
		give(block, file, line);
	}
	return other;
}

void spare_begin(void)
{
	(void)CRYPTO_set_mem_functions(take, change, give);
}
