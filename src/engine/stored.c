/*
 * Here keys are made and times told; values are the store's (worker->options.store). A write makes what was read of the
 * collection void. The time is that since boot.
 */
#include "engine/stored.h"

#include "base/clock.h"
#include "match/compare.h"

#include <errno.h>

enum {
	STORED_VALUE_BYTES = 8192,          /* of a value that is read as a number */
	EXPIRY_MAX_SECONDS = 60 * 31536000, /* sixty years: for ever */
};

/* A record's place in transaction->stored_keys. */
static int place_of(enum variable collection)
{
	switch ((int)collection) {
	case VARIABLE_GLOBAL:
		return 0;
	case VARIABLE_IP:
		return 1;
	case VARIABLE_RESOURCE:
		return 2;
	case VARIABLE_SESSION:
		return 3;
	default:
		return 4;
	}
}

void stored_open(struct transaction *t, enum variable collection, struct slice key)
{
	t->stored_keys[place_of(collection)] = (struct owed_key){.before = key.ptr == NULL ? SLICE("") : key};
	t->stored_read[place_of(collection)] = 0;
}

void stored_open_owed(struct transaction *t, enum variable collection, const struct owed_key *key)
{
	t->stored_keys[place_of(collection)] = *key;
	t->stored_read[place_of(collection)] = 0;
}

/* ptr NULL: there is none. */
static struct slice key_of(struct transaction *t, enum variable collection)
{
	struct owed_key *key = &t->stored_keys[place_of(collection)];
	if (key->owed == NULL)
		return key->before;
	struct buffer text = buffer_make(&t->arena);
	buffer_add(&text, key->before);
	buffer_add(&text, owed_text(key->owed));
	buffer_add(&text, key->after);
	if (text.error != 0) {
		transaction_out_of_memory(t);
		return (struct slice){0};
	}
	*key = (struct owed_key){.before = text.len == 0 ? SLICE("") : buffer_slice(&text)};
	return key->before;
}

static struct guia_slice outer(struct slice s)
{
	return (struct guia_slice){s.ptr, s.len};
}

/* What a call to the store is about. */
struct record {
	const struct guia_collection_store *store;
	struct guia_slice collection;
	struct guia_slice key;
	int64_t now_ms;
	int64_t timeout_ms;
};

/* False if the collection has no record: no initcol has run, or there is no store. */
static bool record_of(struct transaction *t, enum variable collection, struct record *ret_record)
{
	struct slice key = t->worker->options.store == NULL ? (struct slice){0} : key_of(t, collection);
	if (key.ptr == NULL)
		return false;
	struct slice site = t->ruleset->settings.web_app_id;
	if (site.len > 0) {
		/* Applications that share a store do not share records. */
		struct buffer text = buffer_make(&t->arena);
		buffer_add(&text, site);
		buffer_byte(&text, 0);
		buffer_add(&text, key);
		if (text.error != 0)
			return false;
		key = buffer_slice(&text);
	}
	*ret_record = (struct record){
		.store = t->worker->options.store,
		.collection = outer(slice_from_string(variable_infos[collection].name)),
		.key = outer(key),
		.now_ms = clock_boot_ms(),
		.timeout_ms = (int64_t)t->ruleset->settings.collection_timeout_seconds * CLOCK_MS_PER_S,
	};
	return true;
}

/* The same for a change, after which the collection is read anew. */
static bool record_to_change(struct transaction *t, enum variable collection, struct record *ret_record)
{
	t->stored_read[place_of(collection)] = 0;
	return record_of(t, collection, ret_record);
}

struct listing {
	struct transaction *t;
	struct value_set *set;
	int error;
};

static void add_value(void *context, struct guia_slice name, struct guia_slice value)
{
	struct listing *listing = context;
	struct slice key;
	struct slice copy;
	struct arena *arena = &listing->t->arena;
	if (arena_copy(arena, slice_make(name.ptr, name.len), &key) != 0 ||
	    arena_copy(arena, slice_make(value.ptr, value.len), &copy) != 0 ||
	    value_set_add(listing->set, arena, key, copy) == NULL)
		listing->error = -ENOMEM;
}

