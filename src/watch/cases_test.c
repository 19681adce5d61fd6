#include "watch/cases.h"

#include "base/error.h"
#include "base/test.h"
#include "watch/cases_job.h"

#include <malloc.h>

/* One that is given and not begun when the watch ends is written by whoever ends it. */
static void a_job_that_nobody_has_begun_is_not_done(void **state)
{
	static struct casebook book;
	const struct hash_key key = {1, 2};
	struct intrusions *intrusions;
	(void)state;
	assert_int_equal(intrusions_new(&key, &intrusions), 0);
	(void)mallopt(M_PERTURB, 0xff); /* what malloc gives is zero, as it often is */
	struct cases_job *job = cases_job_make(&book, intrusions, 1);
	(void)mallopt(M_PERTURB, 0);
	assert_int_equal(job->result, -EINPROGRESS);
	cases_job_free(job);
	intrusions_free(intrusions);
}

TEST_MAIN(cmocka_unit_test(a_job_that_nobody_has_begun_is_not_done))
