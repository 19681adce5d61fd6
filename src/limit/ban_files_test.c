/* The way of bans from the watch to a worker, and to the next watch. */
#include "limit/ban_files.h"

#include "base/error.h"
#include "base/file.h"
#include "limit/test_bans.h"

#include <sys/resource.h>

struct folder {
	char path[64];
	char base[96];
	char delta[96];
	uint64_t word;
};

static void folder_make(struct folder *f)
{
	*f = (struct folder){0};
	strcpy(f->path, "/tmp/guia-ban-test-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	snprintf(f->base, sizeof(f->base), "%s/base", f->path);
	snprintf(f->delta, sizeof(f->delta), "%s/delta", f->path);
}

static void folder_remove(struct folder *f)
{
	unlink(f->base);
	unlink(f->delta);
	assert_int_equal(rmdir(f->path), 0);
}

static void publish(struct folder *f, struct ban_book *book, bool base, uint64_t now_ms)
{
	struct buffer out = buffer_make(NULL);
	uint64_t generation;
	assert_int_equal(base ? ban_book_base(book, boot, now_ms, &out, &generation)
			      : ban_book_delta(book, boot, &out, &generation),
			 0);
	assert_int_equal(image_publish(base ? f->base : f->delta, buffer_slice(&out), generation, &f->word), 0);
	buffer_free(&out);
}

static int look(struct folder *f, struct ban_view *view)
{
	return ban_view_look(view, f->base, f->delta, &f->word, boot);
}

static enum ban_kind seen(const struct ban_view *view, const char *address, uint64_t now_ms)
{
	struct prefix p = parsed(address);
	return ban_view_lookup(view, &p.address, now_ms).kind;
}

static void workers_learn_of_bans(void **state)
{
	(void)state;
	struct folder f;
	struct ban_view view = {0};
	struct ban_book *book = new_book(100);
	folder_make(&f);
	assert_int_equal(look(&f, &view), BAN_VIEW_SAME);
	assert_int_equal(seen(&view, "192.0.2.1", 0), BAN_NONE);
	punished(book, "192.0.2.1", 0);
	publish(&f, book, true, 0);
	assert_int_equal(look(&f, &view), BAN_VIEW_NEW);
	assert_int_equal(look(&f, &view), BAN_VIEW_SAME);
	assert_int_equal(seen(&view, "192.0.2.1", 0), BAN_REFUSE);
	punished(book, "192.0.2.2", 0);
	struct prefix first = parsed("192.0.2.1");
	assert_int_equal(ban_book_lift(book, &first, BAN_AUTOMATIC), 0);
	assert_int_equal(ban_book_lift(book, &first, BAN_AUTOMATIC), BAN_BOOK_ABSENT);
	assert_int_equal(ban_book_changed(book), 2);
	publish(&f, book, false, 0);
	assert_int_equal(look(&f, &view), BAN_VIEW_NEW);
	assert_int_equal(seen(&view, "192.0.2.1", 0), BAN_NONE);
	assert_int_equal(seen(&view, "192.0.2.2", 0), BAN_REFUSE);
	/* a new base is not undone by the delta of the last */
	punished(book, "192.0.2.1", 0);
	publish(&f, book, true, 0);
	assert_int_equal(ban_book_changed(book), 0);
	assert_int_equal(look(&f, &view), BAN_VIEW_NEW);
	assert_int_equal(seen(&view, "192.0.2.1", 0), BAN_REFUSE);
	/* without a watch, bans end by themselves */
	assert_int_equal(seen(&view, "192.0.2.1", 2 * MINUTE), BAN_NONE);
	ban_view_close(&view);
	ban_book_free(book);
	folder_remove(&f);
}

static void workers_keep_what_they_have_if_the_new_is_bad(void **state)
{
	(void)state;
	struct folder f;
	struct ban_view view = {0};
	struct ban_book *book = new_book(100);
	folder_make(&f);
	punished(book, "192.0.2.1", 0);
	publish(&f, book, true, 0);
	punished(book, "192.0.2.2", 0);
	publish(&f, book, false, 0);
	assert_int_equal(look(&f, &view), BAN_VIEW_NEW);
	static const char *const bad[] = {"", "GuiaBans", "no bans at all, and long enough for a header of that kind"};
	for (size_t i = 0; i < 6; i++) {
		const char *path = i < 3 ? f.base : f.delta;
		if (i == 3)
			publish(&f, book, true, 0);
		assert_int_equal(image_publish(path, slice_from_string(bad[i % 3]), f.word + 1, &f.word), 0);
		if (i < 3)
			unlink(f.delta);
		assert_int_equal(look(&f, &view), BAN_VIEW_BAD);
		assert_string_equal(view.path, path);
		assert_true(view.error != 0 || view.fault != IMAGE_GOOD);
		assert_int_equal(seen(&view, "192.0.2.1", 0), BAN_REFUSE);
		assert_int_equal(seen(&view, "192.0.2.2", 0), BAN_REFUSE);
	}
	ban_view_close(&view);
	ban_book_free(book);
	folder_remove(&f);
}

/* Without a descriptor to open a file with. */
static void what_could_not_be_read_for_the_moment_is_read_later(void **state)
{
	(void)state;
	struct folder f;
	struct ban_view view = {0};
	struct ban_book *book = new_book(100);
	struct rlimit before;
	folder_make(&f);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < 2; i++) {
		const char *banned = i == 0 ? "192.0.2.1" : "192.0.2.2";
		punished(book, banned, 0);
		publish(&f, book, i == 0, 0);
		struct rlimit none = {0, before.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		int outcomes[2] = {look(&f, &view), look(&f, &view)};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_int_equal(outcomes[0], BAN_VIEW_BAD);
		assert_int_equal(outcomes[1], BAN_VIEW_BAD);
		assert_int_equal(view.error, -EMFILE);
		assert_int_equal(seen(&view, banned, 0), BAN_NONE);
		assert_int_equal(look(&f, &view), BAN_VIEW_NEW);
		assert_int_equal(seen(&view, banned, 0), BAN_REFUSE);
	}
	ban_view_close(&view);
	ban_book_free(book);
	folder_remove(&f);
}

static void a_new_watch_takes_over(void **state)
{
	(void)state;
	struct folder f;
	struct ban_view view = {0};
	struct ban_book *book = new_book(100), *next = new_book(100);
	folder_make(&f);
	punished(book, "192.0.2.1", 0);
	punished(book, "192.0.2.3", 0);
	publish(&f, book, true, 0);
	punished(book, "192.0.2.2", 30 * 1000);
	struct prefix third = parsed("192.0.2.3");
	assert_int_equal(ban_book_lift(book, &third, BAN_AUTOMATIC), 0);
	publish(&f, book, false, 0);
	assert_int_equal(look(&f, &view), BAN_VIEW_NEW);
	assert_int_equal(ban_book_restore(next, &view.base.image, &view.delta.image, 20 * 1000), 0);
	assert_int_equal(ban_book_count(next, 20 * 1000), 2);
	publish(&f, next, true, 20 * 1000);
	assert_int_equal(look(&f, &view), BAN_VIEW_NEW);
	assert_int_equal(seen(&view, "192.0.2.2", 20 * 1000), BAN_REFUSE);
	assert_int_equal(seen(&view, "192.0.2.3", 20 * 1000), BAN_NONE);
	assert_int_equal(seen(&view, "192.0.2.1", 2 * MINUTE), BAN_NONE);
	ban_view_close(&view);
	ban_book_free(book);
	ban_book_free(next);
	folder_remove(&f);
}

/* A person's word took the place of an earlier one that lasts longer, and is over before the watch begins anew. */
static void what_has_ended_does_not_come_back(void **state)
{
	(void)state;
	static const enum ban_kind kinds[] = {BAN_REFUSE, BAN_ALLOW};
	struct folder f;
	folder_make(&f);
	for (size_t i = 0; i < 2; i++) {
		struct ban_view view = {0};
		struct ban_book *book = new_book(100), *next = new_book(100);
		struct prefix p = parsed("192.0.2.1");
		struct ban_entry entry = {p.address, BAN_FOR_EVER, 7, p.bits, (uint8_t)kinds[i], BAN_BY_PERSON, 0};
		assert_int_equal(ban_book_set(book, &entry, false), 0);
		publish(&f, book, true, 0);
		entry.expires_ms = MINUTE;
		assert_int_equal(ban_book_set(book, &entry, false), 0);
		publish(&f, book, false, 0);
		assert_int_equal(look(&f, &view), BAN_VIEW_NEW);
		assert_int_equal(seen(&view, "192.0.2.1", MINUTE - 1), kinds[i]);
		assert_int_equal(seen(&view, "192.0.2.1", MINUTE), BAN_NONE);
		assert_int_equal(ban_book_restore(next, &view.base.image, &view.delta.image, MINUTE), 0);
		assert_int_equal(ban_book_lookup(next, &p.address, MINUTE).kind, BAN_NONE);
		assert_int_equal(ban_book_count(next, MINUTE), 0);
		ban_view_close(&view);
		ban_book_free(book);
		ban_book_free(next);
		f.word = 0;
	}
	folder_remove(&f);
}

TEST_MAIN(cmocka_unit_test(workers_learn_of_bans), cmocka_unit_test(workers_keep_what_they_have_if_the_new_is_bad),
	  cmocka_unit_test(what_could_not_be_read_for_the_moment_is_read_later),
	  cmocka_unit_test(a_new_watch_takes_over), cmocka_unit_test(what_has_ended_does_not_come_back))
