/*
 * What a run leaves to the kernel: connections whose programs have ended, with bytes that nobody has taken yet. They
 * are sent again for a minute and more, and where the gate takes cookies (net.ipv4.tcp_syncookies is 2) the next run's
 * accepts them: an attack's requests in its quiet time.
 */
#ifndef GUIA_DRILL_LEFTOVERS_H
#define GUIA_DRILL_LEFTOVERS_H

/* Ends all TCP connections of the network that the process is in (sock_diag(7)). 0, also where the kernel cannot, or
 * -errno. */
int leftovers_end(void);

#endif