int stored_values(struct transaction *t, enum variable collection, struct value_set *set)
{
	struct record r;
	struct listing listing = {t, set, 0};
	uint8_t *read = &t->stored_read[place_of(collection)];
	if (t->phase != 0 && *read == t->phase)
		return 0;
	set->count = 0;
	if (record_of(t, collection, &r))
		(void)r.store->list(r.store->context, r.collection, r.key, r.now_ms, add_value, &listing);
	*read = listing.error == 0 ? t->phase : 0;
	return listing.error;
}

/* A store that is full or gone loses writes; no request fails for that. */
void stored_set(struct transaction *t, enum variable collection, struct slice name, struct slice value)
{
	struct record r;
	if (record_to_change(t, collection, &r))
		(void)r.store->set(r.store->context, r.collection, r.key, outer(name), outer(value), r.now_ms,
				   r.timeout_ms);
}

void stored_add(struct transaction *t, enum variable collection, struct slice name, int64_t amount)
{
	struct record r;
	int64_t sum;
	if (record_to_change(t, collection, &r))
		(void)r.store->add(r.store->context, r.collection, r.key, outer(name), amount, r.now_ms, r.timeout_ms,
				   &sum);
}

void stored_unset(struct transaction *t, enum variable collection, struct slice name)
{
	struct record r;
	if (record_to_change(t, collection, &r))
		(void)r.store->remove(r.store->context, r.collection, r.key, outer(name));
}

/* A value of a request may stand in the number. */
void stored_expire(struct transaction *t, enum variable collection, struct slice name, int64_t seconds)
{
	struct record r;
	if (seconds > EXPIRY_MAX_SECONDS)
		seconds = EXPIRY_MAX_SECONDS;
	if (seconds < 0)
		seconds = 0;
	if (record_to_change(t, collection, &r))
		(void)r.store->expire(r.store->context, r.collection, r.key, outer(name),
				      r.now_ms + seconds * CLOCK_MS_PER_S);
}

static int64_t get_number(const struct record *r, struct slice name)
{
	uint8_t value[STORED_VALUE_BYTES];
	size_t len = 0;
	if (r->store->get(r->store->context, r->collection, r->key, outer(name), r->now_ms, value, sizeof(value),
			  &len) != 0)
		return 0;
	return compare_number(slice_make(value, len));
}

/* When a value was last lowered is kept beside it, in a variable of its own: name, then ".deprecated". */
void stored_deprecate(struct transaction *t, enum variable collection, struct slice name, int64_t amount,
		      int64_t seconds)
{
	struct record r;
	struct buffer clock_name = buffer_make(&t->arena);
	buffer_add(&clock_name, name);
	buffer_text(&clock_name, ".deprecated");
	if (seconds <= 0 || amount <= 0 || clock_name.error != 0 || !record_to_change(t, collection, &r))
		return;
	struct guia_slice clock = outer(buffer_slice(&clock_name));
	int64_t now = r.now_ms / CLOCK_MS_PER_S;
	int64_t since = get_number(&r, buffer_slice(&clock_name));
	if (since < 0 || since > now)
		since = 0; /* no clock of this machine said so */
	int64_t value = get_number(&r, name);
	int64_t steps = since == 0 ? 0 : (now - since) / seconds;
	int64_t sum;
	if (since != 0 && steps <= 0)
		return;
	int64_t lowered = steps > 0 && value / amount < steps ? value : steps * amount;
	if (value > 0 && lowered > 0)
		(void)r.store->add(r.store->context, r.collection, r.key, outer(name), -lowered, r.now_ms, r.timeout_ms,
				   &sum);
	struct buffer number = buffer_make(&t->arena);
	buffer_number(&number, since == 0 ? now : since + steps * seconds);
	if (number.error == 0)
		(void)r.store->set(r.store->context, r.collection, r.key, clock, outer(buffer_slice(&number)), r.now_ms,
				   r.timeout_ms);
}
