#include "daemon/daemon.h"

#include "daemon/base/clock.h"
#include "daemon/base/entropy.h"
#include "daemon/base/log_limited.h"
#include "daemon/daemon_private.h"
#include "daemon/message_ids.h"
#include "daemon/service_manager.h"
#include "daemon/storage/state_lock.h"
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* For so long QUEUED waits for STORED: longer than what a good disk takes for two commits, shorter
 * than what people notice. */
#define HOLD_QUEUED_MS 20

static void on_link(evutil_socket_t fd, short what, void *data)
{
    struct daemon *daemon = data;
    (void)fd;
    (void)what;
    daemon->link_has_events = true;
}

static void on_store(evutil_socket_t fd, short what, void *data)
{
    struct daemon *daemon = data;
    (void)fd;
    (void)what;
    daemon->storage.has_results = true;
}

static void on_signal(evutil_socket_t number, short what, void *data)
{
    struct daemon *daemon = data;
    (void)what;
    if (number == SIGHUP)
        daemon->wants_reload = true;
    else
        daemon->wants_stop = true;
}

static const int signal_numbers[] = {SIGTERM, SIGINT, SIGHUP};

#define SIGNAL_COUNT (sizeof(signal_numbers) / sizeof(*signal_numbers))

/* What comes while nobody would handle it waits until somebody does. */
static void hold_signals(bool are_held)
{
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        (void)sigaddset(&set, signal_numbers[i]);
    (void)pthread_sigmask(are_held ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static int watch_signals(struct daemon *daemon)
{
    _Static_assert(SIGNAL_COUNT == sizeof(daemon->signals) / sizeof(*daemon->signals),
                   "each has its event");
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        daemon->signals[i] = evsignal_new(daemon->base, signal_numbers[i], on_signal, daemon);
        if (!daemon->signals[i] || event_add(daemon->signals[i], NULL) < 0)
            return -ENOMEM;
    }
    hold_signals(false); /* a daemon that starts over has left them held */
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    return sigaction(SIGPIPE, &ignore, NULL) < 0 ? -errno : 0;
}

static void tell_of_socket(const struct daemon *daemon, int level, const char *text)
{
    const struct log_field fields[] = {
        {"MESSAGE_ID", MESSAGE_SOCKET},
        {"THING", daemon->thing_name},
        {"SOCKET", config_text(&daemon->config, CONFIG_SOCKET_PATH)}};
    log_event(level, fields, 3, "%s", text);
}

static int open_socket(struct daemon *daemon)
{
    const int fd = service_manager_take_socket();
    if (fd >= 0) {
        daemon->socket = (struct listen_socket){.fd = fd, .lock_fd = -1};
        return 0;
    }
    if (fd != -ENOENT) {
        tell_of_socket(daemon, LOG_ERR,
                       "the service manager passed something else than one listening Unix socket");
        return fd;
    }
    char text[512];
    const struct config *config = &daemon->config;
    const int r = listen_socket_open(&daemon->socket, config_text(config, CONFIG_SOCKET_PATH),
                                     (mode_t)config_number(config, CONFIG_SOCKET_MODE),
                                     config_text(config, CONFIG_SOCKET_GROUP), text, sizeof(text));
    if (r < 0)
        tell_of_socket(daemon, LOG_ERR, text);
    else if (*text)
        tell_of_socket(daemon, LOG_WARNING, text);
    return r;
}

static void tell_of_other(const struct daemon *daemon, pid_t holder)
{
    char pid[24], who[48] = "";
    (void)snprintf(pid, sizeof(pid), "%d", (int)holder);
    if (holder > 0)
        (void)snprintf(who, sizeof(who), " (process %s)", pid);
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_STATE_IN_USE},
                                       {"THING", daemon->thing_name},
                                       {"DIRECTORY", daemon->state_directory},
                                       {"HOLDER", pid}};
    log_event(LOG_ERR, fields, 4,
              "another fluxawsd%s keeps its state in %s: stop it, or set [Storage] Directory", who,
              daemon->state_directory);
}

/* Two daemons at one database would both be the device: the second does not even begin. Returns 0
 * or -EBUSY. Where there is nothing that could be locked the database's own locks have to do. */
static int lock_state(struct daemon *daemon)
{
    pid_t holder;
    if (daemon->state_lock_fd >= 0)
        return 0;
    const int fd = state_lock_take(daemon->state_directory, &holder);
    if (fd == -EWOULDBLOCK) {
        tell_of_other(daemon, holder);
        return -EBUSY;
    }
    daemon->state_lock_fd = fd >= 0 ? fd : -1;
    return 0;
}

static void unlock_state(struct daemon *daemon)
{
    if (daemon->state_lock_fd >= 0)
        (void)close(daemon->state_lock_fd);
    daemon->state_lock_fd = -1;
}

