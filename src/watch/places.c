/* `read` is set last, with release: who has seen it may look at all the rest without a lock. */
#include "watch/places.h"

#include "base/error.h"
#include "evidence/file_digest.h"
#include "locate/locations.h"

#include <string.h>

static void *read_all(void *context)
{
	struct places *places = context;
	static const struct image_version version = {.generation = 1};
	struct merkle_hash digest;
	int r = locations_image(places->file, &version, &places->bytes);
	if (r == 0 && place_image_check(buffer_slice(&places->bytes), version.boot, &places->image) != IMAGE_GOOD)
		r = -EINVAL;
	if (r == 0)
		r = file_digest(places->file, &digest);
	if (r == 0)
		memcpy(places->sha256, digest.bytes, sizeof(places->sha256));
	places->result = r;
	atomic_store_explicit(&places->read, true, memory_order_release);
	return NULL;
}

void places_begin(struct places *places, const char *file)
{
	*places = (struct places){.file = file, .bytes = buffer_make(NULL)};
	int r = pthread_create(&places->thread, NULL, read_all, places);
	places->started = r == 0;
	if (r == 0)
		return; /* the rest is the thread's */
	places->result = -r;
	atomic_store(&places->read, true);
}

void places_end(struct places *places)
{
	places_await(places);
	buffer_free(&places->bytes);
}

void places_await(struct places *places)
{
	if (places->started)
		(void)pthread_join(places->thread, NULL);
	places->started = false;
}

const struct place_image *places_image(const struct places *places)
{
	bool read = atomic_load_explicit(&places->read, memory_order_acquire);
	return read && places->result == 0 ? &places->image : NULL;
}

const char *places_fault(const struct places *places)
{
	if (!atomic_load_explicit(&places->read, memory_order_acquire) || places->result == 0)
		return "";
	return places->result == LOCATIONS_NONE ? "there is no such file"
	       : places->result == -EINVAL      ? "it is no database of libloc"
						: strerror(-places->result);
}
