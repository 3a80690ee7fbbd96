#include "client/fluxctl/ask.h"
#include "client/fluxctl/fluxctl.h"
#include <stdio.h>

enum fluxctl_exit fluxctl_flush(const struct fluxctl_arguments *arguments)
{
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit != FLUXCTL_DONE)
        return exit;
    int r = fluxaws_flush(client, FLUXAWS_ACCEPTED, arguments->timeout_ms);
    if (r < 0)
        exit = fluxctl_explain_question(arguments, client, r);
    else if (arguments->json)
        puts("{\"level\":\"accepted\"}");
    client = fluxaws_close(client);
    return exit;
}
