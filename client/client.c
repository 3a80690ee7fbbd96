/* Opening and closing a handle. */
#include "client/client.h"
#include "proto/utf8.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_SOCKET_PATH   "/run/fluxaws/fluxawsd.sock"
#define DEFAULT_BACKLOG_BYTES ((size_t)1024 * 1024)
#define GREETING_TIMEOUT_MS   5000

/* Options of an older or newer library are shorter or longer: what is missing is zero, what is
 * unknown is ignored. */
static int copy_options(struct fluxaws_options *ret_options, const struct fluxaws_options *options)
{
    *ret_options = (struct fluxaws_options){0};
    if (options == NULL)
        return 0;
    if (options->size < sizeof(size_t))
        return -EINVAL;
    size_t size = options->size < sizeof(*ret_options) ? options->size : sizeof(*ret_options);
    memcpy(ret_options, options, size);
    return 0;
}

static int set_address(struct fluxaws_client *client, const char *path)
{
    const char *override = secure_getenv("FLUXAWS_SOCKET");
    if (override != NULL && override[0] != '\0')
        path = override;
    if (path == NULL)
        path = DEFAULT_SOCKET_PATH;
    size_t size = strlen(path);
    if (size == 0)
        return -EINVAL;
    if (size >= sizeof(client->address.sun_path))
        return -ENAMETOOLONG;
    client->address.sun_family = AF_UNIX;
    memcpy(client->address.sun_path, path, size + 1);
    return 0;
}

static int set_name(struct fluxaws_client *client, const char *name)
{
    if (name == NULL)
        name = program_invocation_short_name;
    size_t size = strlen(name);
    if (size > FLUX_CLIENT_NAME_MAX)
        return -ENAMETOOLONG;
    if (!flux_utf8_is_valid(name, size))
        return -EINVAL;
    memcpy(client->name, name, size + 1);
    return 0;
}

static int set_up(struct fluxaws_client *client, const struct fluxaws_options *options)
{
    int r = set_address(client, options->socket_path);
    if (r == 0)
        r = set_name(client, options->name);
    if (r < 0)
        return r;
    uint64_t seeds[2] = {0};
    if (getrandom(seeds, sizeof(seeds), 0) != (ssize_t)sizeof(seeds))
        return -EIO;
    client->instance_id = seeds[0];
    client->hash_seed = seeds[1];
    client->backlog_bytes_max =
        options->backlog_bytes > 0 ? options->backlog_bytes : DEFAULT_BACKLOG_BYTES;
    r = client_add_shadow(client, "", "", &client->shadow);
    if (r < 0)
        return r;
    client->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return client->epoll_fd >= 0 ? 0 : -errno;
}

static struct fluxaws_client *client_new(void)
{
    struct fluxaws_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return NULL;
    client->epoll_fd = -1;
    client->socket_fd = -1;
    client->state = CLIENT_AWAY;
    client->frame_bytes_max = FLUX_FRAME_BYTES_DEFAULT;
    client->wanted = FLUX_LEVEL_QUEUED;
    const char *debug = secure_getenv("FLUXAWS_DEBUG");
    client->is_debugged = debug != NULL && strcmp(debug, "1") == 0;
    return client;
}

/* Somebody is there: a daemon whose queue is full, or one that stops, whose service manager holds
 * the socket for the next. */
static bool is_passing(int away_reason)
{
    return away_reason == -EAGAIN || away_reason == -ECONNRESET;
}

/* Wait for the greeting; a daemon that is not there is told at once, one that is busy or being
 * restarted is given time. */
static int wait_for_daemon(struct fluxaws_client *client)
{
    int64_t deadline_ms = client_now_ms() + GREETING_TIMEOUT_MS;
    for (;;) {
        client_turn(client);
        if (client->state == CLIENT_READY)
            return 0;
        if (client->state == CLIENT_AWAY && !is_passing(client->away_reason))
            return client->away_reason;
        if (client_now_ms() >= deadline_ms)
            return client->state == CLIENT_AWAY ? client->away_reason : -ETIMEDOUT;
        int r = client_wait(client, deadline_ms);
        if (r < 0)
            return r;
    }
}

int fluxaws_open(struct fluxaws_client **ret_client, const struct fluxaws_options *options)
{
    struct fluxaws_options copy;
    int r = copy_options(&copy, options);
    if (r < 0)
        return r;
    struct fluxaws_client *client = client_new();
    if (client == NULL)
        return -ENOMEM;
    r = set_up(client, &copy);
    if (r == 0 && copy.require_daemon)
        r = wait_for_daemon(client);
    else if (r == 0)
        client_turn(client);
    if (r < 0) {
        (void)fluxaws_close(client);
        return r;
    }
    *ret_client = client;
    return 0;
}

/* Tell the daemon that this is the end as it should be, if the socket takes it. */
static void say_bye(struct fluxaws_client *client)
{
    if (client->state == CLIENT_AWAY || client_send_bye(client) < 0)
        return;
    client_write(client);
}

struct fluxaws_client *fluxaws_close(struct fluxaws_client *client)
{
    if (client == NULL)
        return NULL;
    say_bye(client);
    if (client->socket_fd >= 0)
        (void)close(client->socket_fd);
    if (client->epoll_fd >= 0)
        (void)close(client->epoll_fd);
    buffer_clear(&client->in);
    buffer_clear(&client->out);
    buffer_clear(&client->request.text);
    changes_clear(&client->changes);
    client_free_watches(client);
    client_free_shadows(client);
    answers_queue_clear(&client->answers);
    free(client);
    return NULL;
}