/* Where the state lies: borrowed from what lasts as long as we do. */
static int open_store(struct daemon *daemon)
{
    const char *directory = config_text(&daemon->config, CONFIG_STORAGE_DIRECTORY);
    (void)snprintf(daemon->state_directory, sizeof(daemon->state_directory), "%s",
                   *directory ? directory : daemon->options.state_directory);
    daemon->storage.log = &daemon->log;
    int r = lock_state(daemon);
    if (r == 0)
        r = daemon_storage_open(&daemon->storage, &daemon->config, daemon->state_directory,
                                daemon->awaits_name ? "" : daemon->thing_name, daemon->started_ms);
    if (r == 0 && daemon->storage.is_volatile)
        unlock_state(daemon); /* from now on it needs nothing there */
    else if (r == 0)
        r = lock_state(daemon); /* the directory may have been made just now */
    if (r == 0)
        daemon_look_at_storage(daemon, daemon->started_ms);
    return r;
}

static int open_engine(struct daemon *daemon, int64_t now_ms)
{
    struct session_host *host = &daemon->host;
    host->instance_id = entropy_u64();
    host->hold_queued_ms = HOLD_QUEUED_MS;
    host->max_frame_bytes = (uint32_t)config_number(&daemon->config, CONFIG_MAX_FRAME_BYTES);
    host->max_depth = (uint32_t)config_number(&daemon->config, CONFIG_MAX_DEPTH);
    struct thing_options options;
    daemon_fill_thing_options(daemon, &options);
    options.random_seed = entropy_u64();
    int r = thing_new(&daemon->thing, &options);
    if (r == 0)
        r = daemon_apply_policies(daemon, now_ms);
    if (r == 0)
        r = daemon_apply_access(daemon, &daemon->config);
    if (r < 0)
        return r;
    host->thing = daemon->thing;
    daemon_storage_receive(&daemon->storage, daemon->thing, now_ms);
    const struct uplink_directories directories = {
        .state = daemon->options.state_directory,
        .credentials = daemon->options.credentials_directory,
    };
    return uplink_new(&daemon->uplink, daemon->thing, daemon->thing_name, &daemon->config,
                      &directories, &daemon->log, entropy_u64(), now_ms);
}

static int open_loop(struct daemon *daemon)
{
    daemon->base = event_base_new();
    if (!daemon->base)
        return -ENOMEM;
    struct socket_server_limits limits;
    daemon_fill_limits(daemon, &limits);
    int r =
        socket_server_new(&daemon->server, daemon->base, daemon->socket.fd, &daemon->host, &limits);
    if (r < 0)
        return r;
    r = daemon_timer_init(&daemon->timer, daemon->base);
    if (r < 0)
        return r;
    daemon->link_event = event_new(daemon->base, uplink_event_fd(daemon->uplink),
                                   EV_READ | EV_PERSIST, on_link, daemon);
    if (!daemon->link_event || event_add(daemon->link_event, NULL) < 0)
        return -ENOMEM;
    const int store_fd = store_event_fd(daemon->storage.store);
    if (store_fd >= 0) {
        daemon->store_event =
            event_new(daemon->base, store_fd, EV_READ | EV_PERSIST, on_store, daemon);
        if (!daemon->store_event || event_add(daemon->store_event, NULL) < 0)
            return -ENOMEM;
    }
    return watch_signals(daemon);
}

int daemon_new(struct daemon **ret_daemon, struct config *config,
               const char thing_name[static FLUX_THING_NAME_MAX + 1],
               const struct daemon_options *options)
{
    struct daemon *daemon = calloc(1, sizeof(*daemon));
    if (!daemon)
        return -ENOMEM;
    daemon->options = *options;
    daemon->config = *config; /* borrowed until all has worked */
    daemon->socket = (struct listen_socket){.fd = -1, .lock_fd = -1};
    daemon->timer = DAEMON_TIMER_NONE;
    daemon->state_lock_fd = -1;
    daemon->awaits_name = *thing_name == '\0';
    (void)snprintf(daemon->thing_name, sizeof(daemon->thing_name), "%s",
                   daemon->awaits_name ? DAEMON_PROVISIONAL_NAME : thing_name);
    daemon->started_ms = clock_now_ms();

    int r = open_socket(daemon);
    if (r < 0) {
        daemon->config = (struct config){0};
        (void)daemon_free(daemon);
        return r;
    }
    r = open_store(daemon);
    if (r == 0)
        r = open_engine(daemon, daemon->started_ms);
    if (r == 0)
        r = open_loop(daemon);
    if (r < 0) {
        if (r != -EBUSY) /* that has been told */
            log_error("cannot start: %s", strerror(-r));
        daemon->config = (struct config){0};
        (void)daemon_free(daemon);
        return r;
    }
    *config = (struct config){0};
    *ret_daemon = daemon;
    return 0;
}

