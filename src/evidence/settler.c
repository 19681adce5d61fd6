/*
 * A list that the writer appends to; a bundle leaves it when it is written. On the disk its hashes come first, then the
 * tiles above that it fills, its records last. `settled` follows syncfs(2) alone; what failed is done again, the same.
 */
#include "evidence/settler.h"

#include "base/error.h"
#include "evidence/kept_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RETRY_MS = 100, SYNC_AFTER_BUNDLES = 256 };

struct settler {
	const struct disk_calls *disk;
	int folder;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct bundle *first; /* to be written */
	struct bundle *last;
	bool ending;
	uint64_t settled;
	/* The thread's own: the tiles above the lowest level that are not full. */
	uint64_t written;
	unsigned counts[TILE_LEVELS];
	struct merkle_hash hashes[TILE_LEVELS][TILE_WIDTH];
};

/* ---- tiles ---- */

static int place(struct settler *settler, struct tile_name name, struct slice content)
{
	char path[TILE_PATH_BYTES];
	tile_path(name, path);
	return disk_place(settler->disk, settler->folder, path, content);
}

static struct slice hashes_slice(const struct merkle_hash *hashes, unsigned count)
{
	return slice_make(hashes, count * sizeof(*hashes));
}

/* What was written of it while it held less: all but `width`. */
static void remove_partial(struct settler *settler, int level, uint64_t number, unsigned width)
{
	char path[TILE_PATH_BYTES + 4], whole[TILE_PATH_BYTES], keep[12];
	tile_path((struct tile_name){level, number, TILE_WIDTH}, whole);
	snprintf(path, sizeof(path), "%s.p", whole);
	int fd = openat(settler->folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (folder == NULL)
		return;
	snprintf(keep, sizeof(keep), "%u", width);
	for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
		if (strcmp(entry->d_name, keep) != 0)
			(void)unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	if (width == TILE_WIDTH)
		(void)unlinkat(settler->folder, path, AT_REMOVEDIR);
}

/* A hash of level `level`, number `index` of its kind; tiles that it fills are written. */
static int push_up(struct settler *settler, unsigned level, uint64_t index, struct merkle_hash hash)
{
	for (; level < TILE_LEVELS; level++, index /= TILE_WIDTH) {
		unsigned place_in = (unsigned)(index % TILE_WIDTH);
		settler->hashes[level][place_in] = hash;
		settler->counts[level] = place_in + 1;
		if (place_in + 1 < TILE_WIDTH)
			return 0;
		int r = place(settler, (struct tile_name){(int)level, index / TILE_WIDTH, TILE_WIDTH},
			      hashes_slice(settler->hashes[level], TILE_WIDTH));
		if (r != 0)
			return r;
		remove_partial(settler, (int)level, index / TILE_WIDTH, TILE_WIDTH);
		settler->counts[level] = 0;
		hash = merkle_root_of(settler->hashes[level], TILE_WIDTH);
	}
	return 0;
}

/* The records last: who finds their tile asks for those of their hashes, whenever the writer is killed. */
static int write_bundle(struct settler *settler, const struct bundle *bundle)
{
	int r = place(settler, (struct tile_name){0, bundle->number, TILE_WIDTH},
		      hashes_slice(bundle->hashes, TILE_WIDTH));
	if (r == 0)
		r = push_up(settler, 1, bundle->number, merkle_root_of(bundle->hashes, TILE_WIDTH));
	if (r == 0)
		r = place(settler, (struct tile_name){TILE_ENTRIES, bundle->number, TILE_WIDTH},
			  buffer_slice(&bundle->bytes));
	if (r != 0)
		return r;
	remove_partial(settler, 0, bundle->number, TILE_WIDTH);
	remove_partial(settler, TILE_ENTRIES, bundle->number, TILE_WIDTH);
	settler->written = (bundle->number + 1) * TILE_WIDTH;
	return 0;
}

static int write_edge(struct settler *settler, const struct bundle *edge)
{
	int r = 0;
	if (edge != NULL && edge->count > 0) {
		r = place(settler, (struct tile_name){TILE_ENTRIES, edge->number, edge->count},
			  buffer_slice(&edge->bytes));
		if (r == 0)
			r = place(settler, (struct tile_name){0, edge->number, edge->count},
				  hashes_slice(edge->hashes, edge->count));
	}
	for (unsigned level = 1; level < TILE_LEVELS && r == 0; level++)
		if (settler->counts[level] > 0)
			r = place(settler,
				  (struct tile_name){(int)level, tile_at_edge(settler->written, level),
						     settler->counts[level]},
				  hashes_slice(settler->hashes[level], settler->counts[level]));
	return r == 0 ? settler->disk->syncfs(settler->folder) : r;
}

/* Those of an earlier end, which these take the place of. */
static void remove_narrower(struct settler *settler, const struct bundle *edge)
{
	if (edge != NULL && edge->count > 0) {
		remove_partial(settler, TILE_ENTRIES, edge->number, edge->count);
		remove_partial(settler, 0, edge->number, edge->count);
	}
	for (unsigned level = 1; level < TILE_LEVELS; level++)
		if (settler->counts[level] > 0)
			remove_partial(settler, (int)level, tile_at_edge(settler->written, level),
				       settler->counts[level]);
}

/* ---- the thread ---- */

/* With `waits`, until there is one or it is to end. */
static struct bundle *next_bundle(struct settler *settler, bool waits, bool *ret_end)
{
	pthread_mutex_lock(&settler->lock);
	while (waits && settler->first == NULL && !settler->ending)
		pthread_cond_wait(&settler->wake, &settler->lock);
	struct bundle *bundle = settler->first;
	*ret_end = settler->ending;
	pthread_mutex_unlock(&settler->lock);
	return bundle;
}

/* The bundle leaves the list once it is written. */
static bool settle_one(struct settler *settler, struct bundle *bundle)
{
	if (write_bundle(settler, bundle) != 0)
		return false;
	pthread_mutex_lock(&settler->lock);
	settler->first = bundle->next;
	if (settler->first == NULL)
		settler->last = NULL;
	pthread_mutex_unlock(&settler->lock);
	bundle_free(bundle);
	return true;
}

static bool sync_written(struct settler *settler)
{
	if (settler->disk->syncfs(settler->folder) != 0)
		return false;
	pthread_mutex_lock(&settler->lock);
	settler->settled = settler->written;
	pthread_mutex_unlock(&settler->lock);
	return true;
}

static void *run(void *context)
{
	struct settler *settler = context;
	bool end, good = true;
	for (;;) {
		if (!good)
			usleep(RETRY_MS * 1000);
		struct bundle *bundle = next_bundle(settler, good, &end);
		if (end && (bundle == NULL || !good))
			return NULL;
		good = bundle == NULL || settle_one(settler, bundle);
		bool more = settler->written - settler->settled >= SYNC_AFTER_BUNDLES * TILE_WIDTH;
		pthread_mutex_lock(&settler->lock);
		more |= settler->first == NULL;
		pthread_mutex_unlock(&settler->lock);
		if (good && more)
			good = sync_written(settler);
	}
}

/* The hash of a tile of the level below, read from it. */
static int read_tile_root(struct settler *settler, unsigned level, uint64_t number, struct merkle_hash *ret_hash)
{
	char path[TILE_PATH_BYTES];
	struct buffer content = buffer_make(NULL);
	tile_path((struct tile_name){(int)level, number, TILE_WIDTH}, path);
	int r = kept_file_read(settler->folder, path, TILE_BYTES, &content);
	if (r == 0 && content.len != TILE_BYTES)
		r = -EBADMSG;
	if (r == 0)
		*ret_hash = merkle_root_of((const struct merkle_hash *)(const void *)content.ptr, TILE_WIDTH);
	buffer_free(&content);
	return r == 0 || r == -ENOMEM ? r : -EBADMSG;
}

/* The hashes of a level come together to the subtrees that the tree has there. */
static bool edge_agrees(const struct settler *settler, unsigned level, const struct merkle_frontier *before)
{
	const struct merkle_hash *hashes = settler->hashes[level];
	for (unsigned height = TILE_HEIGHT; height-- > 0;) {
		if ((settler->counts[level] >> height & 1) == 0)
			continue;
		struct merkle_hash root = merkle_root_of(hashes, (size_t)1 << height);
		if (!merkle_hash_equal(&root, &before->subtree[level * TILE_HEIGHT + height]))
			return false;
		hashes += (size_t)1 << height;
	}
	return true;
}

static int read_edge(struct settler *settler, const struct merkle_frontier *before)
{
	for (unsigned level = 1; level < TILE_LEVELS; level++) {
		uint64_t hashes = before->size >> level * TILE_HEIGHT;
		settler->counts[level] = (unsigned)(hashes % TILE_WIDTH);
		for (unsigned i = 0; i < settler->counts[level]; i++) {
			int r = read_tile_root(settler, level - 1, hashes - settler->counts[level] + i,
					       &settler->hashes[level][i]);
			if (r != 0)
				return r;
		}
		if (!edge_agrees(settler, level, before))
			return -EBADMSG;
	}
	return 0;
}

int settler_create(const struct disk_calls *disk, int folder, const struct merkle_frontier *before,
		   struct settler **ret_settler)
{
	struct settler *settler = calloc(1, sizeof(*settler));
	if (settler == NULL)
		return -ENOMEM;
	*settler = (struct settler){.disk = disk, .folder = folder, .settled = before->size, .written = before->size};
	int r = read_edge(settler, before);
	pthread_mutex_init(&settler->lock, NULL);
	pthread_cond_init(&settler->wake, NULL);
	if (r == 0)
		r = -pthread_create(&settler->thread, NULL, run, settler);
	if (r != 0) {
		free(settler);
		return r;
	}
	*ret_settler = settler;
	return 0;
}

void settler_give(struct settler *settler, struct bundle *first, struct bundle *last)
{
	pthread_mutex_lock(&settler->lock);
	if (settler->first == NULL)
		settler->first = first;
	else
		settler->last->next = first;
	settler->last = last;
	pthread_cond_signal(&settler->wake);
	pthread_mutex_unlock(&settler->lock);
}

uint64_t settler_settled(struct settler *settler)
{
	pthread_mutex_lock(&settler->lock);
	uint64_t settled = settler->settled;
	pthread_mutex_unlock(&settler->lock);
	return settled;
}

void settler_end(struct settler *settler, const struct bundle *edge)
{
	if (settler == NULL)
		return;
	pthread_mutex_lock(&settler->lock);
	settler->ending = true;
	pthread_cond_signal(&settler->wake);
	pthread_mutex_unlock(&settler->lock);
	pthread_join(settler->thread, NULL);
	if (settler->first == NULL && write_edge(settler, edge) == 0)
		remove_narrower(settler, edge);
	while (settler->first != NULL) {
		struct bundle *next = settler->first->next;
		bundle_free(settler->first);
		settler->first = next;
	}
	pthread_mutex_destroy(&settler->lock);
	pthread_cond_destroy(&settler->wake);
	free(settler);
}
