#include "daemon/mqtt/mqtt_link_private.h"

#include "daemon/base/clock.h"
#include "daemon/mqtt/mqtt_paho.h"
#include "daemon/mqtt/proxy_dial.h"
#include "daemon/mqtt/tls_probe.h"
#include <errno.h>
#include <poll.h>
#include <string.h>

#define FAREWELL_WAIT_MS 500 /* for answers to what was published before hanging up */
#define PROBE_TIMEOUT_MS 3000

static void push_event(struct mqtt_link *link, uint64_t connection,
                       const struct mqtt_link_event *event)
{
    (void)inbox_push(&link->inbox, connection, event);
}

static void push_network(struct mqtt_link *link, enum network_news news)
{
    if (news == NETWORK_SAME)
        return;
    const struct mqtt_link_event event = {.kind = news == NETWORK_GONE ? MQTT_LINK_NETWORK_GONE
                                                                       : MQTT_LINK_NETWORK_FOUND};
    if (!inbox_push(&link->inbox, 0, &event))
        network_view_untold(&link->network.view, news, clock_now_ms());
}

static void drop_connection(struct mqtt_link *link)
{
    link->farewell_ms = 0;
    link->paho = paho_connection_free(link->paho);
    link->proxy_dial = proxy_dial_free(link->proxy_dial);
    link->dialled = outbox_command_free(link->dialled);
}

static void push_failure(struct mqtt_link *link, uint64_t connection, int code, const char *text)
{
    struct mqtt_link_event event = {.kind = MQTT_LINK_CONNECT_FAILED, .code = code, .text = text};
    push_event(link, connection, &event);
}

static bool is_abandoned(struct mqtt_link *link, uint64_t connection)
{
    return connection <= atomic_load(&link->abandoned) || atomic_load(&link->quit);
}

/* Returns whether the credentials allow to dial. */
static bool check_credentials(struct mqtt_link *link, const struct outbox_command *command)
{
    struct credentials credentials;
    credentials_check(&command->config.credentials, clock_wall_sec(), &credentials);
    struct mqtt_link_event event = {.kind = MQTT_LINK_CREDENTIALS, .credentials = &credentials};
    event.text = credentials.text;
    push_event(link, command->connection, &event);
    return credentials.state == CREDENTIALS_OK || credentials.state == CREDENTIALS_DOUBTFUL;
}

/* Have Paho make the connection of `dialled`; `tunnel_fd` leads through a proxy, -1: there is none.
 */
static void run_paho(struct mqtt_link *link, int tunnel_fd)
{
    const struct outbox_command *command = link->dialled;
    const int rc = paho_connection_new(&link->paho, &link->inbox, &link->outbox, &link->meter,
                                       command->connection, &command->config, tunnel_fd,
                                       clock_now_ms() - link->dialled_ms);
    if (rc == -ENOSYS)
        push_failure(link, command->connection, MQTT_LINK_FAILED_PROXY,
                     "this build of fluxawsd cannot lead Paho through a proxy");
    else if (rc < 0)
        push_failure(link, command->connection, MQTT_LINK_FAILED, strerror(-rc));
}

/* Resolve what is dialled: here, as Paho would hold its global lock while the resolver hangs. The
 * endpoint's name is the proxy's to resolve, where there is one. Returns 0, or -1 with a probe. */
static int begin_dial(struct mqtt_link *link, const struct mqtt_link_config *config,
                      enum endpoint_way *ret_way, struct tls_probe *ret_probe)
{
    if (!tls_probe_has_proxy(config))
        return tls_probe_name(config, ret_probe, ret_way);
    return proxy_dial_new(&link->proxy_dial, config, config->connect_timeout_ms, ret_way,
                          ret_probe);
}

/* Takes over the command. */
static void run_connect(struct mqtt_link *link, struct outbox_command *command)
{
    drop_connection(link);
    link->dialled = command;
    uint64_t connection = command->connection;
    if (is_abandoned(link, connection) || !check_credentials(link, command))
        return;
    if (link->network.view.state != NETWORK_THERE) {
        push_network(link, NETWORK_GONE);
        return;
    }
    struct tls_probe probe;
    enum endpoint_way way = ENDPOINT_UNKNOWN;
    const int r = begin_dial(link, &command->config, &way, &probe);
    link->dialled_ms = clock_now_ms();
    const enum network_news news = network_watch_dialled(&link->network, way, link->dialled_ms);
    push_network(link, news);
    if (news == NETWORK_GONE || is_abandoned(link, connection))
        link->proxy_dial = proxy_dial_free(link->proxy_dial);
    else if (r < 0)
        push_failure(link, connection, probe.code, probe.text);
    else if (!tls_probe_has_proxy(&command->config))
        run_paho(link, -1);
}

/* On with the way through the proxy, where there is one being made. */
static void run_proxy_dial(struct mqtt_link *link)
{
    if (!link->proxy_dial)
        return;
    const enum proxy_dial_state state = proxy_dial_step(link->proxy_dial, clock_now_ms());
    if (state == PROXY_DIAL_FAILED) {
        const struct tls_probe *reason = proxy_dial_reason(link->proxy_dial);
        push_failure(link, link->dialled->connection, reason->code, reason->text);
    } else if (state == PROXY_DIAL_OPEN) {
        run_paho(link, proxy_dial_take(link->proxy_dial));
    } else {
        return;
    }
    link->proxy_dial = proxy_dial_free(link->proxy_dial);
}

