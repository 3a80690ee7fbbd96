/* reconnect, pause and resume. */
#include "client/fluxctl/ask.h"
#include "client/fluxctl/fluxctl.h"
#include <errno.h>
#include <stdio.h>

static enum fluxctl_exit explain(const struct fluxctl_arguments *arguments,
                                 struct fluxaws_client *client, int error)
{
    if (error != -ENETDOWN)
        return fluxctl_explain_question(arguments, client, error);
    fprintf(stderr, "fluxctl: %s\nTry: fluxctl resume\n", fluxaws_error_text(client));
    return FLUXCTL_REFUSED;
}

static enum fluxctl_exit have_done(const struct fluxctl_arguments *arguments,
                                   int (*call)(struct fluxaws_client *client, int timeout_ms),
                                   const char *json)
{
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit != FLUXCTL_DONE)
        return exit;
    int r = call(client, arguments->timeout_ms);
    if (r < 0)
        exit = explain(arguments, client, r);
    else if (arguments->json)
        puts(json);
    client = fluxaws_close(client);
    return exit;
}

enum fluxctl_exit fluxctl_reconnect(const struct fluxctl_arguments *arguments)
{
    return have_done(arguments, fluxaws_reconnect, "{\"reconnect\":true}");
}

enum fluxctl_exit fluxctl_pause(const struct fluxctl_arguments *arguments)
{
    return have_done(arguments, fluxaws_pause, "{\"paused\":true}");
}

enum fluxctl_exit fluxctl_resume(const struct fluxctl_arguments *arguments)
{
    return have_done(arguments, fluxaws_resume, "{\"paused\":false}");
}
