/*
 * An account for each id, in an open-addressed table that is half full at most. Hits of two seconds ago are held
 * against what events have told by now: what is still missing had no event.
 */
#include "watch/hit_ledger.h"

#include "base/error.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* An event comes when its request has ended, which may be a moment after the hit. */
enum { PLACES = 16384, IDS_MOST = PLACES / 2, LAG_SECONDS = 2 };

struct account {
	uint32_t id; /* 0: free */
	bool known;  /* in a table, a second ago or before */
	uint64_t hits[LAG_SECONDS + 1];
	uint64_t begun_with; /* hits of the time before us, which nobody tells */
	uint64_t told;
};

struct hit_ledger {
	size_t count;
	size_t seconds;
	struct account accounts[PLACES];
};

int hit_ledger_create(struct hit_ledger **ret_ledger)
{
	struct hit_ledger *ledger = calloc(1, sizeof(*ledger));
	if (ledger == NULL)
		return -ENOMEM;
	*ret_ledger = ledger;
	return 0;
}

void hit_ledger_free(struct hit_ledger *ledger)
{
	free(ledger);
}

/* NULL: there is no room. */
static struct account *account_of(struct hit_ledger *ledger, uint32_t id)
{
	size_t at = (size_t)(id * HASH_SPREAD >> 32) % PLACES;
	while (ledger->accounts[at].id != 0 && ledger->accounts[at].id != id)
		at = (at + 1) % PLACES;
	if (ledger->accounts[at].id == 0 && ledger->count == IDS_MOST)
		return NULL;
	ledger->count += ledger->accounts[at].id == 0;
	ledger->accounts[at].id = id;
	return &ledger->accounts[at];
}

void hit_ledger_event(struct hit_ledger *ledger, const struct event *event)
{
	bool by_mitigation = event->end.reason == EVENT_BY_BAN || event->end.reason == EVENT_BY_SIGNATURE ||
			     event->end.reason == EVENT_BY_MODE;
	struct account *account = NULL;
	if (by_mitigation && event->end.rule != 0 && event->end.rule <= UINT32_MAX)
		account = account_of(ledger, (uint32_t)event->end.rule);
	if (account != NULL)
		account->told++;
}

/* Those that are in no table any more, and of which nothing is to be told, make room. */
static void sweep(struct hit_ledger *ledger)
{
	struct account *old = malloc(sizeof(ledger->accounts));
	if (old == NULL)
		return;
	memcpy(old, ledger->accounts, sizeof(ledger->accounts));
	memset(ledger->accounts, 0, sizeof(ledger->accounts));
	ledger->count = 0;
	for (size_t i = 0; i < PLACES; i++)
		if (old[i].id != 0 && old[i].hits[0] != 0)
			*account_of(ledger, old[i].id) = old[i];
	free(old);
}

void hit_ledger_second(struct hit_ledger *ledger)
{
	if (ledger->count == IDS_MOST)
		sweep(ledger);
	for (size_t i = 0; i < PLACES; i++) {
		struct account *account = &ledger->accounts[i];
		if (account->id == 0)
			continue;
		account->known = true;
		memmove(account->hits + 1, account->hits, sizeof(account->hits) - sizeof(account->hits[0]));
		account->hits[0] = 0;
	}
	ledger->seconds++;
}

void hit_ledger_table(struct hit_ledger *ledger, const struct hit *hits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t id = atomic_load(&hits[i].id);
		struct account *account = id != 0 ? account_of(ledger, id) : NULL;
		if (account != NULL)
			account->hits[0] += atomic_load(&hits[i].count);
	}
}

void hit_ledger_tell(struct hit_ledger *ledger, hit_ledger_tell_fn *tell, void *context)
{
	for (size_t i = 0; i < PLACES; i++) {
		struct account *account = &ledger->accounts[i];
		if (account->id == 0)
			continue;
		if (ledger->seconds == 1 && !account->known)
			account->begun_with = account->hits[0];
		/* A worker's file may be gone: what was counted there is known no more. */
		if (account->hits[LAG_SECONDS] <= account->begun_with + account->told)
			continue;
		uint64_t more = account->hits[LAG_SECONDS] - account->begun_with - account->told;
		account->told += more;
		tell(context, account->id, more);
	}
}
