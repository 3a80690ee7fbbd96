#include "daemon/mqtt/route_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_MAX 64 /* a turn; the rest makes the fd readable again */

int route_watch_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        /* IPv4 routes that go with their link go without a word: the link tells. */
        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR |
                     RTMGRP_IPV6_ROUTE,
    };
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

/* An address that only this host or this wire knows leads nowhere. */
static bool is_news_address(const struct ifaddrmsg *address)
{
    return address->ifa_scope < RT_SCOPE_LINK && (address->ifa_flags & IFA_F_TENTATIVE) == 0;
}

static bool is_news_route(const struct rtmsg *route)
{
    return route->rtm_type == RTN_UNICAST && (route->rtm_flags & RTM_F_CLONED) == 0 &&
           route->rtm_table != RT_TABLE_LOCAL;
}

static bool is_found(const struct nlmsghdr *header)
{
    if (header->nlmsg_type == RTM_NEWADDR)
        return header->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifaddrmsg)) &&
               is_news_address(NLMSG_DATA(header));
    return header->nlmsg_type == RTM_NEWROUTE &&
           header->nlmsg_len >= NLMSG_LENGTH(sizeof(struct rtmsg)) &&
           is_news_route(NLMSG_DATA(header));
}

enum route_news route_watch_judge(const void *messages, size_t size)
{
    /* NLMSG_NEXT() runs below zero where the last message is not padded. */
    const char *bytes = messages;
    size_t at = 0;
    enum route_news news = ROUTE_NEWS_NONE;
    while (size - at >= sizeof(struct nlmsghdr)) {
        const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)(bytes + at);
        if (header->nlmsg_len < sizeof(*header) || header->nlmsg_len > size - at)
            return news;
        if (is_found(header))
            return ROUTE_NEWS_FOUND;
        news = ROUTE_NEWS_CHANGED;
        const size_t step = NLMSG_ALIGN((size_t)header->nlmsg_len);
        at = step < size - at ? at + step : size;
    }
    return news;
}

enum route_news route_watch_read(int fd)
{
    union {
        struct nlmsghdr header;
        char bytes[8192];
    } messages;
    enum route_news news = ROUTE_NEWS_NONE;
    for (int i = 0; i < READS_MAX; i++) {
        struct sockaddr_nl sender;
        socklen_t sender_size = sizeof(sender);
        ssize_t size =
            recvfrom(fd, &messages, sizeof(messages), 0, (struct sockaddr *)&sender, &sender_size);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == ENOBUFS)
            news = ROUTE_NEWS_FOUND; /* the kernel had more to tell than it could keep */
        if (size <= 0)
            break;
        /* Other programs may write to the socket too. */
        if (sender.nl_pid != 0)
            continue;
        const enum route_news more = route_watch_judge(&messages, (size_t)size);
        news = more > news ? more : news;
    }
    return news;
}
