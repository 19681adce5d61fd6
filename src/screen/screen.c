/*
 * One thread, which polls signals, the server's epoll set, the watch's connection and our control socket, for 50 ms at
 * most. Sockets are opened before another user is become.
 */
#include "screen/screen.h"

#include "base/clock.h"
#include "base/control.h"
#include "base/error.h"
#include "base/service.h"
#include "base/user.h"
#include "screen/listen.h"
#include "screen/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	TICK_MS = 50,
	FILES = 512, /* more than connections, streams and the rest can take */
};

struct screen {
	struct server server;
	struct control control;
	int listener; /* the server's, once it has begun */
	int signals;
	int64_t watchdog_ms; /* how often a service manager wants to hear of us; 0: it does not */
	uint64_t watchdog_due_ms;
	char name[64];
	char cookie[32];
};

/* ---- new addresses ---- */

static void add_address(struct screen *screen, struct buffer *out)
{
	const char *token = sessions_ticket(&screen->server.routes.sessions, screen->server.routes.sight.now_ms);
	buffer_printf(out, "http://%s/enter/%s", screen->name, token != NULL ? token : "");
}

static void answer(void *context, uid_t who, struct slice question, struct buffer *out)
{
	(void)who;
	if (!slice_equal(question, SLICE("address"))) {
		buffer_text(out, "{\"fault\":\"no such question\"}\n");
		return;
	}
	buffer_text(out, "{\"address\":\"");
	add_address(context, out);
	buffer_text(out, "\"}\n");
}

static void say_address(struct screen *screen)
{
	struct buffer text = buffer_make(NULL);
	add_address(screen, &text);
	fprintf(stderr, "guia: screen: %.*s\n", SLICE_ARG(buffer_slice(&text)));
	fprintf(stderr,
		"guia: screen: it lets in once, within a quarter of an hour; a new one: guia screen --address\n");
	buffer_free(&text);
}

/* ---- beginning ---- */

static int signals_open(struct screen *screen)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	screen->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return screen->signals < 0 ? -errno : 0;
}

static void bound_files(void)
{
	const struct rlimit limit = {FILES, FILES};
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_sockets(struct screen *screen, const struct screen_options *options, const char **ret_what)
{
	struct sockaddr_storage address;
	socklen_t len;
	const char *listen = options->listen != NULL ? options->listen : SCREEN_LISTEN;
	*ret_what = options->own;
	int r = control_open(&screen->control, options->own, CONTROL_FOR_USER);
	if (r != 0)
		return r == -EADDRINUSE ? SCREEN_BUSY : r;
	*ret_what = listen;
	if (!listen_parse(slice_from_string(listen), &address, &len))
		return -EINVAL;
	r = listen_open(&address, len, &screen->listener, screen->name);
	if (r != -EADDRINUSE || options->listen != NULL)
		return r;
	(void)listen_parse(SLICE("127.0.0.1:0"), &address, &len);
	return listen_open(&address, len, &screen->listener, screen->name);
}

static int begin(struct screen *screen, const struct screen_options *options, const char **ret_what)
{
	struct routes *routes = &screen->server.routes;
	*ret_what = "signals";
	int r = signals_open(screen);
	r = r != 0 ? r : open_sockets(screen, options, ret_what);
	if (r != 0)
		return r;
	*ret_what = options->user;
	r = options->user != NULL ? user_become(options->user) : 0;
	if (r != 0)
		return r;
	*ret_what = "the server";
	bound_files();
	snprintf(screen->cookie, sizeof(screen->cookie), "guia-%s", strrchr(screen->name, ':') + 1);
	routes->cookie = screen->cookie;
	routes->control = options->control;
	sight_begin(&routes->sight, options->control);
	routes->sight.now_ms = (uint64_t)clock_boot_ms();
	int listener = screen->listener;
	screen->listener = -1;
	return server_begin(&screen->server, listener);
}

static void end(struct screen *screen)
{
	server_end(&screen->server);
	sight_end(&screen->server.routes.sight);
	control_close(&screen->control);
	if (screen->listener >= 0)
		close(screen->listener);
	if (screen->signals >= 0)
		close(screen->signals);
}

/* ---- the loop ---- */

static void wait_a_tick(struct screen *screen)
{
	struct pollfd fds[3 + 1 + CONTROL_CLIENTS];
	size_t count = 0;
	fds[count++] = (struct pollfd){.fd = screen->signals, .events = POLLIN};
	fds[count++] = (struct pollfd){.fd = server_waits(&screen->server), .events = POLLIN};
	fds[count++] = asker_waits(&screen->server.routes.sight.asker);
	count += control_waits(&screen->control, fds + count);
	(void)poll(fds, count, server_wait_ms(&screen->server, TICK_MS));
}

static bool is_over(const struct screen *screen)
{
	struct signalfd_siginfo info;
	return read(screen->signals, &info, sizeof(info)) == (ssize_t)sizeof(info);
}

static void tell_watchdog(struct screen *screen, uint64_t now_ms)
{
	if (screen->watchdog_ms == 0 || now_ms < screen->watchdog_due_ms)
		return;
	service_notify("WATCHDOG=1");
	screen->watchdog_due_ms = now_ms + (uint64_t)screen->watchdog_ms;
}

static void run(struct screen *screen)
{
	screen->watchdog_ms = service_watchdog_ms();
	while (!is_over(screen)) {
		uint64_t now_ms = (uint64_t)clock_boot_ms();
		tell_watchdog(screen, now_ms);
		(void)sight_step(&screen->server.routes.sight, now_ms, clock_now_ms());
		control_step(&screen->control, now_ms * 1000000, answer, screen);
		server_step(&screen->server);
		wait_a_tick(screen);
	}
}

int screen_run(const struct screen_options *options, const char **ret_what)
{
	struct screen *screen = calloc(1, sizeof(*screen));
	if (screen == NULL)
		return -ENOMEM;
	screen->signals = screen->listener = screen->server.routes.sight.asker.fd = -1;
	control_init(&screen->control);
	int r = begin(screen, options, ret_what);
	if (r == 0) {
		say_address(screen);
		service_notify("READY=1");
		run(screen);
		service_notify("STOPPING=1");
	}
	end(screen);
	if (r == 0)
		(void)unlink(options->own);
	free(screen);
	return r;
}
