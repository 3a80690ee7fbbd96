#include "daemon/daemon_timer.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* The turn that follows looks at everything. */
static void on_time(evutil_socket_t fd, short events, void *data)
{
    (void)events;
    struct daemon_timer *timer = data;
    uint64_t count;
    if (read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
        timer->deadline_ms = INT64_MAX;
}

int daemon_timer_init(struct daemon_timer *timer, struct event_base *base)
{
    *timer = DAEMON_TIMER_NONE;
    /* A clock that goes on while the device sleeps, like clock_now_ms(). */
    timer->fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer->fd < 0)
        return -errno;
    timer->event = event_new(base, timer->fd, EV_READ | EV_PERSIST, on_time, timer);
    if (timer->event && event_add(timer->event, NULL) == 0)
        return 0;
    daemon_timer_clear(timer);
    return -ENOMEM;
}

int daemon_timer_set(struct daemon_timer *timer, int64_t deadline_ms, int64_t now_ms)
{
    if (deadline_ms == timer->deadline_ms)
        return 0;
    struct itimerspec spec = {0};
    if (deadline_ms != INT64_MAX) {
        const int64_t wait_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
        spec.it_value.tv_sec = (time_t)(wait_ms / 1000);
        /* Nothing at all would mean never. */
        spec.it_value.tv_nsec = (long)(wait_ms % 1000 * 1000000) + (wait_ms == 0);
    }
    if (timerfd_settime(timer->fd, 0, &spec, NULL) < 0)
        return -errno;
    timer->deadline_ms = deadline_ms;
    return 0;
}

void daemon_timer_clear(struct daemon_timer *timer)
{
    if (timer->event)
        event_free(timer->event);
    if (timer->fd >= 0)
        (void)close(timer->fd);
    *timer = DAEMON_TIMER_NONE;
}