bool daemon_free(struct daemon *daemon)
{
    if (!daemon)
        return true;
    (void)socket_server_free(daemon->server);
    bool is_whole = uplink_free(daemon->uplink);
    (void)thing_free(daemon->thing);
    if (daemon_storage_is_busy(&daemon->storage))
        is_whole = false; /* whoever waits for a disk that hangs waits for ever */
    else
        is_whole &= daemon_storage_close(&daemon->storage);
    if (is_whole)
        unlock_state(daemon);
    session_host_clear(&daemon->host);
    (void)access_rules_free(daemon->access);
    listen_socket_close(&daemon->socket);
    for (size_t i = 0; i < sizeof(daemon->signals) / sizeof(*daemon->signals); i++) {
        if (daemon->signals[i])
            event_free(daemon->signals[i]);
    }
    daemon_timer_clear(&daemon->timer);
    if (daemon->link_event)
        event_free(daemon->link_event);
    if (daemon->store_event)
        event_free(daemon->store_event);
    if (daemon->base)
        event_base_free(daemon->base);
    config_clear(&daemon->config);
    reload_report_clear(&daemon->reload);
    free(daemon);
    return is_whole;
}

/* Everything that is to be done now, in the order in which one part's work is the next one's. */
static bool daemon_turn(struct daemon *daemon)
{
    const int64_t now_us = clock_now_us();
    const int64_t now_ms = now_us / 1000;
    daemon_expire_level(daemon, now_ms);
    if (daemon->wants_reload) {
        daemon->wants_reload = false;
        (void)daemon_reload(daemon, NULL, now_ms);
    }
    daemon_look_for_name(daemon, now_ms);
    if (daemon->wants_stop)
        daemon_begin_stop(daemon, now_ms);

    if (daemon->link_has_events)
        uplink_receive(daemon->uplink, now_ms);
    daemon->link_has_events = false;
    uplink_check(daemon->uplink, now_ms);
    daemon_storage_receive(&daemon->storage, daemon->thing, now_ms);
    daemon_look_at_storage(daemon, now_ms);
    socket_server_turn(daemon->server, now_ms, now_us);
    daemon_answer_admins(daemon, now_ms);
    daemon_answer_statuses(daemon, now_ms);
    thing_tick(daemon->thing, now_ms);
    uplink_send(daemon->uplink, now_ms);
    daemon_storage_turn(&daemon->storage, daemon->thing, daemon_storage_stop(daemon), now_ms);
    const bool has_more = daemon_continue_stop(daemon, now_ms, now_us);
    socket_server_settle(daemon->server);
    daemon_log_notices(daemon, now_ms);
    log_limited_flush(&daemon->log, now_ms);
    daemon_tell_service_manager(daemon, now_ms);
    return has_more || socket_server_has_work(daemon->server);
}

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Sleep no longer than until the nearest deadline. */
static int arm_timer(struct daemon *daemon)
{
    const int64_t now_ms = clock_now_ms();
    int64_t deadline_ms =
        earliest(thing_deadline(daemon->thing, now_ms), uplink_deadline(daemon->uplink));
    deadline_ms = earliest(deadline_ms, socket_server_deadline(daemon->server));
    deadline_ms = earliest(deadline_ms, daemon_stop_deadline(daemon));
    deadline_ms = earliest(deadline_ms, daemon_name_deadline(daemon));
    deadline_ms = earliest(deadline_ms, log_limit_deadline(&daemon->log));
    deadline_ms =
        earliest(deadline_ms, daemon_storage_deadline(&daemon->storage, daemon->thing,
                                                      daemon_storage_stop(daemon), now_ms));
    deadline_ms = earliest(deadline_ms, log_choice_deadline(&daemon->log_choice));
    if (daemon->watchdog_ms > 0)
        deadline_ms = earliest(deadline_ms, daemon->next_feed_ms);
    return daemon_timer_set(&daemon->timer, deadline_ms, now_ms);
}

static void tell_of_start(const struct daemon *daemon)
{
    const char *path = daemon->socket.path ? daemon->socket.path : "the service manager's socket";
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_STARTED},
                                       {"THING", daemon->thing_name},
                                       {"SOCKET", path},
                                       {"VERSION", FLUX_VERSION}};
    log_event(LOG_INFO, fields, 4, "fluxawsd " FLUX_VERSION " serves local programs at %s as %s",
              path, daemon->thing_name);
}

/* The next daemon in this process gets the signals that come from now on; one that was caught
 * before is still ours. */
static int leave_to_next(struct daemon *daemon)
{
    hold_signals(true);
    if (event_base_loop(daemon->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) < 0)
        return -EIO;
    return daemon->wants_stop ? 0 : DAEMON_STARTS_OVER;
}

int daemon_run(struct daemon *daemon)
{
    daemon->watchdog_ms = service_manager_watchdog_ms();
    if (!daemon->awaits_name)
        uplink_start(daemon->uplink, clock_now_ms());
    service_manager_ready();
    tell_of_start(daemon);
    while (daemon->state != DAEMON_STOPPED) {
        const bool has_more = daemon_turn(daemon);
        if (daemon->state == DAEMON_STOPPED)
            break;
        const int r = arm_timer(daemon);
        if (r < 0)
            return r;
        /* Without ONCE, the loop would go round for as long as a descriptor is readable that only
         * the turn reads. */
        if (event_base_loop(daemon->base, EVLOOP_ONCE | (has_more ? EVLOOP_NONBLOCK : 0)) < 0)
            return -EIO;
    }
    return daemon->starts_over ? leave_to_next(daemon) : 0;
}
