#include "daemon/mqtt/route_table.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOPBACK_INDEX 1 /* in every network namespace */
#define ANSWER_WAIT_MS 1000
#define ANSWERS_MAX    100000 /* a table longer than this leads out somewhere */
#define TRIES_MAX      3      /* a table that changes while it is read is read again */
#define UNUSABLE       (RTNH_F_DEAD | RTNH_F_LINKDOWN)

/* The kernel's macros mix signed and unsigned numbers. */
static size_t align4(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

static size_t payload_size(const struct rtattr *attribute)
{
    return attribute->rta_len - sizeof(*attribute);
}

struct route_facts {
    const uint8_t *destination; /* NULL: the default route */
    size_t destination_size;
    uint32_t interface; /* 0: not said */
    bool has_hops, has_usable_hop;
};

static bool has_usable_hop(const struct rtattr *attribute)
{
    size_t left = payload_size(attribute);
    const struct rtnexthop *hop = RTA_DATA(attribute);
    while (left >= sizeof(*hop) && hop->rtnh_len >= sizeof(*hop) && hop->rtnh_len <= left) {
        if ((hop->rtnh_flags & UNUSABLE) == 0 && hop->rtnh_ifindex != LOOPBACK_INDEX)
            return true;
        const size_t step = align4(hop->rtnh_len);
        if (step >= left)
            break;
        left -= step;
        hop = (const struct rtnexthop *)(const void *)((const char *)hop + step);
    }
    return false;
}

static void take_attribute(const struct rtattr *attribute, struct route_facts *facts)
{
    const size_t size = payload_size(attribute);
    if (attribute->rta_type == RTA_DST) {
        facts->destination = RTA_DATA(attribute);
        facts->destination_size = size;
    } else if (attribute->rta_type == RTA_OIF && size >= sizeof(facts->interface)) {
        memcpy(&facts->interface, RTA_DATA(attribute), sizeof(facts->interface));
    } else if (attribute->rta_type == RTA_MULTIPATH) {
        facts->has_hops = true;
        facts->has_usable_hop = has_usable_hop(attribute);
    }
}

static void read_attributes(const struct nlmsghdr *header, struct route_facts *facts)
{
    size_t at = NLMSG_SPACE(sizeof(struct rtmsg));
    while (at < header->nlmsg_len && header->nlmsg_len - at >= sizeof(struct rtattr)) {
        const struct rtattr *attribute =
            (const struct rtattr *)(const void *)((const char *)header + at);
        if (attribute->rta_len < sizeof(*attribute) || attribute->rta_len > header->nlmsg_len - at)
            return;
        take_attribute(attribute, facts);
        at += align4(attribute->rta_len);
    }
}

/* To this host or no further than its wire: 127/8 and 169.254/16; ::1, fe80::/10 and ff00::/8. */
static bool is_near(uint8_t family, const struct route_facts *facts)
{
    const uint8_t *to = facts->destination;
    if (family == AF_INET && to && facts->destination_size >= 4)
        return to[0] == 127 || (to[0] == 169 && to[1] == 254);
    if (family != AF_INET6 || !to || facts->destination_size < 16)
        return false;
    static const uint8_t loopback[16] = {[15] = 1};
    return memcmp(to, loopback, sizeof(loopback)) == 0 || to[0] == 0xff ||
           (to[0] == 0xfe && (to[1] & 0xc0) == 0x80);
}

static bool leads_out(const struct nlmsghdr *header)
{
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg)))
        return false;
    const struct rtmsg *route = NLMSG_DATA(header);
    if (route->rtm_type != RTN_UNICAST || route->rtm_table == RT_TABLE_LOCAL ||
        (route->rtm_flags & RTM_F_CLONED) != 0)
        return false;
    struct route_facts facts = {0};
    read_attributes(header, &facts);
    if (is_near(route->rtm_family, &facts))
        return false;
    if (facts.has_hops)
        return facts.has_usable_hop;
    return (route->rtm_flags & UNUSABLE) == 0 && facts.interface != LOOPBACK_INDEX;
}

