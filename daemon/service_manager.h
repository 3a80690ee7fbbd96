/* Talks to the service manager: readiness, status line, watchdog, the listening socket it passes.
 * Every call does nothing where there is none. The only file that knows libsystemd, but for the
 * journal in log.c. */
#ifndef FLUXAWS_SERVICE_MANAGER_H
#define FLUXAWS_SERVICE_MANAGER_H

#include <stdint.h>

/* Take the listening Unix socket that the service manager passed. Returns the fd, owned by the
 * caller, CLOEXEC and NONBLOCK; -ENOENT where none was passed; -EINVAL where what was passed is not
 * one listening stream socket. */
int service_manager_take_socket(void);

void service_manager_ready(void);
/* Say that the end has begun, and how long it may take: longer than the unit allows, if need be. */
void service_manager_stopping(int64_t patience_ms);
void service_manager_reloading(int64_t monotonic_us);
/* Show the first line of `text`; what is no UTF-8 in it becomes a question mark. */
void service_manager_status(const char *text);

/* How often the watchdog wants to be fed, half of its patience; 0: there is none. */
int64_t service_manager_watchdog_ms(void);
void service_manager_feed_watchdog(void);

#endif