/* Paho has given up. Where the broker did not give a reason, look for it. */
static void run_dial_ended(struct mqtt_link *link, const struct outbox_command *command)
{
    struct outbox_command *dialled = link->dialled;
    link->dialled = NULL;
    drop_connection(link);
    int code = command->code;
    const char *text = command->text;
    struct tls_probe probe;
    if (code < 0 && dialled) {
        bool timed_out = clock_now_ms() - link->dialled_ms >= dialled->config.connect_timeout_ms;
        tls_probe_explain(&dialled->config, PROBE_TIMEOUT_MS, timed_out, &probe);
        code = probe.code;
        text = probe.text;
    }
    push_failure(link, command->connection, code, text);
    (void)outbox_command_free(dialled);
}

static void run_command(struct mqtt_link *link, struct outbox_command *command)
{
    bool is_current = link->paho && paho_connection_number(link->paho) == command->connection;
    switch (command->kind) {
    case OUTBOX_CONNECT:
        run_connect(link, command);
        return;
    case OUTBOX_SUBSCRIBE:
        if (is_current)
            paho_subscribe(link->paho, command);
        break;
    case OUTBOX_UNSUBSCRIBE:
        if (is_current)
            paho_unsubscribe(link->paho, command);
        break;
    case OUTBOX_PUBLISH:
        if (is_current)
            paho_publish(link->paho, command);
        break;
    case OUTBOX_DISCONNECT:
        if (is_current) {
            link->farewell_ms = clock_now_ms() + FAREWELL_WAIT_MS;
            break;
        }
        link->proxy_dial = proxy_dial_free(link->proxy_dial);
        push_event(link, command->connection, &(struct mqtt_link_event){.kind = MQTT_LINK_CLOSED});
        break;
    case OUTBOX_DIAL_ENDED:
        if (is_current)
            run_dial_ended(link, command);
        break;
    case OUTBOX_LINK_ENDED:
        if (is_current)
            drop_connection(link);
        break;
    }
    (void)outbox_command_free(command);
}

/* Returns NULL where there is nothing to do before the next wake-up. */
static struct outbox_command *next_command(struct mqtt_link *link)
{
    if (atomic_load(&link->quit))
        return NULL;
    if (link->paho && paho_is_full(link->paho)) {
        mailbox_rest(&link->outbox.box);
        if (paho_is_full(link->paho))
            return NULL;
    }
    return outbox_pop(&link->outbox);
}

/* Returns how long to sleep at most, -1: as long as there is nothing to do. */
static int hang_up_if_due(struct mqtt_link *link)
{
    if (link->farewell_ms == 0)
        return -1;
    int64_t left_ms = link->farewell_ms - clock_now_ms();
    if (left_ms > 0 && !paho_is_settled(link->paho))
        return (int)left_ms;
    link->farewell_ms = 0;
    paho_hang_up(link->paho);
    return -1;
}

/* Before any command: what is to be dialled next has to know. */
static void look_at_network(struct mqtt_link *link)
{
    struct network_target *target = atomic_exchange(&link->new_target, NULL);
    if (target)
        network_watch_target(&link->network, target);
    push_network(link, network_watch_look(&link->network, clock_now_ms()));
}

static int shorter(int a_ms, int b_ms)
{
    if (a_ms < 0 || b_ms < 0)
        return a_ms < 0 ? b_ms : a_ms;
    return a_ms < b_ms ? a_ms : b_ms;
}

/* Returns how long to wait for it. */
static int watch_proxy_dial(struct mqtt_link *link, struct pollfd *ret_poll_fd)
{
    int timeout_ms;
    ret_poll_fd->fd =
        proxy_dial_poll(link->proxy_dial, clock_now_ms(), &ret_poll_fd->events, &timeout_ms);
    return timeout_ms;
}

void *mqtt_link_thread(void *argument)
{
    struct mqtt_link *link = argument;
    while (!atomic_load(&link->quit)) {
        look_at_network(link);
        struct outbox_command *command;
        while ((command = next_command(link)))
            run_command(link, command);
        /* After next_command() cleared the eventfd, so that no wake-up is missed. */
        if ((link->paho || link->proxy_dial) && is_abandoned(link, link->dialled->connection)) {
            drop_connection(link);
            continue; /* commands may have waited behind it, unannounced */
        }
        run_proxy_dial(link);
        struct pollfd poll_fds[] = {
            {.fd = link->outbox.box.event_fd, .events = POLLIN},
            {.fd = link->network.fd, .events = POLLIN}, /* poll() passes over -1 */
            {.fd = -1},
        };
        int timeout_ms =
            shorter(hang_up_if_due(link), network_watch_timeout_ms(&link->network, clock_now_ms()));
        if (link->proxy_dial)
            timeout_ms = shorter(timeout_ms, watch_proxy_dial(link, &poll_fds[2]));
        if (!atomic_load(&link->quit))
            (void)poll(poll_fds, 3, timeout_ms);
        if (poll_fds[1].revents != 0)
            push_network(link, network_watch_read(&link->network, clock_now_ms()));
    }
    drop_connection(link);
    return NULL;
}
