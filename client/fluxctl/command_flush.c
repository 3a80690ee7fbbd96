#include "client/fluxctl/ask.h"
#include "client/fluxctl/delay.h"
#include "client/fluxctl/fluxctl.h"
#include <errno.h>
#include <stdio.h>

static enum fluxctl_exit explain_timeout(const struct fluxctl_arguments *arguments,
                                         struct fluxaws_client *client)
{
    fprintf(stderr, "fluxctl: not everything was accepted within %g s; the reports still stand\n",
            arguments->timeout_ms / 1000.0);
    fluxctl_explain_delay(client, FLUXAWS_ACCEPTED);
    return FLUXCTL_TIMED_OUT;
}

enum fluxctl_exit fluxctl_flush(const struct fluxctl_arguments *arguments)
{
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit != FLUXCTL_DONE)
        return exit;
    int r = fluxaws_flush(client, FLUXAWS_ACCEPTED, arguments->timeout_ms);
    if (r == -ETIMEDOUT && fluxaws_is_connected(client) == 1)
        exit = explain_timeout(arguments, client);
    else if (r < 0)
        exit = fluxctl_explain_question(arguments, client, r);
    else if (arguments->json)
        puts("{\"level\":\"accepted\"}");
    client = fluxaws_close(client);
    return exit;
}
