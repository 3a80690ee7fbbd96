#include "client/fluxctl/fluxctl.h"
#include "client/fluxctl/wait.h"
#include <stddef.h>

static enum fluxctl_exit report(const struct fluxctl_arguments *arguments,
                                struct fluxaws_client *client)
{
    struct fluxctl_wait wait;
    enum fluxctl_exit exit = fluxctl_wait_begin(&wait, arguments, client);
    if (exit != FLUXCTL_DONE)
        return exit;
    (void)fluxaws_report_begin(client);
    for (int i = 0; i < arguments->operand_count; i++) {
        int r = fluxaws_unset(client, arguments->operands[i]);
        if (r < 0)
            return fluxctl_explain_report(client, r);
    }
    int r = fluxaws_report_send(client);
    if (r < 0)
        return fluxctl_explain_report(client, r);
    return fluxctl_wait_end(&wait, true);
}

enum fluxctl_exit fluxctl_unset(const struct fluxctl_arguments *arguments)
{
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit == FLUXCTL_DONE)
        exit = report(arguments, client);
    client = fluxaws_close(client);
    return exit;
}
