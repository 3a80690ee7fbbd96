#include "daemon/mqtt/link_state.h"

#include <stdbool.h>

/* Every cell is written out: what is ignored (SAME) is ignored on purpose. Events that only an
 * older connection can have caused have no effect. */
/* clang-format off */
#define SAME          {LINK_STATE_COUNT, LINK_ACTION_NONE}
#define OFF_DROP      {LINK_OFF, LINK_ACTION_ABANDON}
#define OFF           {LINK_OFF, LINK_ACTION_NONE}
#define NETWORK       {LINK_WAITING_NETWORK, LINK_ACTION_NONE}
#define CREDS_CALL    {LINK_WAITING_CREDENTIALS, LINK_ACTION_CONNECT}
#define CREDS         {LINK_WAITING_CREDENTIALS, LINK_ACTION_NONE}
#define BACKOFF_DROP  {LINK_BACKOFF, LINK_ACTION_ABANDON}
#define BACKOFF       {LINK_BACKOFF, LINK_ACTION_NONE}
#define DIAL_CALL     {LINK_CONNECTING, LINK_ACTION_CONNECT}
#define DIAL          {LINK_CONNECTING, LINK_ACTION_NONE}
#define UP            {LINK_UP, LINK_ACTION_NONE}
#define STOP_HANG     {LINK_STOPPING, LINK_ACTION_DISCONNECT}
#define STOP          {LINK_STOPPING, LINK_ACTION_NONE}
#define RESTART_HANG  {LINK_RESTARTING, LINK_ACTION_DISCONNECT}
#define RESTART       {LINK_RESTARTING, LINK_ACTION_NONE}
#define PAUSE_HANG    {LINK_PAUSING, LINK_ACTION_DISCONNECT}
#define PAUSE         {LINK_PAUSING, LINK_ACTION_NONE}
#define PAUSED_DROP   {LINK_PAUSED, LINK_ACTION_ABANDON}
#define PAUSED        {LINK_PAUSED, LINK_ACTION_NONE}
#define NETWORK_DROP  {LINK_WAITING_NETWORK, LINK_ACTION_ABANDON}

static const struct link_cell table[LINK_INPUT_COUNT][LINK_STATE_COUNT] = {
    /* in state:                    OFF      WAITING_NETWORK  WAITING_CREDS  BACKOFF    CONNECTING    UP            STOPPING  RESTARTING    PAUSING      PAUSED */
    [LINK_INPUT_START] =           {BACKOFF, SAME,            SAME,          SAME,      SAME,         SAME,         RESTART,  SAME,         SAME,        SAME},
    [LINK_INPUT_STOP] =            {SAME,    OFF,             OFF_DROP,      OFF,       OFF_DROP,     STOP_HANG,    SAME,     STOP,         STOP,        OFF},
    [LINK_INPUT_PAUSE] =           {SAME,    PAUSED,          PAUSED_DROP,   PAUSED,    PAUSED_DROP,  PAUSE_HANG,   SAME,     PAUSE,        SAME,        SAME},
    [LINK_INPUT_RESUME] =          {SAME,    SAME,            SAME,          SAME,      SAME,         SAME,         SAME,     SAME,         RESTART,     BACKOFF},
    [LINK_INPUT_RESTART] =         {SAME,    SAME,            BACKOFF_DROP,  SAME,      BACKOFF_DROP, RESTART_HANG, SAME,     SAME,         SAME,        SAME},
    [LINK_INPUT_NETWORK_FOUND] =   {SAME,    BACKOFF,         SAME,          SAME,      SAME,         SAME,         SAME,     SAME,         SAME,        SAME},
    [LINK_INPUT_NETWORK_GONE] =    {SAME,    SAME,            NETWORK_DROP,  NETWORK,   NETWORK_DROP, SAME,         SAME,     SAME,         SAME,        SAME},
    [LINK_INPUT_CLOCK_SET] =       {SAME,    SAME,            SAME,          SAME,      SAME,         SAME,         SAME,     SAME,         SAME,        SAME},
    [LINK_INPUT_DUE] =             {SAME,    SAME,            CREDS_CALL,    DIAL_CALL, BACKOFF_DROP, SAME,         OFF_DROP, BACKOFF_DROP, PAUSED_DROP, SAME},
    [LINK_INPUT_CREDENTIALS_OK] =  {SAME,    SAME,            DIAL,          SAME,      SAME,         SAME,         SAME,     SAME,         SAME,        SAME},
    [LINK_INPUT_CREDENTIALS_BAD] = {SAME,    SAME,            SAME,          SAME,      CREDS,        SAME,         SAME,     SAME,         SAME,        SAME},
    [LINK_INPUT_CONNECTED] =       {SAME,    SAME,            SAME,          SAME,      UP,           SAME,         SAME,     SAME,         SAME,        SAME},
    [LINK_INPUT_CONNECT_FAILED] =  {SAME,    SAME,            SAME,          SAME,      BACKOFF,      SAME,         SAME,     SAME,         SAME,        SAME},
    [LINK_INPUT_LOST] =            {SAME,    SAME,            SAME,          SAME,      BACKOFF,      BACKOFF,      OFF_DROP, BACKOFF_DROP, PAUSED_DROP, SAME},
    [LINK_INPUT_STALLED] =         {SAME,    SAME,            SAME,          SAME,      SAME,         BACKOFF_DROP, SAME,     SAME,         SAME,        SAME},
    [LINK_INPUT_CLOSED] =          {SAME,    SAME,            SAME,          SAME,      SAME,         SAME,         OFF,      BACKOFF,      PAUSED,      SAME},
};
/* clang-format on */

