#include "daemon/mqtt/wire_meter.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

void wire_meter_init(struct wire_meter *meter)
{
    *meter = (struct wire_meter){.fd = -1};
    atomic_init(&meter->offered, -1);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

void wire_meter_clear(struct wire_meter *meter)
{
    close_fd(atomic_exchange(&meter->offered, -1));
    close_fd(meter->fd);
    meter->fd = -1;
}

void wire_meter_offer(struct wire_meter *meter, int fd)
{
    close_fd(atomic_exchange(&meter->offered, fd));
}

/* What the connection has moved so far; nothing where the kernel does not say. */
static void count_bytes(int fd, uint64_t *ret_in, uint64_t *ret_out)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    *ret_in = *ret_out = 0;
    if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
        return;
    *ret_in = info.tcpi_bytes_received;
    /* Linux before 4.19 tells only what the other end has taken. */
    const size_t known = offsetof(struct tcp_info, tcpi_bytes_sent) + sizeof(info.tcpi_bytes_sent);
    *ret_out = size >= known ? info.tcpi_bytes_sent : info.tcpi_bytes_acked;
}

static void take_offered(struct wire_meter *meter)
{
    const int fd = atomic_exchange(&meter->offered, -1);
    if (fd < 0)
        return;
    close_fd(meter->fd);
    meter->fd = fd;
}

void wire_meter_end(struct wire_meter *meter)
{
    uint64_t in, out;
    take_offered(meter);
    count_bytes(meter->fd, &in, &out);
    meter->past_in += in;
    meter->past_out += out;
    close_fd(meter->fd);
    meter->fd = -1;
}

void wire_meter_read(struct wire_meter *meter, uint64_t *ret_in, uint64_t *ret_out)
{
    take_offered(meter);
    count_bytes(meter->fd, ret_in, ret_out);
    *ret_in += meter->past_in;
    *ret_out += meter->past_out;
}
