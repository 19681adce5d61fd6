/* By the watch's control socket, asked again and again until it answers. */
#include "drill/permission.h"

#include "base/error.h"
#include "drill/record.h"
#include "base/control.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

enum {
	PATIENCE_SECONDS = 10,
	POLL_MS = 50,
};

static int ask_patiently(const char *control, const char *order, struct buffer *answer)
{
	int64_t end_ns = clock_now_ns() + PATIENCE_SECONDS * 1000000000LL;
	int r;
	while ((r = control_ask(control, order, answer)) != 0 && clock_now_ns() < end_ns)
		nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000}, NULL);
	return r;
}

int permission_give(const char *control, const struct host_address *address, struct buffer *said)
{
	char text[INET6_ADDRSTRLEN], order[INET6_ADDRSTRLEN + 64];
	inet_ntop(address->six ? AF_INET6 : AF_INET, address->bytes, text, sizeof(text));
	snprintf(order, sizeof(order), "allow %s/%d 0 - the crawler", text, address->six ? 128 : 32);
	struct buffer answer = buffer_make(NULL);
	int r = ask_patiently(control, order, &answer);
	struct slice told = buffer_slice(&answer);
	if (r == 0 && slice_find(told, SLICE("\"fault\""), 0) < told.len)
		r = -EPERM;
	if (r != 0)
		buffer_printf(said, "%s: %s: %.*s\n", order, strerror(-r), SLICE_ARG(told));
	buffer_free(&answer);
	return r;
}