struct link_cell link_state_cell(enum link_state state, enum link_input input)
{
    struct link_cell cell = table[input][state];
    if (cell.next == LINK_STATE_COUNT)
        cell.next = state;
    return cell;
}

void link_machine_init(struct link_machine *machine, int64_t backoff_min_ms, int64_t backoff_max_ms,
                       int64_t connect_timeout_ms, uint64_t seed, int64_t now_ms)
{
    *machine = (struct link_machine){
        .state = LINK_OFF,
        .connect_timeout_ms = connect_timeout_ms,
        .deadline_ms = INT64_MAX,
        .since_ms = now_ms,
        .dialled_ms = INT64_MIN,
        .hastened_ms = INT64_MIN,
    };
    backoff_init(&machine->backoff, backoff_min_ms, backoff_max_ms);
    random_init(&machine->random, seed);
}

void link_machine_set(struct link_machine *machine, int64_t backoff_min_ms, int64_t backoff_max_ms,
                      int64_t connect_timeout_ms)
{
    backoff_set_bounds(&machine->backoff, backoff_min_ms, backoff_max_ms);
    machine->connect_timeout_ms = connect_timeout_ms;
}

int64_t link_machine_deadline(const struct link_machine *machine)
{
    return machine->deadline_ms;
}

/* `wish_ms`, but never closer to the last attempt than the floor: AWS IoT takes one CONNECT a
 * second from a client id. */
