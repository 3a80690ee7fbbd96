/* The watches of a handle. For the inside of the library; watches.c looks after them. */
#ifndef CLIENT_WATCH_H
#define CLIENT_WATCH_H

#include "client/fluxaws.h"
#include "client/shadow.h"
#include "client/told.h"
#include "proto/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_WATCHES_MAX 64u
/* What all watches of a handle remember of what they told. */
#define CLIENT_TOLD_BYTES_MAX ((size_t)1024 * 1024)

enum client_watch_state {
    CLIENT_WATCH_DUE, /* WATCH is to be sent on this connection */
    CLIENT_WATCH_SENT,
    CLIENT_WATCH_ACTIVE,
    CLIENT_WATCH_REFUSED, /* on this connection */
};

struct client_watch {
    struct client_watch *next;
    int id;
    struct client_shadow *shadow; /* borrowed */
    char path[FLUX_PATH_BYTES_MAX + 1];
    fluxaws_desired_callback callback;
    void *data;
    bool is_over; /* unwatched; freed when no callback runs */

    enum client_watch_state state;
    uint64_t request_id; /* of WATCH on this connection */
    struct told told;
    int refusal;             /* negative errno; 0 while it is not refused */
    bool refusal_is_pending; /* to be told */
    char refusal_text[400];
};

struct client_watches {
    struct client_watch *first; /* owned, by id */
    size_t count;               /* of those that are not over */
    int last_id;
};

#endif