enum route_answer route_table_scan(const void *messages, size_t size)
{
    const char *bytes = messages;
    size_t at = 0;
    while (size - at >= sizeof(struct nlmsghdr)) {
        const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)(bytes + at);
        if (header->nlmsg_len < sizeof(*header) || header->nlmsg_len > size - at)
            return ROUTE_ANSWER_BROKEN;
        if (header->nlmsg_type == RTM_NEWROUTE && leads_out(header))
            return ROUTE_ANSWER_LEADS_OUT;
        if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0 || header->nlmsg_type == NLMSG_ERROR)
            return ROUTE_ANSWER_BROKEN;
        if (header->nlmsg_type == NLMSG_DONE)
            return ROUTE_ANSWER_END;
        const size_t step = NLMSG_ALIGN((size_t)header->nlmsg_len);
        at = step < size - at ? at + step : size;
    }
    return ROUTE_ANSWER_MORE;
}

static bool ask(int fd, unsigned char family)
{
    const struct {
        struct nlmsghdr header;
        struct rtmsg route;
    } question = {
        .header = {.nlmsg_len = sizeof(question),
                   .nlmsg_type = RTM_GETROUTE,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .route = {.rtm_family = family},
    };
    return send(fd, &question, sizeof(question), 0) == (ssize_t)sizeof(question);
}

/* Returns the size of what came from the kernel, 0: nothing that can be used. */
static size_t receive(int fd, void *buffer, size_t size)
{
    for (;;) {
        struct sockaddr_nl sender;
        socklen_t sender_size = sizeof(sender);
        const ssize_t got =
            recvfrom(fd, buffer, size, MSG_TRUNC, (struct sockaddr *)&sender, &sender_size);
        if (got >= 0 && sender.nl_pid != 0)
            continue; /* other programs may write to the socket too */
        if (got >= 0)
            return (size_t)got <= size ? (size_t)got : 0;
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (errno == EAGAIN && poll(&poll_fd, 1, ANSWER_WAIT_MS) > 0)
            continue;
        if (errno != EINTR)
            return 0;
    }
}

static enum route_table read_once(unsigned char family)
{
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0)
        return ROUTE_TABLE_UNKNOWN;
    union {
        struct nlmsghdr header;
        char bytes[32768];
    } messages;
    enum route_answer answer = ask(fd, family) ? ROUTE_ANSWER_MORE : ROUTE_ANSWER_BROKEN;
    for (unsigned i = 0; answer == ROUTE_ANSWER_MORE && i < ANSWERS_MAX; i++) {
        const size_t size = receive(fd, &messages, sizeof(messages));
        answer = size > 0 ? route_table_scan(&messages, size) : ROUTE_ANSWER_BROKEN;
    }
    (void)close(fd);
    if (answer == ROUTE_ANSWER_LEADS_OUT)
        return ROUTE_TABLE_LEADS_OUT;
    return answer == ROUTE_ANSWER_END ? ROUTE_TABLE_EMPTY : ROUTE_TABLE_UNKNOWN;
}

static enum route_table read_family(unsigned char family)
{
    enum route_table table = ROUTE_TABLE_UNKNOWN;
    for (unsigned i = 0; i < TRIES_MAX && table == ROUTE_TABLE_UNKNOWN; i++)
        table = read_once(family);
    return table;
}

enum route_table route_table_read(void)
{
    const enum route_table v4 = read_family(AF_INET);
    if (v4 == ROUTE_TABLE_LEADS_OUT)
        return v4;
    const enum route_table v6 = read_family(AF_INET6);
    if (v6 == ROUTE_TABLE_LEADS_OUT)
        return v6;
    return v4 == ROUTE_TABLE_EMPTY && v6 == ROUTE_TABLE_EMPTY ? ROUTE_TABLE_EMPTY
                                                              : ROUTE_TABLE_UNKNOWN;
}
