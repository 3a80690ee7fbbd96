/* What went wrong, in words. */
#include "client/client.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int client_fail(struct fluxaws_client *client, int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(client->error_text, sizeof(client->error_text), format, arguments);
    va_end(arguments);
    return error;
}

void client_log(struct fluxaws_client *client, int priority, const char *format, ...)
{
    if (client->log_handler == NULL)
        return;
    char text[320];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    client->log_handler(priority, text, client->log_data);
}

void fluxaws_set_log_handler(struct fluxaws_client *client, fluxaws_log_callback handler,
                             void *data)
{
    client->log_handler = handler;
    client->log_data = data;
}

const char *fluxaws_error_text(struct fluxaws_client *client)
{
    return client->error_text;
}

const char *fluxaws_version(void)
{
    return FLUX_VERSION;
}

static const struct {
    int error;
    const char *text;
} meanings[] = {
    {0, "done"},
    {EINVAL, "malformed: a path, a JSON text or an argument"},
    {EILSEQ, "not valid UTF-8"},
    {EDOM, "a number that is not finite"},
    {ENAMETOOLONG, "a path or a name is too long"},
    {E2BIG, "larger than the daemon takes"},
    {EMSGSIZE, "a report that may not be split does not fit into a frame of the daemon"},
    {ENOSPC, "as many shadows or watches as a handle, or shadows as the daemon, may have"},
    {ENOBUFS, "the backlog of values that are not yet safe is full"},
    {ENOMEM, "out of memory"},
    {ENOENT, "there is no such socket, property or watch"},
    {ECONNREFUSED, "nobody listens on the socket"},
    {ECONNRESET, "the daemon closed the connection"},
    {EACCES, "no permission, on the socket or by an access rule"},
    {EAGAIN, "the daemon is too busy to take a connection"},
    {EUSERS, "the daemon has too many clients"},
    {EPROTO, "what answers on the socket is no fluxawsd, or did not understand"},
    {EPROTONOSUPPORT, "the daemon and this library share no protocol version"},
    {EOPNOTSUPP, "not supported by this daemon, or not yet"},
    {ETIMEDOUT, "the time is up"},
    {EREMOTEIO, "a report was rejected"},
    {ENOTCONN, "not connected to the daemon"},
    {ENETDOWN, "the link to the cloud is paused"},
    {EALREADY, "a report is being collected"},
    {EBUSY, "not possible from within a callback"},
    {EMFILE, "too many open files"},
    {EIO, "input/output error"},
};

const char *fluxaws_strerror(int error)
{
    if (error < 0)
        error = error == INT32_MIN ? EINVAL : -error;
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (meanings[i].error == error)
            return meanings[i].text;
    return "an error of the system";
}
