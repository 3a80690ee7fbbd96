#include "daemon/service_manager.h"

#include "proto/utf8.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/* Longer ones are cut. */
#define STATUS_BYTES_MAX 2048

int service_manager_take_socket(void)
{
    /* It stays open, and known, for a daemon that starts over. */
    const int count = sd_listen_fds(0);
    if (count < 0)
        return count;
    if (count == 0)
        return -ENOENT;

    const int fd = SD_LISTEN_FDS_START;
    if (count == 1 && sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0) {
        const int flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
            return -errno;
        const int copy = fcntl(fd, F_DUPFD_CLOEXEC, SD_LISTEN_FDS_START + 1);
        return copy < 0 ? -errno : copy;
    }
    for (int i = 0; i < count; i++)
        (void)close(SD_LISTEN_FDS_START + i);
    return -EINVAL;
}

void service_manager_ready(void)
{
    (void)sd_notify(0, "READY=1");
}

void service_manager_stopping(int64_t patience_ms)
{
    (void)sd_notifyf(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld", (long long)patience_ms * 1000);
}

void service_manager_reloading(int64_t monotonic_us)
{
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)monotonic_us);
}

/* Bytes of the character that `text` begins with, or 0: it begins with none. */
static size_t character_size(const char *text, size_t size)
{
    for (size_t length = 1; length <= 4 && length <= size; length++) {
        if (flux_utf8_is_valid(text, length))
            return length;
    }
    return 0;
}

/* A line of its own would be another message to the service manager, and one with a character that
 * was cut on its way, or that a broker sent, is dropped as a whole. */
void service_manager_status(const char *text)
{
    char line[STATUS_BYTES_MAX];
    const size_t size = strcspn(text, "\n");
    size_t used = 0;
    for (size_t i = 0; i < size && used + 4 < sizeof(line);) {
        const size_t length = character_size(text + i, size - i);
        if (length == 0)
            line[used++] = '?';
        else
            memcpy(line + used, text + i, length);
        used += length;
        i += length > 0 ? length : 1;
    }
    (void)sd_notifyf(0, "STATUS=%.*s", (int)used, line);
}

int64_t service_manager_watchdog_ms(void)
{
    uint64_t patience_us = 0;
    if (sd_watchdog_enabled(0, &patience_us) <= 0)
        return 0;
    const int64_t half_ms = (int64_t)(patience_us / 2000);
    return half_ms > 0 ? half_ms : 1;
}

void service_manager_feed_watchdog(void)
{
    (void)sd_notify(0, "WATCHDOG=1");
}
