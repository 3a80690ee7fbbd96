#include "client/fluxctl/ask.h"
#include "client/fluxctl/delay.h"
#include "client/fluxctl/fluxctl.h"
#include <errno.h>
#include <stdio.h>

static bool is_all(const struct fluxctl_arguments *arguments)
{
    return arguments->thing == NULL && arguments->shadow == NULL;
}

/* What cannot be undone is not done by accident. */
static enum fluxctl_exit explain_danger(const struct fluxctl_arguments *arguments)
{
    if (is_all(arguments))
        fputs("fluxctl: reset: this would null in the cloud everything that this device has "
              "reported, in every shadow, and then empty the daemon's state\n"
              "Try: fluxctl reset --yes; --thing or --shadow for one shadow only\n",
              stderr);
    else
        fprintf(stderr,
                "fluxctl: reset: this would null in the cloud everything that this device has "
                "reported to the %s%s%s of the %s%s, and then empty the daemon's state of it\n"
                "Try: the same with --yes\n",
                arguments->shadow != NULL ? "shadow '" : "classic shadow",
                arguments->shadow != NULL ? arguments->shadow : "",
                arguments->shadow != NULL ? "'" : "",
                arguments->thing != NULL ? "thing " : "daemon's own thing",
                arguments->thing != NULL ? arguments->thing : "");
    return FLUXCTL_USAGE;
}

static enum fluxctl_exit explain_timeout(const struct fluxctl_arguments *arguments,
                                         struct fluxaws_client *client)
{
    fprintf(stderr,
            "fluxctl: the cloud has not accepted the reset within %g s; the daemon goes on with "
            "it\n",
            arguments->timeout_ms / 1000.0);
    fluxctl_explain_delay(client, FLUXAWS_ACCEPTED);
    return FLUXCTL_TIMED_OUT;
}

enum fluxctl_exit fluxctl_reset(const struct fluxctl_arguments *arguments)
{
    if (!arguments->yes)
        return explain_danger(arguments);
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit != FLUXCTL_DONE)
        return exit;
    int r = fluxaws_reset(client, is_all(arguments), arguments->timeout_ms);
    if (r == -ETIMEDOUT && fluxaws_is_connected(client) == 1)
        exit = explain_timeout(arguments, client);
    else if (r < 0)
        exit = fluxctl_explain_question(arguments, client, r);
    else if (arguments->json)
        puts("{\"reset\":true}");
    client = fluxaws_close(client);
    return exit;
}
