#include "client/fluxctl/ask.h"
#include "client/fluxctl/fluxctl.h"
#include <errno.h>
#include <stdio.h>

static enum fluxctl_exit explain(const struct fluxctl_arguments *arguments,
                                 struct fluxaws_client *client, int failed, int error)
{
    enum fluxctl_exit exit = FLUXCTL_REFUSED;
    if (error == -ENOENT)
        fprintf(stderr,
                "fluxctl: nothing that was reported from here is at '%s'\n"
                "Try: fluxctl keys, for what there is\n",
                arguments->operands[failed]);
    else
        exit = fluxctl_explain_question(arguments, client, error);
    if (failed > 0)
        fprintf(stderr, "What stands before '%s' was forgotten.\n", arguments->operands[failed]);
    return exit;
}

enum fluxctl_exit fluxctl_forget(const struct fluxctl_arguments *arguments)
{
    struct fluxaws_client *client = NULL;
    enum fluxctl_exit exit = fluxctl_connect(arguments, &client);
    if (exit != FLUXCTL_DONE)
        return exit;
    for (int i = 0; i < arguments->operand_count && exit == FLUXCTL_DONE; i++) {
        int r = fluxaws_forget(client, arguments->operands[i], arguments->timeout_ms);
        if (r < 0)
            exit = explain(arguments, client, i, r);
    }
    client = fluxaws_close(client);
    return exit;
}
