#include "daemon/mqtt/network_view.h"

void network_view_init(struct network_view *view)
{
    *view = (struct network_view){.looked_ms = INT64_MIN, .look_ms = INT64_MIN};
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void network_view_changed(struct network_view *view, int64_t now_ms)
{
    const int64_t soon_ms = now_ms + NETWORK_LOOK_AFTER_MS;
    const int64_t wish_ms = view->looked_ms == INT64_MIN
                                ? soon_ms
                                : later(soon_ms, view->looked_ms + NETWORK_LOOK_EVERY_MS);
    if (wish_ms < view->look_ms)
        view->look_ms = wish_ms;
    view->look_twice = true;
}

void network_view_retarget(struct network_view *view)
{
    view->look_ms = INT64_MIN;
}

int64_t network_view_deadline(const struct network_view *view)
{
    return view->look_ms;
}

bool network_view_needs_endpoint(const struct network_view *view, enum route_table table)
{
    return table == ROUTE_TABLE_EMPTY || (view->is_gone && view->is_endpoint);
}

static enum network_news become(struct network_view *view, bool is_gone, bool is_endpoint)
{
    const bool was_gone = view->is_gone;
    view->is_gone = is_gone;
    view->is_endpoint = is_endpoint;
    if (is_gone == was_gone)
        return NETWORK_SAME;
    return is_gone ? NETWORK_GONE : NETWORK_FOUND;
}

/* The kernel tells that a link is down before it takes the routes away. */
static void plan_next(struct network_view *view, int64_t now_ms)
{
    view->looked_ms = now_ms;
    if (view->look_twice)
        view->look_ms = now_ms + NETWORK_LOOK_EVERY_MS;
    else
        view->look_ms = view->is_gone ? now_ms + NETWORK_RECHECK_MS : INT64_MAX;
    view->look_twice = false;
}

enum network_news network_view_judge(struct network_view *view, enum route_table table,
                                     enum endpoint_way way, int64_t now_ms)
{
    bool is_endpoint = false;
    bool is_gone = table == ROUTE_TABLE_EMPTY && way != ENDPOINT_LOCAL;
    if (view->is_gone && view->is_endpoint && way == ENDPOINT_NO_ROUTE)
        is_gone = is_endpoint = true;
    const enum network_news news = become(view, is_gone, is_endpoint);
    plan_next(view, now_ms);
    return news;
}

enum network_news network_view_dialled(struct network_view *view, enum endpoint_way way,
                                       int64_t now_ms)
{
    if (way != ENDPOINT_NO_ROUTE)
        return NETWORK_SAME;
    const enum network_news news = become(view, true, true);
    plan_next(view, now_ms);
    return news;
}

void network_view_untold(struct network_view *view, enum network_news news, int64_t now_ms)
{
    view->is_gone = news == NETWORK_FOUND;
    view->is_endpoint = false;
    view->look_ms = now_ms + NETWORK_LOOK_EVERY_MS;
}
