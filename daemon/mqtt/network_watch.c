#include "daemon/mqtt/network_watch.h"

#include "daemon/mqtt/endpoint_way.h"
#include "daemon/mqtt/route_table.h"
#include "daemon/mqtt/route_watch.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void network_watch_init(struct network_watch *watch)
{
    *watch = (struct network_watch){.fd = -1};
    network_view_init(&watch->view);
    const int fd = route_watch_open();
    if (fd >= 0)
        watch->fd = fd;
}

void network_watch_clear(struct network_watch *watch)
{
    if (watch->fd >= 0)
        (void)close(watch->fd);
    watch->fd = -1;
    free(watch->target);
    watch->target = NULL;
}

struct network_target *network_target_new(const char *host, uint16_t port)
{
    const size_t size = strlen(host) + 1;
    struct network_target *target = malloc(sizeof(*target) + size);
    if (!target)
        return NULL;
    target->port = port;
    memcpy(target->host, host, size);
    return target;
}

void network_watch_target(struct network_watch *watch, struct network_target *target)
{
    free(watch->target);
    watch->target = target;
    network_view_retarget(&watch->view);
}

static bool is_blind(const struct network_watch *watch)
{
    return watch->fd < 0 || !watch->target;
}

int network_watch_timeout_ms(const struct network_watch *watch, int64_t now_ms)
{
    const int64_t look_ms = network_view_deadline(&watch->view);
    if (is_blind(watch) || look_ms == INT64_MAX)
        return -1;
    return look_ms > now_ms ? (int)(look_ms - now_ms) : 0;
}

enum network_news network_watch_read(struct network_watch *watch, int64_t now_ms)
{
    const enum route_news news = route_watch_read(watch->fd);
    if (news == ROUTE_NEWS_NONE)
        return NETWORK_SAME;
    network_view_changed(&watch->view, now_ms);
    return news == ROUTE_NEWS_FOUND && watch->view.state == NETWORK_THERE ? NETWORK_FOUND
                                                                          : NETWORK_SAME;
}

enum network_news network_watch_look(struct network_watch *watch, int64_t now_ms)
{
    if (is_blind(watch) || network_view_deadline(&watch->view) > now_ms)
        return NETWORK_SAME;
    const enum route_table table = route_table_read();
    enum endpoint_way way = ENDPOINT_UNKNOWN;
    if (network_view_needs_endpoint(&watch->view, table))
        way = endpoint_way_find(watch->target->host, watch->target->port);
    return network_view_judge(&watch->view, table, way, now_ms);
}

enum network_news network_watch_dialled(struct network_watch *watch, enum endpoint_way way,
                                        int64_t now_ms)
{
    /* Where nobody tells, nobody would tell either that it is there again. */
    return is_blind(watch) ? NETWORK_SAME : network_view_dialled(&watch->view, way, now_ms);
}