static int64_t not_too_soon(const struct link_machine *machine, int64_t wish_ms)
{
    if (machine->dialled_ms == INT64_MIN)
        return wish_ms;
    int64_t floor_ms = machine->dialled_ms + machine->backoff.min_ms;
    return wish_ms > floor_ms ? wish_ms : floor_ms;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A new route or address: many devices may have seen the same one, so spread out, and a network
 * that flaps must not defeat the backoff. */
static void hasten(struct link_machine *machine, int64_t now_ms)
{
    int64_t from_ms = now_ms;
    if (machine->hastened_ms > now_ms)
        return; /* the next time has been fixed already */
    if (machine->hastened_ms != INT64_MIN &&
        now_ms - machine->hastened_ms < LINK_NETWORK_INTERVAL_MS)
        from_ms = machine->hastened_ms + LINK_NETWORK_INTERVAL_MS;
    const int64_t spread_ms = random_up_to(&machine->random, LINK_NETWORK_SPREAD_MS);
    const int64_t wish_ms = not_too_soon(machine, from_ms + spread_ms);
    if (wish_ms >= machine->deadline_ms)
        return;
    machine->hastened_ms = from_ms;
    machine->deadline_ms = wish_ms;
}

static void enter_backoff(struct link_machine *machine, enum link_state from, enum link_input input,
                          int64_t now_ms)
{
    bool asked_for = input == LINK_INPUT_START || input == LINK_INPUT_RESUME ||
                     input == LINK_INPUT_RESTART || from == LINK_RESTARTING;
    if (asked_for)
        machine->deadline_ms = not_too_soon(machine, now_ms);
    else
        machine->deadline_ms = now_ms + backoff_next(&machine->backoff, &machine->random);
    if (input == LINK_INPUT_NETWORK_FOUND)
        hasten(machine, now_ms);
}

static void arm(struct link_machine *machine, enum link_state from, enum link_input input,
                int64_t now_ms)
{
    switch (machine->state) {
    case LINK_BACKOFF:
        enter_backoff(machine, from, input, now_ms);
        return;
    case LINK_CONNECTING:
        machine->deadline_ms = now_ms + machine->connect_timeout_ms + LINK_CONNECT_GRACE_MS;
        return;
    case LINK_WAITING_CREDENTIALS:
        machine->deadline_ms = now_ms + LINK_CREDENTIALS_RECHECK_MS;
        return;
    case LINK_STOPPING:
    case LINK_RESTARTING:
    case LINK_PAUSING:
        machine->deadline_ms = now_ms + LINK_CLOSE_TIMEOUT_MS;
        return;
    case LINK_OFF:
    case LINK_WAITING_NETWORK:
    case LINK_UP:
    case LINK_PAUSED:
    case LINK_STATE_COUNT:
        break;
    }
    machine->deadline_ms = INT64_MAX;
}

/* Inputs that change a deadline although the state stays. */
static void rearm(struct link_machine *machine, enum link_input input, int64_t now_ms)
{
    if (machine->state == LINK_WAITING_CREDENTIALS &&
        (input == LINK_INPUT_DUE || input == LINK_INPUT_CREDENTIALS_BAD))
        machine->deadline_ms = now_ms + LINK_CREDENTIALS_RECHECK_MS;
    if (machine->state != LINK_BACKOFF)
        return;
    if (input == LINK_INPUT_RESTART || input == LINK_INPUT_CLOCK_SET)
        machine->deadline_ms = earlier(machine->deadline_ms, not_too_soon(machine, now_ms));
    if (input == LINK_INPUT_NETWORK_FOUND)
        hasten(machine, now_ms);
}

static void note_network(struct link_machine *machine, enum link_input input)
{
    if (input == LINK_INPUT_NETWORK_FOUND)
        machine->network = LINK_NETWORK_ASSUMED;
    if (input == LINK_INPUT_NETWORK_GONE)
        machine->network = LINK_NETWORK_GONE;
}

enum link_action link_machine_step(struct link_machine *machine, enum link_input input,
                                   int64_t now_ms)
{
    if (input == LINK_INPUT_DUE && now_ms < machine->deadline_ms)
        return LINK_ACTION_NONE;
    note_network(machine, input);

    enum link_state from = machine->state;
    struct link_cell cell = link_state_cell(from, input);
    if (cell.next == LINK_BACKOFF && machine->network == LINK_NETWORK_GONE)
        cell.next = LINK_WAITING_NETWORK;
    if (cell.next == LINK_CONNECTING && input == LINK_INPUT_CREDENTIALS_OK)
        machine->attempt_count++;
    if (cell.action == LINK_ACTION_CONNECT)
        machine->dialled_ms = now_ms;
    if (cell.next == from) {
        rearm(machine, input, now_ms);
        return cell.action;
    }

    if (from == LINK_UP && now_ms - machine->since_ms >= LINK_PROVEN_MS)
        backoff_reset(&machine->backoff);
    if (cell.next == LINK_UP)
        machine->connect_count++;
    machine->state = cell.next;
    machine->since_ms = now_ms;
    arm(machine, from, input, now_ms);
    return cell.action;
}

const char *link_state_name(enum link_state state)
{
    switch (state) {
    case LINK_OFF:
        return "off";
    case LINK_WAITING_NETWORK:
        return "waiting-for-network";
    case LINK_WAITING_CREDENTIALS:
        return "waiting-for-credentials";
    case LINK_BACKOFF:
        return "backoff";
    case LINK_CONNECTING:
        return "connecting";
    case LINK_UP:
        return "up";
    case LINK_STOPPING:
        return "stopping";
    case LINK_RESTARTING:
        return "restarting";
    case LINK_PAUSING:
        return "pausing";
    case LINK_PAUSED:
        return "paused";
    case LINK_STATE_COUNT:
        break;
    }
    return "unknown";
}

const char *link_input_name(enum link_input input)
{
    static const char *const names[LINK_INPUT_COUNT] = {
        [LINK_INPUT_START] = "start",
        [LINK_INPUT_STOP] = "stop",
        [LINK_INPUT_PAUSE] = "pause",
        [LINK_INPUT_RESUME] = "resume",
        [LINK_INPUT_RESTART] = "restart",
        [LINK_INPUT_NETWORK_FOUND] = "network-found",
        [LINK_INPUT_NETWORK_GONE] = "network-gone",
        [LINK_INPUT_CLOCK_SET] = "clock-set",
        [LINK_INPUT_DUE] = "due",
        [LINK_INPUT_CREDENTIALS_OK] = "credentials-ok",
        [LINK_INPUT_CREDENTIALS_BAD] = "credentials-bad",
        [LINK_INPUT_CONNECTED] = "connected",
        [LINK_INPUT_CONNECT_FAILED] = "connect-failed",
        [LINK_INPUT_LOST] = "lost",
        [LINK_INPUT_STALLED] = "stalled",
        [LINK_INPUT_CLOSED] = "closed",
    };
    return (unsigned)input < LINK_INPUT_COUNT ? names[input] : "unknown";
}

const char *link_action_name(enum link_action action)
{
    switch (action) {
    case LINK_ACTION_NONE:
        return "none";
    case LINK_ACTION_CONNECT:
        return "connect";
    case LINK_ACTION_DISCONNECT:
        return "disconnect";
    case LINK_ACTION_ABANDON:
        return "abandon";
    }
    return "unknown";
}
