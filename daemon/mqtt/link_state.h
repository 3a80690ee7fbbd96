/* When to dial, when to wait, when to hang up: the state table of the link, with its backoff. Pure:
 * inputs, time and randomness come in, the action to take comes out. Makes no connection. */
#ifndef FLUXAWS_MQTT_LINK_STATE_H
#define FLUXAWS_MQTT_LINK_STATE_H

#include "daemon/base/backoff.h"
#include "daemon/base/random.h"
#include <stdint.h>

enum link_state {
    LINK_OFF,                 /* not wanted: not started, or stopped */
    LINK_WAITING_NETWORK,     /* wanted, but there is no route */
    LINK_WAITING_CREDENTIALS, /* wanted, but certificate or key are missing or unusable */
    LINK_BACKOFF,             /* wanted; the next attempt waits for its time */
    LINK_CONNECTING,          /* checking the credentials and dialling */
    LINK_UP,                  /* CONNACK received */
    LINK_STOPPING,            /* hanging up, to stay off */
    LINK_RESTARTING,          /* hanging up, to dial again with new settings */
    LINK_PAUSING,             /* hanging up, because an operator wants it so */
    LINK_PAUSED,              /* off until an operator resumes; no reload and no route ends it */
    LINK_STATE_COUNT,
};

enum link_input {
    LINK_INPUT_START,           /* the link is wanted */
    LINK_INPUT_STOP,            /* the link is not wanted any more */
    LINK_INPUT_PAUSE,           /* an operator wants no link */
    LINK_INPUT_RESUME,          /* and wants it again */
    LINK_INPUT_RESTART,         /* settings or credentials changed, or an operator's reconnect */
    LINK_INPUT_NETWORK_FOUND,   /* a route or an address is new */
    LINK_INPUT_NETWORK_GONE,    /* the last route is gone */
    LINK_INPUT_CLOCK_SET,       /* the wall clock was set, and may have been in the way */
    LINK_INPUT_DUE,             /* link_deadline() has come */
    LINK_INPUT_CREDENTIALS_OK,  /* they passed the check; dialling now */
    LINK_INPUT_CREDENTIALS_BAD, /* missing, unreadable, not belonging together, ... */
    LINK_INPUT_CONNECTED,       /* CONNACK: accepted */
    LINK_INPUT_CONNECT_FAILED,  /* the attempt ended without a connection */
    LINK_INPUT_LOST,            /* the connection ended, not by us */
    LINK_INPUT_STALLED,         /* too many requests unanswered: taken for dead */
    LINK_INPUT_CLOSED,          /* hanging up is done */
    LINK_INPUT_COUNT,
};

enum link_action {
    LINK_ACTION_NONE,
    LINK_ACTION_CONNECT,    /* check the credentials and dial; drop whatever attempt there was */
    LINK_ACTION_DISCONNECT, /* hang up; LINK_INPUT_CLOSED is expected */
    LINK_ACTION_ABANDON,    /* drop connection or attempt; nothing is expected back */
};

#define LINK_PROVEN_MS              60000 /* a link that held so long resets the backoff */
#define LINK_CREDENTIALS_RECHECK_MS 5000
#define LINK_CLOSE_TIMEOUT_MS       2000
#define LINK_CONNECT_GRACE_MS       5000  /* beyond the connect timeout of the connection itself */
#define LINK_NETWORK_SPREAD_MS      5000  /* a new route shortens the wait to at most this */
#define LINK_NETWORK_INTERVAL_MS    30000 /* and at most so often */

/* Whether there is a way out. Without news it is assumed. */
enum link_network { LINK_NETWORK_ASSUMED, LINK_NETWORK_GONE };

struct link_machine {
    enum link_state state;
    enum link_network network;
    struct backoff backoff;
    struct random_source random;
    int64_t connect_timeout_ms;
    int64_t deadline_ms;    /* INT64_MAX: none */
    int64_t since_ms;       /* of the present state */
    int64_t dialled_ms;     /* last attempt; INT64_MIN: never */
    int64_t hastened_ms;    /* when a new route shortened a wait last, or will; INT64_MIN: never */
    uint64_t attempt_count; /* those that got as far as dialling; for status */
    uint64_t connect_count; /* those that reached LINK_UP */
};

/* Begin off. `seed` feeds the jitter. */
void link_machine_init(struct link_machine *machine, int64_t backoff_min_ms, int64_t backoff_max_ms,
                       int64_t connect_timeout_ms, uint64_t seed, int64_t now_ms);

/* Change the bounds while running. */
void link_machine_set(struct link_machine *machine, int64_t backoff_min_ms, int64_t backoff_max_ms,
                      int64_t connect_timeout_ms);

/* Feed one input. Returns what the shell has to do now. The first attempt after START or RESUME
 * and the one after RESTART go at once, though never sooner than the backoff's floor after the
 * last; every other one waits for the backoff. LINK_INPUT_DUE before the deadline does nothing. */
enum link_action link_machine_step(struct link_machine *machine, enum link_input input,
                                   int64_t now_ms);

/* The time at which LINK_INPUT_DUE wants to be fed; INT64_MAX: none. */
int64_t link_machine_deadline(const struct link_machine *machine);

/* One cell of the table: what an input does in a state, before the guards of time. */
struct link_cell {
    enum link_state next;
    enum link_action action;
};
struct link_cell link_state_cell(enum link_state state, enum link_input input);

const char *link_state_name(enum link_state state);
const char *link_input_name(enum link_input input);
const char *link_action_name(enum link_action action);

#endif
