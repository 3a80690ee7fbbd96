/* Sees to it that one daemon at a time uses a state directory. Makes no file: the lock is on the
 * directory itself, and ends with the process that holds it, however that ends. */
#ifndef FLUXAWS_STORAGE_STATE_LOCK_H
#define FLUXAWS_STORAGE_STATE_LOCK_H

#include <sys/types.h>

/* Take the lock on a directory for as long as the descriptor stays open. Does not wait. Returns the
 * descriptor, which the caller closes; -EWOULDBLOCK where another process holds it, `ret_holder`
 * being who, or 0 if that cannot be told; -EROFS where it is read-only; or another negative errno
 * where there is no such directory, or none that can be locked (over a network, some cannot). */
int state_lock_take(const char *directory, pid_t *ret_holder);

#endif
