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
    return table == ROUTE_TABLE_EMPTY || view->state == NETWORK_NO_WAY;
}

static enum network_news become(struct network_view *view, enum network_state state)
{
    const enum network_state before = view->state;
    view->state = state;
    if ((state == NETWORK_THERE) == (before == NETWORK_THERE))
        return NETWORK_SAME;
    return state == NETWORK_THERE ? NETWORK_FOUND : NETWORK_GONE;
}

/* The kernel tells that a link is down before it takes the routes away. */
static void plan_next(struct network_view *view, int64_t now_ms)
{
    view->looked_ms = now_ms;
    if (view->look_twice)
        view->look_ms = now_ms + NETWORK_LOOK_EVERY_MS;
    else
        view->look_ms = view->state == NETWORK_THERE ? INT64_MAX : now_ms + NETWORK_RECHECK_MS;
    view->look_twice = false;
}

enum network_news network_view_judge(struct network_view *view, enum route_table table,
                                     enum endpoint_way way, int64_t now_ms)
{
    enum network_state state = NETWORK_THERE;
    if (view->state == NETWORK_NO_WAY && way == ENDPOINT_NO_ROUTE)
        state = NETWORK_NO_WAY;
    else if (table == ROUTE_TABLE_EMPTY && way != ENDPOINT_LOCAL)
        state = NETWORK_NO_ROUTE;
    const enum network_news news = become(view, state);
    plan_next(view, now_ms);
    return news;
}

enum network_news network_view_dialled(struct network_view *view, enum endpoint_way way,
                                       int64_t now_ms)
{
    if (way != ENDPOINT_NO_ROUTE)
        return NETWORK_SAME;
    const enum network_news news = become(view, NETWORK_NO_WAY);
    plan_next(view, now_ms);
    return news;
}

void network_view_untold(struct network_view *view, enum network_news news, int64_t now_ms)
{
    view->state = news == NETWORK_FOUND ? NETWORK_NO_ROUTE : NETWORK_THERE;
    view->look_ms = now_ms + NETWORK_LOOK_EVERY_MS;
}
