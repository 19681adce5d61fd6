/*
 * What a service manager wants to be told (sd_notify(3)): a datagram to the socket that NOTIFY_SOCKET names; and who
 * started us and looks after us itself: one into the socket that it left open, whose number SERVICE_FD has. Nobody else
 * can reach that one, also where we have become another user. Without either nothing happens.
 */
#ifndef GUIA_BASE_SERVICE_H
#define GUIA_BASE_SERVICE_H

#include <stdint.h>

#define SERVICE_FD "GUIA_NOTIFY_FD"

/*
 * "READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1", "STATUS=..."; several with a newline between them. Never waits.
 */
void service_notify(const char *what);

/* How often it wants to hear WATCHDOG=1 from this process, in milliseconds; 0: it does not. Half of what it allows. */
int64_t service_watchdog_ms(void);

/*
 * For what takes long and cannot tell meanwhile that we live: the watchdog waits for SERVICE_LONG_SECONDS at least, and
 * then as long as before again.
 */
enum { SERVICE_LONG_SECONDS = 600 };
void service_watchdog_wait_long(void);
void service_watchdog_wait_as_before(void);

#endif
